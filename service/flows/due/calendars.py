"""An agency's calendar is data: set while the service runs, it counts from the next look at each case."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from service.coordination.calendar import BadCalendar, Calendar, calendar
from service.flows.audit.witness import act
from service.flows.context import Context
from service.flows.due.gather import calendar_of
from service.kernel.failures import Refused
from service.store import partners, timers
from service.store.partners import Partner

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


async def home_of(connection: Any, name: str) -> Partner:
    """The case-management system of this name; without one, ours."""
    found = await partners.named(connection, name) if name else await partners.home(connection)
    if found is None or "casework" not in found.roles:
        raise Refused("absent", "there is no case-management system of this name; casebridge partner list")
    return found


async def show_calendar(context: Context, name: str = "") -> Calendar:
    """The calendar by which days are counted for this system's clients."""
    async with context.database.reading() as connection:
        home = await home_of(connection, name)
        return await calendar_of(context, connection, home.client_id)


async def set_calendar(
    context: Context,
    name: str,
    zone: str | None,
    week: Sequence[str],
    add: Sequence[str],
    remove: Sequence[str],
) -> tuple[Calendar, int]:
    """Change what is said and keep the rest. Returns the calendar and how many cases are looked at again.
    Refused("unprocessable") naming what is no zone, weekday or date."""
    async with context.database.unit() as unit:
        home = await home_of(unit, name)
        now = await calendar_of(context, unit, home.client_id)
        days = {WEEKDAYS.index(_weekday(each)) for each in week} or now.working
        holidays = (now.holidays | {*map(_date, add)}) - {*map(_date, remove)}
        try:
            wanted = calendar(zone or now.zone, days, holidays)
        except BadCalendar as bad:
            raise Refused("unprocessable", str(bad)) from bad
        await timers.set_calendar(
            unit, home.client_id, wanted.zone, sorted(wanted.working), sorted(wanted.holidays)
        )
        unit.audit(act(context, "administration", "calendar-set", about=[home.organization]))
        return wanted, await timers.look_at_all(unit)


def _weekday(word: str) -> str:
    if word not in WEEKDAYS:
        raise Refused("unprocessable", f"a weekday is one of {', '.join(WEEKDAYS)}")
    return word


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("unprocessable", "a holiday is written as 2026-05-25") from None
