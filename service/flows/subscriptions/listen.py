"""We subscribe to our referrals' Tasks at a partner, watch over it, and fill by asking what was not told.

New: ask for the Subscription. Asked or active: `$status` says whether it is there, alive and complete. In error: ask it
to begin again. Lost: ask anew. While it is not active, and after every hole, the partner's Tasks are searched by
`_lastUpdated` (flows/subscriptions/poll).
"""

import random
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from service.delivery.outcome import Answer
from service.delivery.retry import backoff
from service.fhir.json import BadJson, JsonObject, decode_object
from service.fhir.subscriptions.asked import PROFILE, TOPIC_EXTENSION
from service.fhir.subscriptions.notice import Heard, heard
from service.flows.context import Context
from service.flows.deliver import peer_of
from service.flows.subscriptions.hear import look
from service.flows.subscriptions.poll import poll
from service.kernel.events import log
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.remote.outside import Outside
from service.remote.partner import Peer, Reply
from service.store import listening, partners, tokens
from service.store.listening import Listening
from service.store.partners import Partner
from service.store.vault import vault

HEARTBEAT = 3_600
SOON = timedelta(seconds=60)
DAILY = timedelta(days=1)
TOPICS = (
    "http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic/Task",
    "https://casebridge.example/fhir/SubscriptionTopic/task",
)
"""Asked for in this order, as far as the partner's CapabilityStatement names them; the first where it names none."""
_BACKPORT = PROFILE.removesuffix("subscription")


async def take_listeners(context: Context, free: int, busy: Sequence[str]) -> list[Listening]:
    """Begin with partners that are new, then take up to `free` that should be looked after."""
    now = context.clock()
    async with context.database.unit() as unit:
        for partner in await listening.strangers(unit):
            secret = secrets.token_urlsafe(32)
            sealed = vault(context.settings).encrypt(secret.encode())
            one = Listening(
                partner, secrets.token_urlsafe(24), sealed, tokens.digest(secret), None, "new", 0, False, None, None,
                now, now, 0, "",
            )  # fmt: skip
            await listening.begin(unit, one)
        return await listening.due(unit, now, timedelta(seconds=60), free, busy)


async def listen(context: Context, outside: Outside, one: Listening) -> str:
    """Look after one; returns the state it is in afterwards."""
    async with context.database.reading() as connection:
        partner = await partners.find(connection, one.partner)
    peer, now = peer_of(partner), context.clock()
    if one.next_look > now:
        state = one.state
    elif one.remote is None:
        state = await _ask(context, outside, one, partner, peer)
    else:
        state = await _watch(context, outside, one, partner, peer)
    if state != "active" and one.next_poll <= now:
        await poll(context, outside, partner, one)
    log("partner-listened", partner=one.partner, outcome=state)
    return state


def _every(context: Context, partner: Partner) -> timedelta:
    return timedelta(seconds=partner.terms.poll or context.settings.poll_seconds)


# asking for it


async def _ask(context: Context, outside: Outside, one: Listening, partner: Partner, peer: Peer) -> str:
    wanted = _wanted(context, one, await _topic(outside, peer))
    reply = await outside.partners.subscribe(wanted, peer, new_id())
    remote = _made(reply)
    if remote is None:
        return await _put_off(context, one, reply)
    async with context.database.unit() as unit:
        await listening.asked(unit, one.partner, remote, context.clock() + SOON, anew=True)
    return "asked"


def _wanted(context: Context, one: Listening, topic: str) -> JsonObject:
    secret = vault(context.settings).decrypt(one.secret).decode()
    origin = context.base.removesuffix("/fhir")
    return {
        "resourceType": "Subscription",
        "meta": {"profile": [PROFILE]},
        "status": "requested",
        "reason": "the course of the referrals that we sent you",
        "criteria": topic,
        "channel": {
            "extension": [{"url": f"{_BACKPORT}heartbeat-period", "valueUnsignedInt": HEARTBEAT}],
            "type": "rest-hook",
            "endpoint": f"{origin}/subscriptions/{one.handle}",
            "header": [f"Authorization: Bearer {secret}"],
            "payload": "application/fhir+json",
            "_payload": {"extension": [{"url": f"{_BACKPORT}payload-content", "valueCode": "id-only"}]},
        },
    }


async def _topic(outside: Outside, peer: Peer) -> str:
    """The topic to ask for, as the partner names it."""
    statement = body_of(await outside.partners.read("metadata", peer, new_id())) or {}
    named = {
        extension.get("valueCanonical")
        for rest in statement.get("rest") or []
        for row in rest.get("resource") or []
        for extension in row.get("extension") or []
        if extension.get("url") == TOPIC_EXTENSION
    }
    return next((each for each in TOPICS if each in named), TOPICS[0])


