"""The case manager answers a referral that came in, or withdraws one that went out."""

from dataclasses import replace

from service.casework.records.referral import ReferralAnswer
from service.fhir.json import Json, JsonObject, decode_object
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.flows.advance_referral import legal, our_part, share_all, side_of, task_of
from service.flows.caller import Caller
from service.flows.cancel_referral import ask, refuse
from service.flows.context import Context
from service.flows.keep import Wish, keep, lock_names
from service.kernel.failures import Refused
from service.mapping import enrolment
from service.mapping.answer import answered, placed
from service.mapping.context import MappingContext, Source
from service.referral import lifecycle
from service.referral import loop as referral
from service.store import loops, partners, resources
from service.store.loops import Loop
from service.store.unit import Unit


def is_answer(value: Json) -> bool:
    """An answer says a status and names no client: `{"status": "accepted"}`."""
    return isinstance(value, dict) and "status" in value and "client" not in value


async def answer_referral(context: Context, caller: Caller, record: str, answer: ReferralAnswer) -> Row:
    """Move the referral's Task as our side; returns its new version.

    Refused: absent (no such referral), unprocessable (not a legal move: the legal ones are listed).
    """
    caller.require_casework("referrals", "update")
    async with context.database.reading() as connection:
        found = await loops.find_record(connection, caller.client_id, record)
    if found is None:
        raise Refused("absent", "there is no such referral here")
    if answer.waiting:
        await _accept_first(context, caller, found, answer)
    now = context.clock()
    mapping = MappingContext(
        context.base, now, Source(caller.client_id, caller.organization, name=caller.name)
    )
    stated = ("Observation", enrolment.enrolment_id(found.id, mapping))
    keys = [("Task", found.id), *([stated] if answer.enrolment else [])]
    async with context.database.unit(*lock_names(keys)) as unit:
        held = await resources.lock(unit, keys)
        found = await loops.find(unit, found.id) or found
        task = task_of(held["Task", found.id])
        try:
            side = side_of(await partners.find(unit, found.partner))
            state = referral.state(task)
            if answer.cancellation:
                await refuse(context, unit, found, answer.reason or "", now)
                if answer.status == state.status:
                    return held["Task", found.id]
            if lifecycle.by_task(side.dialect, state, answer.status, our_part(found)):
                await ask(context, unit, caller, found, task, answer.reason or "", now)
                return held["Task", found.id]
            move = legal(lifecycle.wished(side.dialect, state, answer.status, our_part(found)))
            moved = answered(task, answer, mapping)
            moved = placed(referral.standing(moved, side.dialect, move.after), answer)
            if {**moved, "lastModified": task.get("lastModified")} == task:
                return held["Task", found.id]  # said before
            wishes = [Wish(moved, found.id)]
            if answer.enrolment:
                made = await _enrolment(unit, found, task, answer, held.get(stated), mapping)
                wishes.append(Wish(made, made["id"]))
                share_all(unit, found.partner, found.id, ["/".join(stated)], now)
            kept, *_ = await keep(context, unit, caller, wishes, now)
        except Refused as refused:
            raise in_the_answer(refused) from None
    return kept.row


async def _accept_first(context: Context, caller: Caller, loop: Loop, answer: ReferralAnswer) -> None:
    """Who is on the waiting list has been accepted: a referral that nobody has answered yet takes that step first."""
    async with context.database.reading() as connection:
        row = await resources.read(connection, "Task", loop.id, None)
        side = side_of(await partners.find(connection, loop.partner))
    state = referral.state(task_of(row)) if row and not row.deleted else lifecycle.START
    steps = lifecycle.path(side.dialect, state, lifecycle.State("on-hold"), our_part(loop)) or ()
    if len(steps) > 1:
        accepted = ReferralAnswer(status="accepted", case_manager=answer.case_manager)
        await answer_referral(context, caller, loop.record, accepted)


async def _enrolment(
    unit: Unit,
    loop: Loop,
    task: JsonObject,
    answer: ReferralAnswer,
    held: Row | None,
    mapping: MappingContext,
) -> JsonObject:
    """The Observation of where the client stands with the programme."""
    type_, _, id_ = (loop.request or "").partition("/")
    row = await resources.read(unit, type_, id_, None) if id_ else None
    request = decode_object(row.body) if row is not None and row.body else {}
    before = decode_object(held.body) if held is not None and held.body else None
    about = {**task, "for": task.get("for") or {"reference": loop.patient}}
    return enrolment.fhir_enrolment(about, request, answer, before, mapping)


_PLACES = {"Task.status": "/status", "Task.statusReason": "/reason", "Task.statusReason.text": "/reason"}


def in_the_answer(refused: Refused) -> Refused:
    """Findings about a Task, as findings about the record or the answer that moves it: JSON Pointers, not FHIRPath."""
    issues = [
        replace(each, expression=_PLACES.get(each.expression, "/status")) if isinstance(each, Issue) else each
        for each in refused.issues
    ]
    return Refused(refused.reason, refused.text, issues, **refused.facts)
