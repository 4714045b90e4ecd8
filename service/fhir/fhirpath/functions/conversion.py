"""From one kind of value to another, and whether that is possible (N1 section 5.5)."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from service.fhir.fhirpath.code import Code, deciding, single
from service.fhir.fhirpath.functions.function import Compiles, Function, of_value
from service.fhir.fhirpath.node import Items
from service.fhir.fhirpath.quantity import CALENDAR, Quantity, of_json
from service.fhir.fhirpath.reading import is_number
from service.fhir.fhirpath.reading import moment as read_moment
from service.fhir.fhirpath.reading import quantity as read_quantity
from service.fhir.fhirpath.scope import Run
from service.fhir.fhirpath.syntax import Call
from service.fhir.fhirpath.temporal import Temporal, parse, parse_time
from service.fhir.json import Number

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,100}(\.[0-9]{1,100})?")
_QUANTITY = re.compile(r"([+-]?[0-9]{1,100}(?:\.[0-9]{1,100})?)\s*(?:'([^']+)'|([a-z]+))?")
_TRUE = frozenset(("true", "t", "yes", "y", "1", "1.0"))
_FALSE = frozenset(("false", "f", "no", "n", "0", "0.0"))


def to_boolean(value: Any) -> bool | None:
    """`toBoolean()`."""
    if type(value) is bool:
        return value
    if type(value) is str:
        text = value.lower()
        return True if text in _TRUE else False if text in _FALSE else None
    if is_number(value):
        return True if value == 1 else False if value == 0 else None
    return None


def to_integer(value: Any) -> int | None:
    """`toInteger()`: decimals do not convert, not even whole ones written as text."""
    if type(value) is bool or type(value) is int:
        return int(value)
    if type(value) is str and _INTEGER.fullmatch(value):
        return int(value)
    return None


def to_decimal(value: Any) -> Decimal | int | None:
    """`toDecimal()`."""
    if type(value) is bool:
        return Decimal(int(value))
    if is_number(value):
        return value if isinstance(value, Decimal) else Decimal(value)
    if type(value) is str and _DECIMAL.fullmatch(value):
        return Decimal(value)
    return None


def to_string(value: Any) -> str | None:
    """`toString()`: a decimal as it was written."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if isinstance(value, Number):
        return value.text
    if isinstance(value, Decimal):
        return format(value, "f") if -100 < value.adjusted() < 100 else str(value)
    if type(value) is dict:
        amount = of_json(value)
        return None if amount is None else str(amount)
    return str(value)


def to_date(value: Any) -> Temporal | None:
    """`toDate()`: the day of a dateTime."""
    moment = read_moment(value)
    return Temporal("date", moment.parts[:3]) if moment is not None and moment.kind != "time" else None


def to_date_time(value: Any) -> Temporal | None:
    """`toDateTime()`."""
    moment = parse(value) if type(value) is str else read_moment(value)
    if moment is None or moment.kind == "time":
        return None
    return Temporal("dateTime", moment.parts, moment.offset)


def to_time(value: Any) -> Temporal | None:
    """`toTime()`."""
    if type(value) is str:
        return parse_time(value.removeprefix("T"))
    return value if type(value) is Temporal and value.kind == "time" else None


def to_quantity(value: Any, unit: str = "") -> Quantity | None:
    """`toQuantity()`; with a unit only what is already in it, or has none."""
    amount = _amount(value)
    if amount is None or unit in ("", amount.unit):
        return amount
    return None


def _amount(value: Any) -> Quantity | None:
    if type(value) is bool:
        return Quantity(Decimal(int(value)), "1")
    if type(value) is not str:
        return read_quantity(value)
    found = _QUANTITY.fullmatch(value)
    if found is None:
        return None
    number, unit, word = found.groups()
    if word and word not in CALENDAR:
        return None
    return Quantity(Decimal(number), unit or (CALENDAR[word] if word else "1"))


def _converts(convert: Callable[..., Any]) -> Function:
    def build(compiler: Compiles, source: Code, call: Call) -> Code:
        arguments = [compiler.compile(argument).values for argument in call.arguments]

        def truth(run: Run, this: Items) -> bool | None:
            value = single(source.values(run, this))
            given = [single(argument(run, this)) for argument in arguments]
            return None if value is None else convert(value, *given) is not None

        return deciding(truth)

    return Function(build, 0, 1 if convert is to_quantity else 0)


_CONVERSIONS: dict[str, Callable[..., Any]] = {
    "Boolean": to_boolean,
    "Integer": to_integer,
    "Decimal": to_decimal,
    "String": to_string,
    "Date": to_date,
    "DateTime": to_date_time,
    "Time": to_time,
    "Quantity": to_quantity,
}
FUNCTIONS = {
    **{f"to{name}": of_value(convert, 0, int(name == "Quantity")) for name, convert in _CONVERSIONS.items()},
    **{f"convertsTo{name}": _converts(convert) for name, convert in _CONVERSIONS.items()},
}
