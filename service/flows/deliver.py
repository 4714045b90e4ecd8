"""A delivery is due: gather what it names as it is now, ask consent now, send, and remember what came of it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

from service.consent.permit import Deny
from service.consent.release import Released, release
from service.delivery.outcome import Answer, Dead, Delivered, Outcome, Retry, Withheld, judge
from service.delivery.plan import LEASE
from service.delivery.receipt import task_location
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.row import Row
from service.flows import outgoing
from service.flows.context import Context
from service.flows.permit import ask_about
from service.kernel.clock import instant
from service.kernel.events import log
from service.kernel.ids import new_id
from service.remote.outside import Outside
from service.remote.partner import Peer, Reply
from service.store import loops, outbox, partners, records, resources
from service.store.loops import Loop
from service.store.outbox import Attempted, Leased
from service.store.partners import Partner
from service.store.unit import Told, Unit

ESSENTIAL = frozenset({"Patient", "ServiceRequest", "Task"})


@dataclass(frozen=True, slots=True)
class _Matter:
    """What a delivery is about, as it is now."""

    leased: Leased
    loop: Loop
    partner: Partner
    rows: list[Row]


async def take_due(context: Context, worker: int, free: int, busy: Sequence[str]) -> list[Leased]:
    """Lease up to `free` deliveries that are due, none of them for a partner that is `busy` already."""
    now = context.clock()
    async with context.database.unit() as unit:
        return await outbox.lease(unit, now, now + LEASE, f"{worker}:{new_id()}", free, busy=busy)


async def deliver(context: Context, outside: Outside, leased: Leased) -> Outcome:
    """One attempt. The outcome is settled under the lease, with its attempt row and the casework event."""
    request_id = new_id()
    matter, decided = await _gather(context, leased)
    if matter is None:
        return await _settle(context, leased, None, Dead("gone", decided), None, request_id)
    if isinstance(decided, Withheld | Dead):
        return await _settle(context, leased, matter, decided, None, request_id)
    reply = await _send(context, outside, matter, decided, request_id)
    if isinstance(reply, Dead):
        return await _settle(context, leased, matter, reply, None, request_id)
    outcome = judge(reply.result, leased.attempts, random.random(), refreshed=reply.refreshed)  # noqa: S311
    return await _settle(context, leased, matter, outcome, reply, request_id)


async def _gather(context: Context, leased: Leased) -> tuple[_Matter | None, Any]:
    """The matter and what consent says of it: a list of resources with their Permit, or why nothing may go."""
    async with context.database.reading() as connection:
        loop = await loops.find(connection, leased.loop)
        partner = await partners.known(connection, leased.partner)
        if loop is None or partner is None:
            return None, "the referral or the partner is gone"
        keys = [(type_, id_) for type_, _, id_ in (reference.partition("/") for reference in leased.refs)]
        found = {row.reference: row for row in await resources.known(connection, keys, None)}
        matter = _Matter(leased, loop, partner, [found[ref] for ref in leased.refs if ref in found])
        if len(matter.rows) < len(leased.refs):
            return matter, Dead("gone", "a resource of this delivery was deleted")
        if partner.disabled_at is not None or partner.fhir_base is None:
            return matter, Dead("forbidden", "the partner is disabled or has no FHIR base")
        travelling = outgoing.outgoing(matter.rows, context.base)
        inbound = loop.direction == "inbound"
        verdict = await ask_about(
            context,
            connection,
            partner,
            list(zip(matter.rows, travelling, strict=True)),
            ESSENTIAL,
            own=inbound,
        )
    if isinstance(verdict, Deny):
        return matter, Withheld(verdict.code, verdict.text)
    return matter, (verdict, travelling)


async def _send(
    context: Context, outside: Outside, matter: _Matter, decided: Any, request_id: str
) -> Reply | Dead:
    permit, travelling = decided
    peer = peer_of(matter.partner)
    if matter.leased.kind == "referral":
        document: Released = release(permit, outgoing.creation(travelling, context.base))
    else:
        at = await _known_there(outside, matter, peer, request_id)
        if isinstance(at, Reply):
            return at
        document = release(permit, outgoing.replacement(travelling, context.base, at))
    flaw = _flaw(context, document)
    if flaw:
        return Dead("invalid", flaw)
    return await outside.partners.send(document, peer, request_id)


def _flaw(context: Context, released: Released) -> str:
    """What a validator at the other end would refuse: rule and place, never content. Empty when nothing."""
    if not context.settings.validate_outbound:
        return ""
    document = released.document
    content = decode_object(document) if isinstance(document, bytes) else document
    failing = [issue for issue in context.check(content, []) if issue.fails]
    if not failing:
        return ""
    more = f" and {len(failing) - 1} more" if len(failing) > 1 else ""
    return f"not sent, for it is not valid: rule {failing[0].rule} at {failing[0].expression}{more}"


async def _known_there(
    outside: Outside, matter: _Matter, peer: Peer, request_id: str
) -> dict[str, tuple[str, str]] | Reply:
    """Where the partner keeps its copy of our Task, and its version, so that nothing it wrote is overwritten."""
    remote = matter.loop.remote_task
    if remote is None:
        return {}
    reply = await outside.partners.read(remote, peer, request_id)
    if not isinstance(reply.result, Answer) or reply.result.status >= 300:
        return reply
    etag = reply.headers.get("etag", "")
    return {f"Task/{matter.loop.id}": ("/".join(remote.split("/")[-2:]), etag)}


def peer_of(partner: Partner) -> Peer:
    """How to reach a partner that has a FHIR base."""
    assert partner.fhir_base is not None
    return Peer(partner.organization, partner.fhir_base.rstrip("/"), partner.token_url)


async def _settle(
    context: Context,
    leased: Leased,
    matter: _Matter | None,
    outcome: Outcome,
    reply: Reply | None,
    request_id: str,
) -> Outcome:
    now = context.clock()
    async with context.database.unit(loops.lock_name(leased.loop)) as unit:
        held, reason = await _write_outcome(unit, leased, outcome, now)
        status = reply.result.status if reply and isinstance(reply.result, Answer) else None
        milliseconds = reply.milliseconds if reply else 0
        name = type(outcome).__name__.lower()
        await outbox.attempted(
            unit, leased.id, Attempted(now, request_id, status, milliseconds, name, reason)
        )
        if held and matter is not None:
            await _consequences(context, unit, matter, outcome, reply, reason, now)
    log(
        "delivery-attempted", delivery=leased.id, partner=leased.partner, referral=leased.loop,
        attempt=leased.attempts, outcome=name, status=status, ms=milliseconds, request=request_id,
    )  # fmt: skip
    return outcome


async def _write_outcome(unit: Unit, leased: Leased, outcome: Outcome, now: datetime) -> tuple[bool, str]:
    match outcome:
        case Delivered():
            return await outbox.settle(unit, leased, "delivered", "", now), ""
        case Retry():
            held = await outbox.settle(unit, leased, "failing", outcome.why, now, now + outcome.delay)
            return held, outcome.why
        case Dead():
            reason = f"{outcome.why}; {outcome.excerpt}" if outcome.excerpt else outcome.why
            return await outbox.settle(unit, leased, "dead", reason, now), reason
        case Withheld():
            return await outbox.settle(unit, leased, "withheld", outcome.why, now), outcome.why
        case _ as never:
            assert_never(never)


async def _consequences(
    context: Context,
    unit: Unit,
    matter: _Matter,
    outcome: Outcome,
    reply: Reply | None,
    reason: str,
    now: datetime,
) -> None:
    """The casework system hears of what a person must know; a placed referral is followed from now on."""
    kind = {Delivered: "referral-delivered", Dead: "delivery-failed", Withheld: "referral-withheld"}.get(
        type(outcome)
    )
    if kind == "referral-delivered" and matter.leased.kind != "referral":
        kind = None
    if kind is not None:
        unit.tell(Told(matter.loop.source, kind, now, encode(await _body(unit, matter, kind, reason, now))))
    if isinstance(outcome, Delivered) and matter.leased.kind == "referral" and reply is not None:
        assert isinstance(reply.result, Answer)
        remote = task_location(reply.result.body, peer_of(matter.partner).fhir_base)
        look = now + timedelta(seconds=context.settings.poll_seconds)
        await loops.placed(unit, matter.loop.id, remote, look)


async def _body(unit: Unit, matter: _Matter, kind: str, reason: str, now: datetime) -> JsonObject:
    client = await records.becoming(unit, matter.loop.source, matter.loop.patient)
    body = {
        "kind": kind,
        "at": instant(now),
        "referral": matter.loop.record,
        "direction": matter.loop.direction,
        "partner": matter.partner.name,
        "status": matter.loop.status,
    }
    return body | ({"client": client.id} if client else {}) | ({"reason": reason} if reason else {})
