"""A partner tells us that something happened to our referrals: kept before it is answered, and only once in effect.

A notification is a hint. What changed is read from the partner's server with our own token (flows/follow_tasks), so
that a forged or repeated one costs a look and changes nothing.
"""

import hmac
from collections.abc import Sequence

from service.fhir.json import JsonObject
from service.fhir.subscriptions.notice import Event, Heard, heard
from service.flows.context import Context
from service.kernel.events import log
from service.kernel.failures import Refused
from service.store import listening, partners, tokens
from service.store.listening import Listening
from service.store.unit import Unit

MAX_BYTES = 1_000_000
LONGEST_HANDLE = 64


def nobody() -> Refused:
    """The same for an unknown handle and for a wrong secret."""
    return Refused("absent", "this path does not exist here")


async def hear(context: Context, handle: str, secret: str, bundle: JsonObject) -> str:
    """Take one notification; answers what it came to: known, new or gap. Refused: absent, invalid (422)."""
    async with context.database.unit() as unit:
        one = await listening.by_handle(unit, handle) if len(handle) <= LONGEST_HANDLE else None
        if one is None or not hmac.compare_digest(one.digest, tokens.digest(secret)):
            raise nobody()
        told = heard(bundle)
        _expect_ours(one, told)
        word = await _take(context, unit, one, told)
    log("partner-heard", partner=one.partner, kind=told.kind, number=told.counter, outcome=word)
    return word


def _expect_ours(one: Listening, told: Heard) -> None:
    """Of the Subscription we asked for; of an older one of ours nothing is taken."""
    if one.remote is not None and told.subscription.rpartition("/")[2] != one.remote.rpartition("/")[2]:
        raise Refused("invalid", "this is not the Subscription that is listened for here")


async def _take(context: Context, unit: Unit, one: Listening, told: Heard) -> str:
    now = context.clock()
    if told.kind == "handshake":
        await listening.heard(
            unit, one.partner, one.heard, missing=one.missing, active=True, now=now, wake=False
        )
        return "known"
    unheard = [each for each in told.events if each.number > one.heard]
    last = max((each.number for each in unheard), default=one.heard)
    whole = not unheard or min(each.number for each in unheard) == one.heard + 1
    known = last if whole else one.heard
    gap = not whole or told.counter > max(known, last)
    active = told.status == "active"
    await listening.heard(unit, one.partner, known, missing=one.missing or gap, active=active, now=now)
    if unheard:
        await look(context, unit, one.partner, unheard)
    return "gap" if gap else "new" if unheard else "known"


async def look(context: Context, unit: Unit, partner_id: str, events: Sequence[Event]) -> None:
    """Read what the events are about; all our open Tasks there, where one does not say."""
    partner = await partners.find(unit, partner_id)
    base = (partner.fhir_base or "").rstrip("/")
    named = [each.focus if "://" in each.focus else f"{base}/{each.focus}" for each in events if each.focus]
    tasks = named if len(named) == len(events) else None
    await listening.look_at(unit, partner_id, tasks, context.clock())
