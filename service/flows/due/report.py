"""Reports over all clients, computed from what is filed: timeliness of every timer, caseloads and contacts."""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from service.coordination import timers as table
from service.coordination.calendar import months
from service.coordination.caseload import Load, caseload
from service.coordination.stages import outcome
from service.coordination.timers import Due
from service.flows.context import Context
from service.flows.due import gather
from service.flows.due.calendars import home_of
from service.flows.due.gather import Known
from service.kernel.failures import Refused
from service.kernel.ids import derived_id
from service.store import leads, timers


@dataclass(frozen=True, slots=True)
class Timeliness:
    """One timer over all clients. `share`: on time, in percent of what was done or should have been by now."""

    timer: str
    what: str
    on_time: int
    late: int
    overdue: int
    missed: int
    open: int
    moot: int
    share: float | None


async def timeliness(
    context: Context, since: date | None = None, until: date | None = None
) -> list[Timeliness]:
    """Every timer, in the order of the table; with `since` or `until` what was due on those days of the agency."""
    now = context.clock()
    async with context.database.reading() as connection:
        home = await home_of(connection, "")
        days = await gather.calendar_of(context, connection, home.client_id)
        everybody = await gather.everybody(connection, home.client_id, days)
        closed = await timers.by_hand(connection)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for known in everybody:
        for item in table.due(known.case, days, now, context.timers):
            last = days.day_of(item.last)
            if (since is None or last >= since) and (until is None or last <= until):
                counts[item.timer][outcome(with_hand(known, item, closed), now)] += 1
    return [_line(row, counts[row.id]) for row in table.rows.values() if row.shape != "none"]


def with_hand(known: Known, item: Due, closed: dict[str, Any]) -> Due:
    """An item that a person closed in its Task was done then."""
    moment = closed.get(derived_id("due", known.source, known.client.id, item.timer, item.subject))
    if moment is None or (item.ended is not None and item.ended <= moment):
        return item
    return replace(item, closed=moment, known=moment)


def _line(row: table.Row, count: Counter[str]) -> Timeliness:
    owed = sum(count[name] for name in ("on time", "late", "overdue", "missed"))
    return Timeliness(
        row.id, row.rule, count["on time"], count["late"], count["overdue"], count["missed"], count["open"],
        count["moot"], round(100 * count["on time"] / owed, 1) if owed else None,
    )  # fmt: skip


async def caseloads(context: Context, month: str | None = None) -> list[Load]:
    """Every case manager who leads a case at the end of the month (`2026-06`; now when left out), or led it when it was
    closed."""
    now = context.clock()
    async with context.database.reading() as connection:
        home = await home_of(connection, "")
        days = await gather.calendar_of(context, connection, home.client_id)
        try:
            day = date.fromisoformat(f"{month}-01") if month else days.day_of(now)
        except ValueError:
            raise Refused("unprocessable", "a month is written as 2026-06") from None
        ends = days.start_of(months(day.replace(day=1), 1))
        led = await leads.led(connection, home.client_id, min(ends, now))
        everybody = await gather.everybody(connection, home.client_id, days)
    cases = (replace(known.case, lead=led.get(known.patient, known.case.lead)) for known in everybody)
    return caseload(cases, day)
