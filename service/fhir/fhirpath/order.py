"""Which of two values comes first (N1 section 6.2). Three-valued: None is "unknown"."""

from typing import Any

from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.node import plain
from service.fhir.fhirpath.quantity import Quantity
from service.fhir.fhirpath.reading import amounts, is_number, moment
from service.fhir.fhirpath.temporal import order as moment_order


def order(left: Any, right: Any) -> int | None:
    """-1, 0, 1 or None for two items; EvaluationError when they are not of one ordered kind."""
    one, other = plain(left), plain(right)
    if is_number(one) and is_number(other):
        return int(one > other) - int(one < other)
    if type(one) is str and type(other) is str and _alike(one, other):
        return (one > other) - (one < other)
    if type(one) in (dict, Quantity) or type(other) in (dict, Quantity):
        both = amounts(one, other)
        return None if both is None else int(both[0] > both[1]) - int(both[0] < both[1])
    first, second = moment(left), moment(right)
    if first is not None and second is not None:
        return moment_order(first, second)
    if type(one) is str and type(other) is str:
        return (one > other) - (one < other)
    if one is None or other is None:
        return None
    raise EvaluationError("these two values have no order")


def _alike(one: str, other: str) -> bool:
    """Two texts whose order as texts is their order as moments too: both days, or both instants in UTC."""
    return len(one) == len(other) and (len(one) == 10 or (one[-1] == "Z" == other[-1] and len(one) >= 20))
