"""Housekeeping: what has expired and can never count again is removed."""

from datetime import timedelta

from service.flows.context import Context
from service.store import tokens

_KEEP = timedelta(minutes=10)


async def sweep(context: Context) -> int:
    """Forget expired access tokens and used assertions. Returns 0: there is never more to do at once."""
    async with context.database.unit() as unit:
        await tokens.sweep(unit, context.clock() - _KEEP)
    return 0
