"""Dates, dateTimes and times with the precision they were written in.

http://hl7.org/fhirpath/N1/#datetime-equality: values of different precision that agree as far as both go
are neither equal nor different; the answer is "unknown" (None).
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from service.fhir.fhirpath.errors import BadExpression, EvaluationError
from service.fhir.fhirpath.quantity import Quantity

_MOMENT = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?"
    r"(T(?:([0-9]{2})(?::([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,12})?))?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?"
)
_TIME = re.compile(r"([0-9]{2})(?::([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,12})?))?)?")
_FIELDS = ("year", "month", "day", "hour", "minute", "second")
_DAY = 3


@dataclass(frozen=True, slots=True)
class Temporal:
    """`kind` is date, dateTime or time; `parts` from the largest down, `offset` in minutes."""

    kind: str
    parts: tuple[int | Decimal, ...]
    offset: int | None = None

    def __str__(self) -> str:
        if self.kind == "time":
            return _clock(self.parts)
        text = "-".join(f"{part:0{4 if at == 0 else 2}d}" for at, part in enumerate(self.parts[:_DAY]))
        if len(self.parts) > _DAY:
            return text + "T" + _clock(self.parts[_DAY:]) + _zone(self.offset)
        return text


def _clock(parts: tuple[int | Decimal, ...]) -> str:
    texts = [f"{int(part):02d}" for part in parts]
    if len(parts) == _DAY and "." in (second := str(parts[2])):
        texts[2] += "." + second.partition(".")[2]
    return ":".join(texts)


def _zone(offset: int | None) -> str:
    if offset is None:
        return ""
    hours, minutes = divmod(abs(offset), 60)
    return "Z" if offset == 0 else f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


@lru_cache(maxsize=4096)
def parse(text: str) -> Temporal | None:
    """A FHIR date, dateTime or instant, or None when the text is none or names no day of the calendar."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    year, month, day, timed, hour, minute, second, zone = found.groups()
    parts = _numbers(year, month, day, hour, minute, second)
    if not _exists(parts) or (hour and not day):
        return None
    offset = None if zone is None else _offset(zone)
    return Temporal("dateTime" if timed else "date", parts, offset)


@lru_cache(maxsize=1024)
def parse_time(text: str) -> Temporal | None:
    """A FHIR time (`12:30:00`), or None."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    parts = _numbers(*found.groups())
    return Temporal("time", parts) if _exists((2000, 1, 1, *parts)) else None


def literal(text: str, at: int) -> Temporal:
    """What follows the `@` of a literal."""
    moment = parse_time(text[1:]) if text.startswith("T") else parse(text)
    if moment is None:
        raise BadExpression("no such date or time", at)
    return moment


def _numbers(*texts: str | None) -> tuple[int | Decimal, ...]:
    return tuple(Decimal(text) if "." in text else int(text) for text in texts if text is not None)


def _exists(parts: tuple[int | Decimal, ...]) -> bool:
    filled = [*(int(part) for part in parts), *(2000, 1, 1)[len(parts) :]]
    try:
        datetime(*filled)  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return False
    return True


def _offset(zone: str) -> int:
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes


def order(left: Temporal, right: Temporal) -> int | None:
    """-1, 0 or 1; None when the precisions do not decide it or a date meets a time of day."""
    if (left.kind == "time") != (right.kind == "time"):
        return None
    depth = 6
    if left.offset != right.offset:
        if left.offset is not None and right.offset is not None:
            left, right = _utc(left), _utc(right)
        else:
            depth = _DAY
    for one, other in zip(left.parts[:depth], right.parts[:depth], strict=False):
        if one != other:
            return -1 if one < other else 1
    if depth == _DAY and (len(left.parts) > _DAY and len(right.parts) > _DAY):
        return None
    return 0 if len(left.parts) == len(right.parts) else None


def _utc(moment: Temporal) -> Temporal:
    if not moment.offset or len(moment.parts) < 5:
        return moment
    year, month, day, hour, minute = (int(part) for part in moment.parts[:5])
    try:
        moved = datetime(year, month, day, hour, minute) - timedelta(minutes=moment.offset)  # noqa: DTZ001
    except OverflowError:
        return moment
    start = (moved.year, moved.month, moved.day, moved.hour, moved.minute)
    return Temporal(moment.kind, start + moment.parts[5:], 0)


def add(moment: Temporal, span: Quantity, sign: int) -> Temporal | None:
    """`moment ± span`; the span counts in whole steps of the moment's precision. None off the calendar."""
    unit = span.calendar
    if unit is None or (moment.kind == "time" and unit in ("year", "month", "week", "day")):
        raise EvaluationError("only a span of time can be added to a date or time")
    try:
        return _added(moment, span.value * sign, unit)
    except (OverflowError, ValueError, ArithmeticError):
        return None


def _added(moment: Temporal, count: Decimal, unit: str) -> Temporal:
    if unit in ("year", "month"):
        return _months(moment, int(count) * (12 if unit == "year" else 1))
    if moment.kind != "time" and len(moment.parts) < _DAY:
        days = int(count * _SECONDS[unit] / 86400)
        return _months(moment, int(days / 365) * 12 if len(moment.parts) == 1 else int(days / 30))
    return _seconds(moment, count, unit)


_SECONDS = {
    "week": Decimal(604800),
    "day": Decimal(86400),
    "hour": Decimal(3600),
    "minute": Decimal(60),
    "second": Decimal(1),
    "millisecond": Decimal("0.001"),
}


def _months(moment: Temporal, count: int) -> Temporal:
    year, month, day = (*moment.parts[:_DAY], *(1, 1, 1)[len(moment.parts) :])[:_DAY]
    if len(moment.parts) == 1:
        count = int(count / 12) * 12
    whole = int(year) * 12 + int(month) - 1 + count
    year, month = whole // 12, whole % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day if year < 9999 else 28
    start = (year, month, min(int(day), last))[: len(moment.parts)]
    return Temporal(moment.kind, start + moment.parts[_DAY:], moment.offset)


def _seconds(moment: Temporal, count: Decimal, unit: str) -> Temporal:
    parts = moment.parts if moment.kind != "time" else (2000, 1, 1, *moment.parts)
    filled = (*parts, *(0, 0, 0)[len(parts) - _DAY :])
    whole = count if unit in ("second", "millisecond") else Decimal(int(count))
    second = Decimal(filled[5]) % 1 + whole * _SECONDS[unit]
    start = datetime(*(int(part) for part in filled))  # type: ignore[arg-type]  # noqa: DTZ001
    moved = start + timedelta(seconds=int(second // 1))
    rest = second % 1
    last = moved.second + rest if rest or isinstance(filled[5], Decimal) else moved.second
    ended = (moved.year, moved.month, moved.day, moved.hour, moved.minute, last)
    kept = ended[: len(parts)]
    return Temporal(moment.kind, kept if moment.kind != "time" else kept[_DAY:], moment.offset)


def of_datetime(now: datetime) -> Temporal:
    """A clock's reading as a FHIRPath dateTime."""
    second = Decimal(now.second) + Decimal(now.microsecond // 1000) / 1000
    delta = now.utcoffset()
    offset = None if delta is None else int(delta.total_seconds() // 60)
    return Temporal("dateTime", (now.year, now.month, now.day, now.hour, now.minute, second), offset)
