"""A record as the case-management system knows it, with what has become of it since."""

from dataclasses import dataclass
from typing import Any

from service.casework import records as words
from service.casework.records.referral import Outcome
from service.fhir.json import JsonObject, decode_object
from service.fhir.references import local, texts
from service.flows import advance_referral
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.lead.covers import with_covers
from service.flows.receive_record import mapping_context
from service.flows.tell_received import around
from service.kernel.failures import Refused
from service.mapping import client_task, enrolment, inbound, received
from service.mapping.received import FACES
from service.mapping.referral_record import outcome as outcome_of
from service.referral import loop as referral
from service.store import loops, records, resources
from service.store.loops import Loop
from service.store.records import Kept


@dataclass(frozen=True, slots=True)
class Shown:
    """`version` is the record's; 0 for a referral a partner sent, which has no record of its own."""

    version: int
    record: JsonObject
    resources: list[str]


async def show_record(context: Context, caller: Caller, kind: str, id_: str) -> Shown:
    """Refused: absent, gone (deleted)."""
    caller.require_casework(kind, "read")
    async with context.database.reading() as connection:
        kept = await records.find(connection, caller.client_id, kind, id_)
        loop = await loops.find_record(connection, caller.client_id, id_) if kind == "referrals" else None
        if kept is None and loop is None:
            return await _filed(context, connection, caller, kind, id_)
        if kept is not None and kept.deleted:
            raise Refused("gone", f"{kind}/{id_} was deleted")
        if kept is None and loop is not None:
            return await _received(context, connection, caller, loop)
        assert kept is not None
        record = decode_object(kept.body)
        if loop is not None:
            record |= await _progress(connection, loop)
        patient = next((each for each in kept.resources if each.startswith("Patient/")), "")
        if kind == "clients" and patient:
            record = await with_covers(connection, caller.client_id, record, patient)
        if kind == client_task.KIND:
            record |= await _asked(context, connection, caller, kept)
        return Shown(kept.version, record, kept.resources)


async def _progress(connection: Any, loop: Loop) -> JsonObject:
    """What the Task says now, over what the record said when it was filed."""
    row = await resources.read(connection, "Task", loop.id, None)
    task = advance_referral.task_of(row) if row and not row.deleted else {}
    said: JsonObject = {"status": loop.status, "direction": loop.direction}
    if reason := referral.reason(task):
        said["statusReason"] = reason
    outcome = outcome_of(task)
    if stands := await _stands(connection, task):
        outcome = (outcome or Outcome(enrolment=stands)).model_copy(update={"enrolment": stands})
    if outcome:
        said["outcome"] = words.write(outcome)
    return said


async def _stands(connection: Any, task: JsonObject) -> Any:
    """The enrolment that the last Observation here says, of those that the Task names."""
    keys = [key for reference in reversed(enrolment.named(task)) if (key := local(reference)) is not None]
    for key in keys:
        row = await resources.read(connection, *key, None)
        if row is not None and row.body and (stands := enrolment.said(decode_object(row.body))):
            return stands
    return None


async def _asked(context: Context, connection: Any, caller: Caller, kept: Kept) -> JsonObject:
    """What the client's side has said in the Task since it was asked."""
    tasks = [each.removeprefix("Task/") for each in kept.resources if each.startswith("Task/")]
    row = await resources.read(connection, "Task", tasks[-1], None)
    if row is None or row.deleted:
        return {}
    mapping = await mapping_context(context, connection, caller, None, kept.kind, kept.id, context.clock())
    task = advance_referral.task_of(row)
    answer, reason = client_task.answer(task, mapping), referral.reason(task)
    said = {"statusReason": reason, "answer": words.write(answer) if answer else None}
    return {"status": task["status"]} | {name: value for name, value in said.items() if value}


async def _received(context: Context, connection: Any, caller: Caller, loop: Loop) -> Shown:
    """A partner's Bundle in our own words; what they cannot carry stays in the FHIR resources, listed here."""
    gathered = await gather(connection, loop)
    mapping = await mapping_context(context, connection, caller, None, "referrals", loop.id, context.clock())
    found = next((each for each in inbound.read(gathered, mapping) if each.task == loop.id), None)
    if found is None:
        raise Refused("absent", f"referrals/{loop.record} has no request that could be read")
    record = words.write(found.referral.record) | {
        "id": loop.record,
        "direction": "inbound",
        "status": loop.status,
    }
    notes = list(found.referral.notes)
    if found.client is not None:
        record["clientRecord"] = words.write(found.client.record)
        notes += found.client.notes
    if notes:
        record["notCarried"] = [note.text for note in notes]
    return Shown(0, record, [f"{each['resourceType']}/{each['id']}" for each in gathered])


async def _filed(context: Context, connection: Any, caller: Caller, kind: str, id_: str) -> Shown:
    """What a partner filed under this id, beside referrals; read-only, and changed only by its author."""
    type_ = FACES.get(kind)
    row = await resources.read(connection, type_, id_, None) if type_ else None
    if row is None or row.author == caller.client_id:
        raise Refused("absent", f"{kind}/{id_} is not known here")
    if row.deleted or row.body is None:
        raise Refused("gone", f"{kind}/{id_} was deleted")
    resource = decode_object(row.body)
    beside = await around(connection, resource, {row.reference: resource})
    mapping = await mapping_context(context, connection, caller, None, kind, id_, context.clock())
    try:
        told = received.told(resource, beside, mapping)
    except LookupError as error:
        raise Refused("absent", f"{kind}/{id_} is here as FHIR ({row.reference}): {error}") from None
    record = words.write(told.record) | {"id": id_, "direction": "inbound"}
    if told.notes:
        record["notCarried"] = [note.text for note in told.notes]
    return Shown(0, record, [row.reference, *(f"{each['resourceType']}/{each['id']}" for each in beside)])


async def gather(connection: Any, loop: Loop) -> list[JsonObject]:
    """The Task and what it names: the request, the client, and what those name in turn."""
    found: dict[str, JsonObject] = {}
    wanted = {("Task", loop.id)}
    for _ in range(2):
        missing = [key for key in sorted(wanted) if f"{key[0]}/{key[1]}" not in found]
        for row in await resources.known(connection, missing, None):
            found[row.reference] = decode_object(row.body or b"")
        wanted = {key for each in found.values() for text in texts(each) if (key := local(text)) is not None}
    return list(found.values())