def _made(reply: Reply) -> str | None:
    """`Subscription/id` of what was created; None when it was not."""
    if not isinstance(reply.result, Answer) or reply.result.status not in (200, 201):
        return None
    id_ = (body_of(reply) or {}).get("id")
    if not isinstance(id_, str):
        place = reply.headers.get("location", "").split("/_history/")[0].rpartition("/")[2]
        id_ = place or None
    return f"Subscription/{id_}" if id_ else None


async def _put_off(context: Context, one: Listening, reply: Reply) -> str:
    """Refused: once a day, for servers learn. No answer: as a delivery would be tried again."""
    refused = isinstance(reply.result, Answer) and 400 <= reply.result.status < 500
    failures, now = one.failures + 1, context.clock()
    wait = DAILY if refused else backoff(failures, random.random()) or DAILY  # noqa: S311 - spreads a wait
    status = reply.result.status if isinstance(reply.result, Answer) else reply.result
    state, why = ("refused" if refused else "error"), f"our Subscription was not taken: {status}"
    async with context.database.unit() as unit:
        await listening.stands(unit, one.partner, state, why, now + wait, failures=failures)
    return state


# watching over it


async def _watch(context: Context, outside: Outside, one: Listening, partner: Partner, peer: Peer) -> str:
    reply = await outside.partners.read(f"{one.remote}/$status", peer, new_id())
    now = context.clock()
    if isinstance(reply.result, Answer) and reply.result.status in (404, 410):
        async with context.database.unit() as unit:
            await listening.lost(unit, one.partner, "the partner has our Subscription no more", now)
        return "new"
    told = _status(reply)
    if told is None:
        return await _put_off_look(context, one, partner, now)
    if told.status in ("error", "off") or _silent(one, now):
        return await _wake(context, outside, one, peer, told.status)
    if told.counter > one.heard or one.missing:
        await _catch_up(context, outside, one, partner, peer, told.counter)
    state = "active" if told.status == "active" else "asked"
    async with context.database.unit() as unit:
        await listening.stands(unit, one.partner, state, "", now + _every(context, partner))
    return state


def _silent(one: Listening, now: datetime) -> bool:
    """Two heartbeats have not come: what the partner sends does not arrive here."""
    return (
        one.state == "active"
        and one.heard_at is not None
        and now - one.heard_at > timedelta(seconds=2 * HEARTBEAT)
    )


def _status(reply: Reply) -> Heard | None:
    """The first entry of a $status answer, which is a searchset."""
    bundle = body_of(reply)
    if bundle is None:
        return None
    try:
        return heard({**bundle, "type": "history"})
    except Refused:
        return None


async def _put_off_look(context: Context, one: Listening, partner: Partner, now: datetime) -> str:
    """No usable answer: we go on listening, and search meanwhile."""
    async with context.database.unit() as unit:
        why = "$status is not answered"
        await listening.stands(
            unit, one.partner, "error", why, now + _every(context, partner), failures=one.failures + 1
        )
    return "error"


async def _wake(context: Context, outside: Outside, one: Listening, peer: Peer, status: str) -> str:
    """Ask the same Subscription to begin again; a partner that will not gets a new one asked for."""
    assert one.remote is not None
    topic = await _topic(outside, peer)
    wanted = {**_wanted(context, one, topic), "id": one.remote.rpartition("/")[2]}
    reply = await outside.partners.subscribe(wanted, peer, new_id())
    now = context.clock()
    taken = isinstance(reply.result, Answer) and reply.result.status in (200, 201)
    async with context.database.unit() as unit:
        if taken:
            failures = one.failures + 1
            wait = min(SOON * 2 ** min(failures, 10), DAILY)
            await listening.asked(unit, one.partner, one.remote, now + wait, anew=False, failures=failures)
        else:
            await listening.lost(
                unit, one.partner, f"our Subscription is {status} and is not begun again", now
            )
    return "asked" if taken else "new"


async def _catch_up(
    context: Context, outside: Outside, one: Listening, partner: Partner, peer: Peer, counter: int
) -> None:
    """What was not told: by its numbers where the partner offers `$events`, otherwise by a search."""
    query = f"eventsSinceNumber={one.heard + 1}&eventsUntilNumber={counter}"
    bundle = body_of(await outside.partners.read(f"{one.remote}/$events?{query}", peer, new_id()))
    try:
        told = heard(bundle) if bundle is not None else None
    except Refused:
        told = None
    numbers = {each.number for each in told.events} if told else set()
    wanted = set(range(one.heard + 1, counter + 1))
    if told is None or not wanted or not wanted <= numbers:
        await poll(context, outside, partner, one)
    async with context.database.unit() as unit:
        if told is not None and told.events:
            await look(context, unit, one.partner, told.events)
        await listening.caught_up(unit, one, counter)


def body_of(reply: Reply) -> JsonObject | None:
    """The resource of a 200 or 201, None for everything else."""
    if not isinstance(reply.result, Answer) or reply.result.status not in (200, 201):
        return None
    try:
        return decode_object(reply.result.body)
    except BadJson:
        return None
