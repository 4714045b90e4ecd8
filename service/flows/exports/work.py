"""A worker finds what an export holds: a page, a commit, the next page. Killed at any moment, another goes on behind
the last page that was committed; nothing is found twice."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from service.flows.audit.disclosed import held_back
from service.flows.context import Context
from service.flows.exports.look import Seen, exporter, look
from service.kernel.events import log
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.store import exports, partners
from service.store.exports import Export
from service.store.partners import Partner

LEASE = timedelta(seconds=60)
PAGES = 20
"""Pages in a row, before other exports have their turn."""
TRIES = 5
"""A page that fails so often is not to be had."""


@dataclass(frozen=True, slots=True)
class Work:
    """A leased export; `partner` is whom the work concerns."""

    export: Export

    @property
    def partner(self) -> str:
        """The partner's client_id."""
        return self.export.partner


async def take_exports(context: Context, worker: int, free: int, busy: Sequence[str]) -> list[Work]:
    """Lease up to `free` exports that have something left to do."""
    now = context.clock()
    async with context.database.unit() as unit:
        found = await exports.lease(unit, now, now + LEASE, f"{worker}:{new_id()}", free, busy)
    return [Work(each) for each in found]


async def export(context: Context, work: Work) -> str:
    """Go on with it; returns what came of it: more, complete, failed, dropped or lost."""
    one: Export | None = work.export
    assert one is not None
    async with context.database.reading() as connection:
        partner = await partners.find(connection, one.partner)
    if partner.disabled_at is not None:
        async with context.database.unit() as unit:
            await exports.drop(unit, one.id, one.partner)
        return _told(one, "dropped")
    if one.attempts > TRIES:
        return await _failed(context, one, "a page of this export could not be read; please ask again")
    for _ in range(PAGES):
        if one.step == len(one.steps):
            return await _finished(context, one)
        try:
            following = await _page(context, partner, one)
        except Refused as refused:
            return await _failed(context, one, refused.text)
        if following is None:
            return _told(one, "lost")
        one = following
        await asyncio.sleep(0)
    async with context.database.unit() as unit:
        await exports.give_up(unit, one, context.clock())
    return "more"


async def _page(context: Context, partner: Partner, one: Export) -> Export | None:
    seen = await look(context, exporter(partner, one), one, one.steps[one.step], one.place)
    await _testify(context, partner, one, seen)
    async with context.database.unit() as unit:
        until = context.clock() + LEASE
        return await exports.page(unit, one, [row.id for row in seen.rows], seen.following, until)


async def _testify(context: Context, partner: Partner, one: Export, seen: Seen) -> None:
    """What consent held back is on the audit trail; nothing has left yet."""
    grounds = dict.fromkeys(seen.trail.withheld.values())
    if grounds:
        rows = [held_back(context.clock(), partner, f"export/{one.id}", each) for each in grounds]
        await context.database.record(rows)


async def _finished(context: Context, one: Export) -> str:
    expires = context.clock() + timedelta(hours=context.settings.export_hours)
    async with context.database.unit() as unit:
        return _told(one, "complete" if await exports.finish(unit, one, expires) else "lost")


async def _failed(context: Context, one: Export, why: str) -> str:
    async with context.database.unit() as unit:
        await exports.fail(unit, one, why)
    return _told(one, "failed")


def _told(one: Export, outcome: str) -> str:
    log("export", partner=one.partner, step=one.step, outcome=outcome)
    return outcome
