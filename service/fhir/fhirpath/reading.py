"""What a value can be read as: a number, a moment, an amount."""

from decimal import Decimal
from typing import Any

from service.fhir.fhirpath.node import Node, plain
from service.fhir.fhirpath.quantity import Quantity, aligned, of_json
from service.fhir.fhirpath.temporal import Temporal, parse, parse_time

_TEMPORAL_TYPES = frozenset(("", "date", "dateTime", "instant", "time"))


def is_number(value: Any) -> bool:
    """True for an int or a Decimal; a bool is no number."""
    return type(value) is int or isinstance(value, Decimal)


def moment(value: Any) -> Temporal | None:
    """The value as a date, dateTime or time if it is or reads as one."""
    if type(value) is Node:
        value = value.value if value.type in _TEMPORAL_TYPES else None
    if type(value) is Temporal:
        return value
    if type(value) is str and value[:2].isdigit():
        return parse(value) or parse_time(value)
    return None


def quantity(value: Any) -> Quantity | None:
    """The value as an amount if it is one: a literal, a Quantity element, a number."""
    value = plain(value)
    if type(value) is Quantity:
        return value
    if type(value) is dict:
        return of_json(value)
    return Quantity(Decimal(value), "1") if is_number(value) else None


def amounts(left: Any, right: Any) -> tuple[Decimal, Decimal] | None:
    """Both as amounts in one unit, or None."""
    one, other = quantity(left), quantity(right)
    return aligned(one, other) if one is not None and other is not None else None
