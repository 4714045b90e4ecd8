"""Put what is committed into the chain, anchor its head outside the database, sign it from time to time."""

import asyncio
from datetime import timedelta
from typing import Any

from service.flows.audit.chain import extend
from service.flows.context import Context
from service.kernel.events import log
from service.store import anchor, seals
from service.store.anchor import Anchor
from service.store.seals import Seal
from service.store.unit import Unit

AT_ONCE = 2000
"""Rows sealed in one transaction."""

CHECKPOINT_ROWS = 10_000
CHECKPOINT_AGE = timedelta(hours=1)


async def seal(context: Context) -> int:
    """Seal everything that waits; returns how many rows. Nothing when another process is at it."""
    total = 0
    while True:
        async with context.database.reading() as connection:
            if not await seals.waiting(connection):
                return total
        done = await _seal_some(context)
        total += done
        if done < AT_ONCE:
            return total


async def _seal_some(context: Context) -> int:
    anchored = await _held(context)
    async with context.database.unit() as unit:
        if not await seals.alone(unit):
            return 0
        before = await seals.head(unit)
        made = extend(before, await seals.take_line(unit, AT_ONCE))
        if not made:
            return 0
        await seals.add(unit, made)
        head, now = made[-1], context.clock()
        last = await seals.last_checkpoint(unit)
        due = last is None or head.seq - last.seq >= CHECKPOINT_ROWS or now - last.at >= CHECKPOINT_AGE
        mark = max(last.seq if last else 0, await _marked(unit, anchored))
        if due:
            await seals.add_checkpoint(unit, anchor.signed(context.settings, head.seq, head.hash, now, mark))
    await _anchor(context, head, head.seq if due else mark)
    if due:
        log("audit-checkpoint", seq=head.seq, hash=head.hash.hex())
    return len(made)


async def _held(context: Context) -> Anchor | None:
    async with context.database.reading() as connection:
        former = anchor.former(context.settings, await seals.former_keys(connection))
    return await asyncio.to_thread(anchor.found, context.settings, former)


async def _stands(connection: Any, held: Anchor) -> bool:
    """Does the chain hold what the anchor knows?"""
    return held.genuine and await seals.hash_at(connection, held.seq) == held.hash


async def _marked(unit: Unit, held: Anchor | None) -> int:
    """The newest checkpoint that the anchor knows: one that was taken away is known to have been."""
    return (held.checkpoint or 0) if held is not None and await _stands(unit, held) else 0


async def _anchor(context: Context, head: Seal, mark: int) -> None:
    """Move the anchor on, unless the chain no longer holds what it stands on: then it stays, as evidence."""
    held = await _held(context)
    if held is not None:
        async with context.database.reading() as connection:
            if not await _stands(connection, held):
                log("audit-broken", seq=held.seq)
                return
    made = anchor.signed(context.settings, head.seq, head.hash, context.clock(), mark)
    await asyncio.to_thread(anchor.place, context.settings, made)
