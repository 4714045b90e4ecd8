"""FHIR dates as half-open intervals of instants.

`2026` is [2026-01-01T00:00Z, 2027-01-01T00:00Z); seconds span a second, milliseconds a millisecond. A date or
a time without a zone is read as UTC, in resources and in searches alike, for every caller: the one rule that
gives everybody the same answer. An open end of a Period is the beginning or end of time.
https://hl7.org/fhir/R4/search.html#date
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from service.fhir.json import Json

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)

Interval = tuple[datetime, datetime]

_FORM = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?"
    r"(Z|[+-]\d\d:\d\d)?)?)?)?\Z"
)


def interval(text: str) -> Interval | None:
    """The instants a FHIR date, dateTime or instant stands for; None when it is none of these."""
    match = _FORM.match(text)
    if match is None:
        return None
    try:
        return _interval(match)
    except (ValueError, OverflowError):
        return None


def _interval(match: re.Match[str]) -> Interval:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    micro = int(fraction[:6].ljust(6, "0")) if fraction else 0
    leap = second == "60"
    low = datetime(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0),
        59 if leap else int(second or 0), micro, _zone(zone),
    ).astimezone(UTC)  # fmt: skip
    if hour is None:
        return low, _next_day(int(year), month and int(month), day and int(day))
    if second is None:
        return low, _later(low, timedelta(minutes=1))
    if fraction is None:
        return low, _later(low, timedelta(seconds=1))
    return low, _later(low, timedelta(microseconds=10 ** max(0, 6 - len(fraction))))


def _zone(text: str | None) -> timezone:
    if text in (None, "Z"):
        return UTC
    assert text is not None
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _later(low: datetime, span: timedelta) -> datetime:
    return END if END - low <= span else low + span


def _next_day(year: int, month: int | str | None, day: int | str | None) -> datetime:
    if day is not None:
        return _later(datetime(year, int(month or 1), int(day), tzinfo=UTC), timedelta(days=1))
    if month is not None:
        year, month = (year + 1, 1) if int(month) == 12 else (year, int(month) + 1)
    else:
        year, month = year + 1, 1
    return END if year > 9999 else datetime(year, int(month), 1, tzinfo=UTC)


def period(value: Json) -> Interval | None:
    """The instants of a Period; None without a readable start or end, or when it ends before it begins."""
    if not isinstance(value, dict):
        return None
    start, end = (_bound(value, name) for name in ("start", "end"))
    if start is None and end is None:
        return None
    low, high = start[0] if start else BEGINNING, end[1] if end else END
    return (low, high) if low < high else None


def _bound(value: dict[str, Json], name: str) -> Interval | None:
    text = value.get(name)
    return interval(text) if isinstance(text, str) else None
