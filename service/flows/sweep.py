"""Housekeeping: what has expired is removed, and what a dead worker held is given back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from service.flows.context import Context
from service.store import outbox, tokens, webhooks

_KEEP = timedelta(minutes=10)


async def sweep(context: Context) -> None:
    """Forget expired access tokens and used assertions."""
    async with context.database.unit() as unit:
        await tokens.sweep(unit, context.clock() - _KEEP)


async def give_back(context: Context) -> int:
    """Make due again what workers that are no more had leased; returns how many rows."""
    async with context.database.unit() as unit:
        return await outbox.orphans(unit) + await webhooks.orphans(unit, outbox.WORKERS)


@asynccontextmanager
async def living(context: Context, worker: int, heard: Callable[[], None]) -> AsyncIterator[asyncio.Event]:
    """While entered, this worker counts as alive and hears of new deliveries; the event is set if that is lost."""
    async with context.database.listening("deliveries", heard) as (connection, lost):
        await outbox.alive(connection, worker)
        yield lost
