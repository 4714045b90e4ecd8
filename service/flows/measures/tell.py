"""Measures told: rates of each over a period, the list of what does not count; and kept as MeasureReports."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from service.coordination.measures.counting import Asked, Counted, rates, within
from service.coordination.measures.rates import Rate
from service.coordination.measures.report import BASE, report
from service.coordination.measures.table import INSIDE, WORKER, Measure, measures
from service.fhir.json import JsonObject, decode_object
from service.flows.audit.witness import act
from service.flows.context import Context
from service.flows.due.calendars import home_of
from service.flows.measures.gather import Gathered, gathered
from service.flows.writing import version_of
from service.kernel.failures import Refused
from service.kernel.ids import derived_id
from service.store import resources

REPORT = "MeasureReport"


@dataclass(frozen=True, slots=True)
class Result:
    """One measure as asked: its rates, and what does not count, oldest first, where a list of it is of use."""

    measure: Measure
    rates: list[Rate]
    open: list[Counted]


@dataclass(frozen=True, slots=True)
class Told:
    """What was asked, by measure, and what it was counted from."""

    results: list[Result]
    gathered: Gathered


async def told(context: Context, names: Sequence[str], asked: Asked) -> Told:
    """The measures of these names (none: all), in the order of the table. On the trail. Refused("absent")."""
    for name in names:
        if name not in measures:
            raise Refused("absent", f"there is no measure {name!r}; there are {', '.join(measures)}")
    wanted = [row for row in measures.values() if not names or row.name in names]
    async with context.database.reading() as connection:
        found = await gathered(context, connection, {row.name for row in wanted})
    results = [_result(row, found, asked) for row in wanted]
    which = ",".join(row.name for row in wanted) if names else "all"
    await context.database.record([act(context, "administration", "measures-told", detail=which)])
    return Told(results, found)


def _result(row: Measure, found: Gathered, asked: Asked) -> Result:
    counted = found.counted[row.name]
    shown = [
        replace(each, stratum=found.names.get(each.stratum, each.stratum))
        if each.stratifier in INSIDE
        else each
        for each in rates(row, counted, asked)
    ]
    listed = bool(row.open) and not asked.outside
    left = [each for each in within(row, counted, asked) if not each.held] if listed else []
    return Result(
        row, shown, sorted((_named(each, found) for each in left), key=lambda each: (each.on, each.what))
    )


def _named(each: Counted, found: Gathered) -> Counted:
    worker = each.strata.get(WORKER, "")
    return replace(each, strata={**each.strata, WORKER: found.names.get(worker, worker)})


async def keep(context: Context, names: Sequence[str], since: date, until: date) -> list[str]:
    """Write each as a MeasureReport of ours, as others may see it: small counts hidden, nobody who works here named.
    The same period again is a new version, if anything has changed. Answers their references."""
    asked = Asked(since, until, small=context.settings.small_cells, outside=True)
    found = await told(context, names, asked)
    now = context.clock()
    made = {
        derived_id(REPORT, each.measure.name, str(since), str(until)): report(
            f"{BASE}/{each.measure.name}",
            each.rates,
            (since, until),
            now,
            found.gathered.home,
            each.measure.unit,
        )
        for each in found.results
    }
    async with context.database.unit() as unit:
        home = await home_of(unit, "")
        held = await resources.lock(unit, sorted((REPORT, id_) for id_ in made))
        for id_, resource in sorted(made.items()):
            before = held.get((REPORT, id_))
            if before is None or before.body is None or _says(decode_object(before.body)) != _says(resource):
                unit.put(version_of(context, resource, id_, before, home.client_id, now))
        unit.audit(act(context, "administration", "measures-kept", about=[f"{REPORT}/{id_}" for id_ in made]))
    return [f"{REPORT}/{id_}" for id_ in made]


def _says(resource: JsonObject) -> JsonObject:
    """All but when it was made."""
    return {name: value for name, value in resource.items() if name not in ("id", "meta", "date", "text")}
