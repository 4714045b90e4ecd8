"""The scope's moment, never the wall clock's: the same evaluation gives the same answer."""

from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.functions.function import over_items
from service.fhir.fhirpath.node import Items
from service.fhir.fhirpath.scope import Run
from service.fhir.fhirpath.temporal import Temporal, of_datetime


def _now(run: Run) -> Temporal:
    if run.scope.now is None:
        raise EvaluationError("it is not known what time it is")
    return of_datetime(run.scope.now)


def _today(run: Run, _items: Items) -> Items:
    return [Temporal("date", _now(run).parts[:3])]


def _time_of_day(run: Run, _items: Items) -> Items:
    return [Temporal("time", _now(run).parts[3:])]


FUNCTIONS = {
    "now": over_items(lambda run, _items: [_now(run)]),
    "today": over_items(_today),
    "timeOfDay": over_items(_time_of_day),
}
