"""Amounts with a unit, comparable where the units are the same or convert by a plain factor."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

CALENDAR = {
    "year": "year", "years": "year", "month": "month", "months": "month", "week": "week", "weeks": "week",
    "day": "day", "days": "day", "hour": "hour", "hours": "hour", "minute": "minute", "minutes": "minute",
    "second": "second", "seconds": "second", "millisecond": "millisecond", "milliseconds": "millisecond",
}  # fmt: skip
# UCUM's year and month are fixed numbers of seconds, so they do not count calendar years and months.
_CALENDAR_OF_UCUM = {
    "wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond",
}  # fmt: skip

_FACTORS: dict[str, tuple[str, str]] = {
    "kg": ("g", "1000"), "g": ("g", "1"), "mg": ("g", "0.001"), "ug": ("g", "0.000001"),
    "ng": ("g", "0.000000001"), "[lb_av]": ("g", "453.59237"), "[oz_av]": ("g", "28.349523125"),
    "km": ("m", "1000"), "m": ("m", "1"), "cm": ("m", "0.01"), "mm": ("m", "0.001"), "um": ("m", "0.000001"),
    "[in_i]": ("m", "0.0254"), "[ft_i]": ("m", "0.3048"), "[mi_i]": ("m", "1609.344"),
    "L": ("L", "1"), "l": ("L", "1"), "dL": ("L", "0.1"), "mL": ("L", "0.001"), "ml": ("L", "0.001"),
    "uL": ("L", "0.000001"),
    "wk": ("s", "604800"), "d": ("s", "86400"), "h": ("s", "3600"), "min": ("s", "60"), "s": ("s", "1"),
    "ms": ("s", "0.001"), "week": ("s", "604800"), "day": ("s", "86400"), "hour": ("s", "3600"),
    "minute": ("s", "60"), "second": ("s", "1"), "millisecond": ("s", "0.001"),
    "year": ("year", "12"), "month": ("year", "1"), "a": ("a", "1"), "mo": ("mo", "1"),
    "%": ("1", "0.01"), "1": ("1", "1"), "": ("1", "1"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """`value` in `unit`: a UCUM code, or a calendar word in the singular (`year`)."""

    value: Decimal
    unit: str

    @property
    def calendar(self) -> str | None:
        """The span of time this counts in, or None."""
        return self.unit if self.unit in CALENDAR else _CALENDAR_OF_UCUM.get(self.unit)

    def __str__(self) -> str:
        shown = self.unit if self.unit in CALENDAR else f"'{self.unit}'"
        return f"{self.value} {shown}"


def of_json(value: dict[str, Any]) -> Quantity | None:
    """A FHIR Quantity element, or None when it holds no amount."""
    amount = value.get("value")
    if type(amount) is int or isinstance(amount, Decimal):
        return Quantity(Decimal(amount), value.get("code") or value.get("unit") or "")
    return None


def aligned(left: Quantity, right: Quantity) -> tuple[Decimal, Decimal] | None:
    """Both amounts in one unit, or None when the units do not convert."""
    if left.unit == right.unit:
        return left.value, right.value
    one, other = _FACTORS.get(left.unit), _FACTORS.get(right.unit)
    if one is None or other is None or one[0] != other[0]:
        return None
    return left.value * Decimal(one[1]), right.value * Decimal(other[1])
