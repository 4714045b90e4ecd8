"""A delivery is due: gather what it names as it is now, ask consent now, send, and remember what came of it."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from service.consent.decide import without
from service.consent.permit import Deny, Permit
from service.consent.redact import redacted
from service.consent.release import Released, release
from service.delivery import plan
from service.delivery.outcome import Answer, Dead, Delivered, Outcome, Retry, Withheld, judge
from service.delivery.receipt import task_location
from service.fhir.json import BadJson, JsonObject, decode_object, encode
from service.fhir.message import OPERATION
from service.fhir.row import Row
from service.flows import messages, outgoing
from service.flows.advance_referral import performed, side_of
from service.flows.audit.disclosed import decided, disclosed
from service.flows.closing.settled import note_outcome
from service.flows.context import Context
from service.flows.partner_reach import remember_reach
from service.flows.permit import PURPOSE, ask_about
from service.kernel.clock import instant
from service.kernel.events import log
from service.kernel.ids import new_id
from service.mapping.closing import is_notice
from service.referral import lifecycle
from service.referral import loop as referral
from service.remote.outside import Outside
from service.remote.partner import Peer, Reply
from service.store import loops, outbox, partners, reach, records, resources
from service.store.loops import Loop
from service.store.outbox import Attempted, Leased
from service.store.partners import Partner
from service.store.unit import Told, Unit

ESSENTIAL = frozenset({"Patient", "ServiceRequest", "Task"})
LATER = timedelta(minutes=10)
GONE = Dead("gone", "the referral or the partner is gone")


@dataclass(frozen=True, slots=True)
class _Matter:
    """What a delivery is about, as it is now."""

    leased: Leased
    loop: Loop
    partner: Partner
    rows: list[Row]

    @property
    def by_message(self) -> bool:
        """Does it travel as a message, rather than as a transaction?"""
        return self.partner.terms.transport == "message"


async def take_due(context: Context, worker: int, free: int, busy: Sequence[str]) -> list[Leased]:
    """Lease up to `free` deliveries that are due, none of them for a partner that is `busy` already."""
    now = context.clock()
    async with context.database.unit() as unit:
        watched = await reach.watched(unit)
        allowed = {each.partner: plan.allowance(each.reach, each.terms, now) for each in watched}
        token = f"{worker}:{new_id()}"
        taken = await outbox.lease(unit, now, now + plan.LEASE, token, free, allowed, busy)
        counts = Counter(leased.partner for leased in taken)
        for each in watched:
            if each.partner in counts:
                after = plan.taken(each.reach, each.terms, counts[each.partner], now)
                await reach.keep(unit, each.partner, after)
    return taken


async def deliver(context: Context, outside: Outside, leased: Leased) -> Outcome:
    """One attempt. The outcome is settled under the lease, with its attempt row and the casework event."""
    request_id = new_id()
    matter, hopeless = await _gather(context, leased)
    if matter is None or hopeless is not None:
        return await _settle(context, leased, matter, hopeless or GONE, None, request_id)
    copy = await _copy_there(outside, matter, request_id)
    if isinstance(copy, Reply):
        return await _settle(context, leased, matter, _judged(context, leased, copy), copy, request_id)
    document = await _released(context, matter, copy, request_id)
    if isinstance(document, Withheld):
        return await _settle(context, leased, matter, document, None, request_id)
    flaw = _flaw(context, document)
    if flaw:
        return await _settle(context, leased, matter, Dead("invalid", flaw), None, request_id)
    operation = OPERATION if matter.by_message else ""
    reply = await outside.partners.send(document, peer_of(matter.partner), request_id, operation)
    return await _settle(
        context, leased, matter, _judged(context, leased, reply), reply, request_id, document
    )


def _judged(context: Context, leased: Leased, reply: Reply) -> Outcome:
    """A probe that was sent before its time and failed waits for that time, as if it had not been tried."""
    attempt = max(leased.attempts, 1)
    outcome = judge(reply.result, attempt, random.random(), refreshed=reply.refreshed)  # noqa: S311
    if isinstance(outcome, Retry) and leased.early(context.clock()):
        return replace(outcome, delay=leased.due - context.clock())
    return outcome


async def _gather(context: Context, leased: Leased) -> tuple[_Matter | None, Dead | Retry | None]:
    """The matter as it is now, and why it is hopeless, or cannot be begun, if so."""
    async with context.database.reading() as connection:
        loop = await loops.find(connection, leased.loop)
        partner = await partners.known(connection, leased.partner)
        if loop is None or partner is None:
            return None, None
        refs = list(leased.refs)
        if partner.terms.transport == "message" and loop.direction == "outbound":
            refs = list(dict.fromkeys([loop.patient, *refs]))  # a message is whole: it can be read alone
        keys = [(type_, id_) for type_, _, id_ in (reference.partition("/") for reference in refs)]
        found = {row.reference: row for row in await resources.known(connection, keys, None)}
    matter = _Matter(leased, loop, partner, [found[ref] for ref in refs if ref in found])
    if len(matter.rows) < len(refs):
        return matter, Dead("gone", "a resource of this delivery was deleted")
    if any(_taken_back(row) for row in matter.rows):
        return matter, Dead("gone", "what was to be told is taken back")
    if partner.disabled_at is not None or partner.fhir_base is None:
        return matter, Dead("forbidden", "the partner is disabled or has no FHIR base")
    if not partner.terms.readable:
        return matter, Retry(
            LATER, "the partner's terms cannot be read; casebridge partner change sets them anew"
        )
    return matter, None


def _taken_back(row: Row) -> bool:
    resource = decode_object(row.body or b"{}")
    return is_notice(resource) and resource.get("status") == "entered-in-error"


async def _released(
    context: Context, matter: _Matter, copy: outgoing.Copy | None, request_id: str
) -> Released | Withheld:
    """What may be sent now: consent is asked last, when everything else is known; its answer is on the audit trail
    before anything leaves."""
    base = context.base
    terms = matter.partner.terms
    if terms.purposes and PURPOSE not in terms.purposes:
        return Withheld("purpose", f"what was agreed with the partner does not cover the purpose {PURPOSE}")
    rows = [row for row in matter.rows if not terms.types or row.type in terms.types or row.type in ESSENTIAL]
    ours = {name: f"{base}/{each}" for name, each in _linked(matter.loop).items() if each}
    there = {**copy.links(ours), f"{base}/{copy.ours}": f"{copy.base}/{copy.reference}"} if copy else {}
    async with context.database.reading() as connection:
        home = await partners.known(connection, matter.loop.source) if matter.by_message else None
    travelling = [_caught_up(matter, each, copy) for each in outgoing.outgoing(rows, base, there)]
    writer = messages.Writer(home, matter.partner, matter.loop, base) if matter.by_message else None
    if writer is not None:
        travelling = [writer.worded(each) for each in travelling]
    pairs = list(zip(rows, travelling, strict=True))
    asked = matter.loop.direction == "inbound"
    async with context.database.reading() as connection:
        verdict = await ask_about(context, connection, matter.partner, pairs, ESSENTIAL, asked=asked)
    if isinstance(verdict, Permit) and (broken := _broken(context, verdict)):
        verdict = without(verdict, broken, ESSENTIAL)
    said = decided(context.clock(), matter.partner, matter.loop.patient, verdict, PURPOSE, request_id)
    await context.database.record([said])
    if isinstance(verdict, Deny):
        return Withheld(verdict.code, verdict.text)
    if writer is not None:
        return writer.released(verdict, matter.leased.id, travelling, max(row.updated for row in rows))
    if matter.leased.kind in ("referral", "cancellation"):
        return release(verdict, outgoing.creation(travelling, base))
    return release(verdict, outgoing.replacement(travelling, base, copy, there))


def _caught_up(matter: _Matter, resource: JsonObject, copy: outgoing.Copy | None) -> JsonObject:
    """Our Task, with what the partner has said in its copy since we last looked: that is not overwritten."""
    if copy is None or matter.loop.direction == "inbound" or resource["id"] != matter.loop.id:
        return resource
    dialect = side_of(matter.partner).dialect
    known, seen = referral.state(resource), referral.state(copy.task)
    if isinstance(lifecycle.settle(dialect, known, seen, "target"), lifecycle.Advanced):
        return performed(resource, copy.task)
    return resource


def _broken(context: Context, permit: Permit) -> frozenset[str]:
    """What is a valid record whole and none without its masked elements: it stays here, and the delivery goes on."""
    if not context.settings.validate_outbound:
        return frozenset()
    masked = [one for one in permit.cleared if one.masks]
    return frozenset(
        one.item.reference
        for one in masked
        if _fails(context, redacted(one.item.resource, one.masks)) and not _fails(context, one.item.resource)
    )


def _fails(context: Context, resource: JsonObject) -> bool:
    return any(issue.fails for issue in context.check(resource, []))


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


def _linked(loop: Loop) -> dict[str, str | None]:
    """What our Task refers to and the partner has its own copy of."""
    return {"focus": loop.request, "for": loop.patient} if loop.direction == "outbound" else {}


async def _copy_there(outside: Outside, matter: _Matter, request_id: str) -> outgoing.Copy | Reply | None:
    """The partner's copy of our Task as it is now, so that nothing the partner wrote is overwritten."""
    remote = matter.loop.remote_task
    if remote is None or matter.leased.kind == "referral":
        return None
    peer = peer_of(matter.partner)
    reply = await outside.partners.read(remote, peer, request_id)
    if not isinstance(reply.result, Answer) or reply.result.status >= 300:
        return reply
    try:
        task = decode_object(reply.result.body)
    except BadJson:
        task = {}
    place, etag = "/".join(remote.split("/")[-2:]), reply.headers.get("etag", "")
    return outgoing.Copy(f"Task/{matter.loop.id}", place, etag, task, peer.fhir_base)


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
    document: Released | None = None,
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
        if document is not None and reply is not None and matter is not None:
            task, patient = f"Task/{leased.loop}", matter.loop.patient
            unit.audit(disclosed(now, matter.partner, patient, task, document.permit, reply, request_id))
        if reply is not None and matter is not None:
            await remember_reach(context, unit, matter.partner, reply.result, now, watched=leased.watched)
        if held and matter is not None:
            await _consequences(context, unit, matter, outcome, reply, reason, now)
            await note_outcome(context, unit, matter.loop.source, matter.rows, outcome, now)
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
    notice = any(
        is_notice(decode_object(row.body or b"{}")) for row in matter.rows
    )  # its closing tells of it
    if notice or (kind == "referral-delivered" and matter.leased.kind != "referral"):
        kind = None
    if kind is not None:
        unit.tell(Told(matter.loop.source, kind, now, encode(await _body(unit, matter, kind, reason, now))))
    if isinstance(outcome, Delivered) and matter.leased.kind != "status" and reply is not None:
        assert isinstance(reply.result, Answer)
        remote = task_location(reply.result.body, peer_of(matter.partner).fhir_base)
        if matter.leased.kind == "cancellation":
            if remote is not None:
                abort = matter.leased.refs[0].removeprefix("Task/")
                await loops.abort_placed(unit, matter.loop.id, abort, remote)
            return
        look = None if matter.by_message else now + timedelta(seconds=context.settings.poll_seconds)
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
