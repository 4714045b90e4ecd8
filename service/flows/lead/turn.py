"""A leave begins, a leave is over: the lead returns by itself, the case-management system hears of both, and what is
due goes to who stands in, and back."""

from service.flows.context import Context
from service.flows.lead.steer import in_words, tell
from service.kernel.clock import instant
from service.store import leads, timers


async def turn_covers(context: Context) -> int:
    """Tell of the covers that have begun or ended since the last look; returns how many."""
    now = context.clock()
    async with context.database.unit() as unit:
        turned = await leads.turned(unit, now)
        for case, cover, began in turned:
            said = {**in_words(cover.worker), "start": instant(cover.starts), "end": instant(cover.ends)}
            await tell(unit, case, "cover-began" if began else "cover-ended", now, more={"cover": said})
            await timers.stir(unit, case.patient)
    return len(turned)
