"""An agency's calendar: its time zone, its working week, its holidays; and what "two working days" means in it.

The standards count in working days, calendar months and hours (CASEWORK.md §4.1). Days and months are counted on the
agency's own dates and end with the day; hours are counted on the clock and end at their instant.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WEEK = frozenset({0, 1, 2, 3, 4})
"""Monday to Friday, as `date.weekday()` counts."""


class BadCalendar(ValueError):
    """What is wrong with a calendar, for the operator who wrote it."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """`working`: the weekdays worked (Monday is 0). `holidays`: dates not worked whatever their weekday."""

    zone: str = "America/Chicago"
    working: frozenset[int] = WEEK
    holidays: frozenset[date] = frozenset()

    def day_of(self, moment: datetime) -> date:
        """The agency's date at this instant."""
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def works(self, day: date) -> bool:
        """Is this a working day?"""
        return day.weekday() in self.working and day not in self.holidays

    def start_of(self, day: date) -> datetime:
        """The first instant of the day, in UTC."""
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)

    def end_of(self, day: date) -> datetime:
        """The first instant after the day, in UTC: what is due on a day is overdue from then on."""
        return self.start_of(day + timedelta(days=1))


def calendar(zone: str, working: Iterable[int] = WEEK, holidays: Iterable[date] = ()) -> Calendar:
    """A calendar that can be used; BadCalendar for an unknown zone or a week without a working day."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadCalendar(f"{zone} is not a time zone of the IANA database") from None
    week = frozenset(working)
    if not week or not week <= frozenset(range(7)):
        raise BadCalendar("the working week names at least one weekday, Monday (0) to Sunday (6)")
    return Calendar(zone, week, frozenset(holidays))


def working_days(day: date, count: int, calendar: Calendar) -> date:
    """The `count`-th working day after `day`; for a negative count, before it. Zero: `day`, or the next working day.

    The day of the event does not count, as COA's "within 15 working days" is read.
    """
    if count == 0:
        return day if calendar.works(day) else working_days(day, 1, calendar)
    step, left = timedelta(days=1 if count > 0 else -1), abs(count)
    for _ in range(366 * (left + 2)):
        day += step
        left -= calendar.works(day)
        if left == 0:
            return day
    raise BadCalendar("the calendar has no working day within a year")


def months(day: date, count: int) -> date:
    """The same day of the month `count` months later (or earlier); the month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + count
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
