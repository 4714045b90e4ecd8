"""Prefixes, dates and numbers as searches write them. https://hl7.org/fhir/R4/search.html#prefix"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import get_args

from service.fhir.search import ucum
from service.fhir.search.asking import Wrong
from service.fhir.search.escapes import plain, split
from service.fhir.search.moments import BEGINNING, END, interval
from service.fhir.search.query import Amount, Moment, Prefix
from service.fhir.search.values import NO_LIMIT, converted

_PREFIXES: tuple[Prefix, ...] = get_args(Prefix)


def prefixed(text: str) -> tuple[Prefix, str]:
    """`ge2026` to (ge, 2026); eq without a prefix."""
    for prefix in _PREFIXES:
        if text.startswith(prefix):
            return prefix, text[2:]
    return "eq", text


def moment(code: str, text: str, now: datetime) -> Moment:
    """A date as asked for. `ap` reaches a tenth of the distance from now further on both sides."""
    prefix, rest = prefixed(text)
    found = interval(rest.replace(" ", "+"))  # a + in a query string that nobody escaped
    if found is None:
        raise Wrong(f"{code} needs a date: an optional prefix and YYYY[-MM[-DD[Thh:mm[:ss[.fff]][zone]]]]")
    low, high = found
    if prefix == "ap":
        slack = abs(now - low) / 10
        low = low - slack if low - BEGINNING > slack else BEGINNING
        high = high + slack if END - high > slack else END
    return Moment(prefix, low, high)


def amount(code: str, text: str) -> Amount:
    """A number as asked for: `100` stands for [99.5, 100.5), `ap` for a tenth more and less."""
    prefix, rest = prefixed(text)
    value = _decimal(code, rest)
    half = Decimal((0, (5,), int(value.as_tuple().exponent) - 1))
    if prefix == "ap":
        half = max(half, abs(value) / 10)
    return Amount(prefix, value, value - half, value + half)


def _decimal(code: str, text: str) -> Decimal:
    try:
        value = Decimal(text) if len(text) <= 60 and not text.strip("0123456789+-.eE") else None
    except InvalidOperation:
        value = None
    if (
        value is None
        or not value.is_finite()
        or value.copy_abs() >= NO_LIMIT
        or not -60 <= value.adjusted() <= 60
    ):
        raise Wrong(f"{code} needs a number with an optional prefix")
    return value


def quantity(code: str, text: str) -> Amount:
    """`[prefix][number]`, `…|[system]|[code]` or `…||[code]`. UCUM units are converted, others stay as written."""
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) == 1:
        return amount(code, parts[0])
    if len(parts) != 3 or not parts[2]:
        raise Wrong(f"{code} needs [number] or [number]|[system]|[code]")
    asked = amount(code, parts[0])
    factor, unit = converted(f"{parts[1]}|{parts[2]}")
    if factor is None:
        return replace(asked, unit=unit)
    value, low, high = (ucum.EXACT.multiply(each, factor) for each in (asked.value, asked.low, asked.high))
    return Amount(asked.prefix, value, low, high, unit)
