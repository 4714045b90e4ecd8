"""Housekeeping: what has expired is removed, and what a dead worker held is given back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from service.fhir.json import encode
from service.flows.advance_referral import task_of
from service.flows.context import Context
from service.kernel.clock import instant
from service.store import (
    exports,
    guests,
    keys,
    loops,
    messages,
    offers,
    outbox,
    partners,
    records,
    resources,
    sessions,
    subscriptions,
    tokens,
    webhooks,
)
from service.store.unit import Told

_KEEP = timedelta(minutes=10)
_REMEMBERED = timedelta(days=30)
"""For how long a message is known again: ten times as long as anybody tries to send one."""


async def sweep(context: Context) -> None:
    """Forget expired access tokens, used assertions, our keys of long ago, old events, exports and sessions that are
    over."""
    kept = timedelta(days=context.settings.subscription_days)
    async with context.database.unit() as unit:
        await subscriptions.forget(unit, context.clock() - kept)
        await messages.sweep(unit, context.clock() - _REMEMBERED)
        await tokens.sweep(unit, context.clock() - _KEEP)
        await guests.sweep(unit, context.clock() - _KEEP)
        await sessions.sweep(unit, context.clock() - _KEEP)
        await keys.sweep(unit, context.clock())
        await exports.sweep(unit, context.clock(), context.clock() - _KEEP)


async def tell_stalled(context: Context) -> int:
    """The case manager hears of each referral in which nothing has moved for a while, once; returns how many."""
    now = context.clock()
    since = now - timedelta(days=context.settings.stalled_days)
    async with context.database.unit() as unit:
        found = await loops.stalled(unit, now, since)
        for loop in found:
            partner = await partners.find(unit, loop.partner)
            body = {"kind": "referral-stalled", "at": instant(now), "referral": loop.record}
            body |= {"direction": loop.direction, "partner": partner.name, "status": loop.status}
            body |= {"since": instant(loop.updated)}
            client = await records.becoming(unit, loop.source, loop.patient)
            told = body | ({"client": client.id} if client else {})
            unit.tell(Told(loop.source, "referral-stalled", now, encode(told)))
    return len(found)


async def tell_unclaimed(context: Context) -> int:
    """The case manager hears of each open referral that nobody has claimed within its term (`answerBy`, else as
    stalled referrals), once an offer; returns how many."""
    now = context.clock()
    since = now - timedelta(days=context.settings.stalled_days)
    told = 0
    async with context.database.unit() as unit:
        for each in await offers.unclaimed(unit, now, since):
            row = next(iter(await resources.known(unit, [("Task", each.task)], None)), None)
            if row is None or row.deleted or task_of(row)["status"] != "requested":
                continue
            record = await records.becoming(unit, row.author, row.reference)
            if record is None:
                continue
            client = await records.becoming(unit, row.author, row.patient) if row.patient else None
            body = {"kind": "referral-unclaimed", "at": instant(now), "referral": record.id}
            body |= {"direction": "outbound", "status": "requested", "since": instant(each.since)}
            said = {**body, "offeredTo": each.partners} | ({"client": client.id} if client else {})
            unit.tell(Told(row.author, "referral-unclaimed", now, encode(said)))
            told += 1
    return told


async def give_back(context: Context) -> int:
    """Make due again what workers that are no more had leased; returns how many rows."""
    async with context.database.unit() as unit:
        given = await outbox.orphans(unit) + await webhooks.orphans(unit, outbox.WORKERS)
        given += await exports.orphans(unit, outbox.WORKERS)
        return given + await subscriptions.orphans(unit, outbox.WORKERS)


@asynccontextmanager
async def living(context: Context, worker: int, heard: Callable[[], None]) -> AsyncIterator[asyncio.Event]:
    """While entered, this worker counts as alive and hears of new deliveries; the event is set if that is lost."""
    async with context.database.listening("deliveries", heard) as (connection, lost):
        await outbox.alive(connection, worker)
        yield lost
