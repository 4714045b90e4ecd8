"""The first page: which loops are open, and what needs a person."""

from collections import defaultdict
from datetime import timedelta

from service.flows.console.visit import View, Visit
from service.store.console import overview as store

LATELY = timedelta(days=30)


async def show(visit: Visit) -> View:
    """Counts only: nobody is named on this page."""
    now, days = visit.now, visit.context.settings.stalled_days
    async with visit.context.database.reading() as connection:
        found = await store.standing(connection, now - timedelta(days=days), now - LATELY)
    number = {(each.what, each.first, each.second): each.number for each in found}
    by_status: dict[str, dict[str, int]] = {"outbound": defaultdict(int), "inbound": defaultdict(int)}
    for each in found:
        if each.what == "open":
            by_status[each.first][each.second] += each.number
    return {
        "failing": number.get(("delivery", "failing", ""), 0),
        "dead": number.get(("delivery", "dead", ""), 0),
        "withheld": number.get(("delivery", "withheld", ""), 0),
        "pending": number.get(("delivery", "pending", ""), 0),
        "stalled": sum(each.old for each in found if each.what == "open"),
        "stalled_days": f"{days:g}",
        "webhooks": number.get(("webhook", "stopped", ""), 0),
        "disabled": number.get(("partner", "disabled", ""), 0),
        "partners": number.get(("partner", "enabled", ""), 0),
        "open": {side: dict(sorted(rows.items())) for side, rows in by_status.items()},
        "opened": sum(each.number for each in found if each.what == "open"),
        "closed": {(each.first, each.second): each.number for each in found if each.what == "closed"},
        "lately": LATELY.days,
    }
