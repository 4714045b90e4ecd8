"""Where a due item stands at an instant, what that is called when it is told, and when to look again."""

from datetime import datetime
from typing import Final, Literal

from service.coordination.calendar import Calendar, months
from service.coordination.timers import Due

Stage = Literal["ahead", "soon", "due", "overdue", "escalated", "closed", "moot"]
Outcome = Literal["on time", "late", "open", "overdue", "missed", "moot"]

RANKS: Final = ("ahead", "soon", "due", "overdue", "escalated")
TOLD: Final = {
    "soon": "due-soon",
    "due": "due",
    "overdue": "overdue",
    "escalated": "escalated",
    "closed": "due-closed",
    "moot": "due-closed",
}
"""Stage → the event the casework system is told."""


def stage(item: Due, now: datetime) -> Stage:
    """Where it stands."""
    if _over(item, now):
        return "closed" if item.closed == item.ended else "moot"
    for name, moment in (
        ("escalated", item.escalates), ("overdue", item.due), ("due", item.last), ("soon", item.soon),
    ):  # fmt: skip
        if now >= moment:
            return name  # type: ignore[return-value]
    return "ahead"


def _over(item: Due, now: datetime) -> bool:
    return item.known is not None and item.known <= now


def next_look(items: list[Due], now: datetime, calendar: Calendar) -> datetime:
    """When something changes by time alone; at the latest when the agency's next month begins, whose contacts count."""
    month = months(calendar.day_of(now).replace(day=1), 1)
    moments = (
        moment
        for item in items
        for moment in (item.soon, item.last, item.due, item.escalates, item.known)
        if moment is not None and moment > now
    )
    return min((*moments, calendar.start_of(month)))


def outcome(item: Due, now: datetime) -> Outcome:
    """What a report says of it: done in time, done late, not yet due, overdue, missed, or moot before it was due."""
    ended = item.ended
    if ended is None or not _over(item, now):
        return "overdue" if now >= item.due else "open"
    if item.closed == ended:
        return "on time" if item.closed < item.due else "late"
    return "missed" if ended >= item.due else "moot"
