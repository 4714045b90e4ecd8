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


async def _agency(connection: Any, name: str) -> Partner:
    """Any partner: while its case managers lead, its calendar counts."""
    found = await partners.named(connection, name) if name else None
    return found or await home_of(connection, name)


async def show_calendar(context: Context, name: str = "") -> Calendar:
    """The calendar by which days are counted for the clients whom this agency leads; the home agency's until it has one
    of its own."""
    async with context.database.reading() as connection:
        return await _now(context, connection, await _agency(connection, name))


async def _now(context: Context, connection: Any, agency: Partner) -> Calendar:
    own = await timers.calendar(connection, agency.client_id)
    if own:
        return calendar(*own)
    return await calendar_of(context, connection, (await home_of(connection, "")).client_id)


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
        agency = await _agency(unit, name)
        now = await _now(context, unit, agency)
        days = {WEEKDAYS.index(_weekday(each)) for each in week} or now.working
        holidays = (now.holidays | {*map(_date, add)}) - {*map(_date, remove)}
        try:
            wanted = calendar(zone or now.zone, days, holidays)
        except BadCalendar as bad:
            raise Refused("unprocessable", str(bad)) from bad
        await timers.set_calendar(
            unit, agency.client_id, wanted.zone, sorted(wanted.working), sorted(wanted.holidays)
        )
        unit.audit(act(context, "administration", "calendar-set", about=[agency.organization]))
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
