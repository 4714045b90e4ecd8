"""A cancellation that is asked for by a Task of its own: we ask, they answer; they ask, we answer."""

from datetime import datetime

from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.fhir.references import local
from service.fhir.row import Row
from service.flows import abort_task
from service.flows.advance_referral import check_move, performed, share_all, side_of, task_of, tell
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.writing import version_of
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.referral import lifecycle
from service.referral import loop as referral
from service.referral.loop import Event
from service.store import loops, partners, resources
from service.store.loops import Loop
from service.store.partners import Partner
from service.store.unit import Outgoing, Unit

REFUSALS = ("rejected", "failed")


async def ask(
    context: Context, unit: Unit, caller: Caller, loop: Loop, task: JsonObject, reason: str, now: datetime
) -> None:
    """We ask the partner to cancel what it is working on; asking again changes nothing."""
    if loop.abort is not None:
        return
    id_, abort = abort_task.asking(task, reason, now)
    unit.put(version_of(context, abort, id_, None, caller.client_id, now))
    await loops.aborting(unit, loop.id, id_)
    partner = await partners.find(unit, loop.partner)
    share_all(unit, partner.client_id, loop.id, [f"Task/{id_}"], now)
    if partner.pushed_to:
        unit.send(Outgoing(new_id(), partner.client_id, loop.id, "cancellation", [f"Task/{id_}"], now))
    await _tell(unit, loop, partner, "referral-cancellation-requested", reason, now)


async def received(
    context: Context, unit: Unit, caller: Caller, row: Row, abort: JsonObject, now: datetime
) -> None:
    """A partner asks us to cancel what it asked of us. Refused when that is nothing of its own, or has ended."""
    focus = abort.get("focus")
    text = focus.get("reference") if isinstance(focus, dict) else None
    named = local(text, context.base) if isinstance(text, str) else None
    if named is not None:
        await unit.lock(loops.lock_name(named[1]))
    loop = await loops.find(unit, named[1]) if named is not None else None
    theirs = loop is not None and (loop.partner, loop.direction) == (caller.client_id, "inbound")
    if loop is None or not theirs or loop.closed or loop.abort is not None:
        why = "a cancellation names as its focus a referral of yours that is open here and not being cancelled already"
        raise Refused(
            "unprocessable", why, [Issue("error", "business-rule", why, "Task.focus", "abort-focus")]
        )
    await loops.aborting(unit, loop.id, row.id)
    partner = await partners.find(unit, caller.client_id)
    await _tell(unit, loop, partner, "referral-cancellation-requested", referral.reason(abort), now)


async def refuse(context: Context, unit: Unit, loop: Loop, reason: str, now: datetime) -> None:
    """Our case manager goes on. Refused when nobody has asked by Task to cancel this referral."""
    if loop.abort is None or loop.direction == "outbound":
        why = "nobody has asked, by a Task of its own, to cancel this referral"
        raise Refused("unprocessable", why, [Issue("error", "business-rule", why, "/cancellation")])
    partner = await partners.find(unit, loop.partner)
    await abort_task.settle(context, unit, loop, "rejected", reason, now)
    await _tell(unit, loop, partner, "referral-cancellation-refused", reason, now)


async def move(
    unit: Unit, caller: Caller, loop: Loop, old: JsonObject, new: JsonObject, now: datetime
) -> None:
    """A partner writes a new version of the Task that asks for the cancellation, here; the caller puts it."""
    if caller.custodian:
        why = "the case manager answers this in the record of the referral, at the casework door"
        raise Refused("unprocessable", why, [Issue("error", "business-rule", why, "Task.status")])
    asks = loop.direction == "inbound"
    check_move(abort_task.DIALECT, old, new, "requester" if asks else "target")
    await _follow(unit, loop, await partners.find(unit, caller.client_id), old, new, now)


async def take_answer(context: Context, unit: Unit, loop: Loop, partner: Partner, said: JsonObject) -> None:
    """What the partner says in its own copy of our asking."""
    if loop.abort is None:
        return
    row = (await resources.lock(unit, [("Task", loop.abort)])).get(("Task", loop.abort))
    if row is None or row.deleted:
        return
    before = task_of(row)
    verdict = lifecycle.settle(abort_task.DIALECT, referral.state(before), referral.state(said), "target")
    if isinstance(verdict, lifecycle.Advanced):
        now = context.clock()
        after = performed(before, said)
        unit.put(version_of(context, after, loop.abort, row, row.author, now))
        await _follow(unit, loop, partner, before, after, now)


async def _follow(
    unit: Unit, loop: Loop, partner: Partner, before: JsonObject, after: JsonObject, now: datetime
) -> None:
    """A refusal is told; what is agreed is told by the referral's own Task."""
    state = referral.state(after)
    if referral.state(before).terminal or not state.terminal:
        return
    await loops.aborting(unit, loop.id, None)
    if state.status in REFUSALS:
        await _tell(unit, loop, partner, "referral-cancellation-refused", referral.reason(after), now)


async def _tell(
    unit: Unit, loop: Loop, partner: Partner, kind: referral.EventKind, reason: str, now: datetime
) -> None:
    await tell(unit, loop, side_of(partner), (Event(kind, loop.status, reason=reason),), now)
