"""The outbox for people: what is in it, and making settled rows due again."""

from typing import Any

from service.flows.audit.witness import act
from service.flows.context import Context
from service.kernel.failures import Refused
from service.store import outbox
from service.store.outbox import Wanted

STATES = ("pending", "delivered", "failing", "dead", "withheld")


async def listing(context: Context, partner: str | None, state: str | None) -> list[dict[str, Any]]:
    """Deliveries, newest first, optionally of one partner (by name) or in one state."""
    if state is not None and state not in STATES:
        raise Refused("malformed", f"status is one of {', '.join(STATES)}")
    async with context.database.reading() as connection:
        return await outbox.listing(connection, partner, state)


async def replay(context: Context, wanted: Wanted, *, dry: bool = False) -> list[str]:
    """The wanted rows become due now; returns their ids. A `dry` run only returns them.

    What was delivered stays so unless `delivered` is asked for by name; sending it again makes nothing twice.
    """
    if wanted.state is not None and wanted.state not in STATES:
        raise Refused("malformed", f"status is one of {', '.join(STATES)}")
    now = context.clock()
    if dry:
        async with context.database.reading() as connection:
            return await outbox.reopenable(connection, now, wanted)
    async with context.database.unit() as unit:
        opened = await outbox.reopen(unit, now, wanted)
        unit.audit(act(context, "administration", "deliveries-replayed", detail=f"{len(opened)} due again"))
    return opened
