"""FHIR dates as stretches of time: `2026-03` begins with March and ends with April.

https://hl7.org/fhir/R4/datatypes.html#dateTime, #Period: an end date includes the whole of that day.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?\Z")


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to but not including `end`; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Is `moment` inside?"""
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)

    def contains(self, other: "Span") -> bool:
        """Is all of `other` inside?"""
        begins = self.start is None or (other.start is not None and self.start <= other.start)
        ends = self.end is None or (other.end is not None and other.end <= self.end)
        return begins and ends

    def meets(self, other: "Span") -> bool:
        """Do the two share an instant?"""
        apart = _before(self.end, other.start) or _before(other.end, self.start)
        return not apart


def _before(end: datetime | None, start: datetime | None) -> bool:
    return end is not None and start is not None and end <= start


def span(text: object, zone: tzinfo = UTC) -> Span | None:
    """A FHIR date, dateTime or instant as the stretch it names; None if it is none of these.

    Dates without a zone are days of `zone`, the organisation's own.
    """
    if not isinstance(text, str):
        return None
    try:
        return _day(text, zone) or _moment(text)
    except (ValueError, OverflowError):
        return None


def period(value: object, zone: tzinfo = UTC) -> Span | None:
    """A FHIR Period; None if malformed or if a bound cannot be read."""
    if not isinstance(value, dict):
        return None
    start, end = span(value.get("start"), zone), span(value.get("end"), zone)
    if ("start" in value and start is None) or ("end" in value and end is None):
        return None
    return Span(start.start if start else None, end.end if end else None)


def _day(text: str, zone: tzinfo) -> Span | None:
    match = _DATE.match(text)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    first = datetime(year, month or 1, day or 1, tzinfo=zone)
    last_month = month or 12
    last_day = day or calendar.monthrange(year, last_month)[1]
    after = datetime(year, last_month, last_day, tzinfo=zone) + timedelta(days=1)
    return Span(first.astimezone(UTC), after.astimezone(UTC))


def _moment(text: str) -> Span | None:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return None
    width = timedelta(milliseconds=1) if "." in text else timedelta(seconds=1)
    return Span(moment.astimezone(UTC), moment.astimezone(UTC) + width)
