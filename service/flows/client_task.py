"""What is asked of a client is answered: by an app, on the page of a one-time link, or told to the case manager.

SDOHCC TaskForPatient: the client's side says status, statusReason and output; who may move it where is the table
`patient-task`. The answer is an event for the case manager, in the commit that moves the Task.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.casework import records as words
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.outcome import Issue
from service.fhir.references import local
from service.fhir.row import Row
from service.flows.access.roles import PATIENT_APP
from service.flows.advance_referral import check_move, share_all, task_of
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.fixed import expect_fixed
from service.flows.permit import visible
from service.flows.tell_received import mapping_of
from service.flows.writing import checked
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.mapping.client_task import PROGRESS, answer, keep_progress, strange_output
from service.mapping.context import MappingContext
from service.referral import lifecycle
from service.referral import loop as referral
from service.store import partners, records, resources
from service.store.unit import Told, Unit

_BROUGHT = ("QuestionnaireResponse", "DocumentReference")
"""What an answer may refer to: it must be about the same client, and known to who brings it."""


async def move_client_task(
    context: Context, unit: Unit, caller: Caller, row: Row, old: JsonObject, new: JsonObject, now: datetime
) -> JsonObject:
    """The Task as it will be. `row` is it, locked; `old` its content, `new` what the caller wants.

    Who asked may call it off. Refused: forbidden for who neither asked nor is a patient app, unprocessable for a change
    of what was asked or a move that is not legal (the legal ones are listed), invalid for an answer of another kind.
    """
    if caller.custodian:
        check_move("patient-task", old, new, "both")
        return new
    if PATIENT_APP not in caller.roles and row.author == caller.client_id:
        check_move("patient-task", old, new, "requester")
        return new
    if PATIENT_APP not in caller.roles:
        raise Refused(
            "forbidden", f"{row.reference} is the client's to answer; a patient app brings the answer"
        )
    shown = decode_object((await visible(context, unit, caller, [row]))[0].body or b"")
    expect_fixed(shown, new, PROGRESS, "is what was asked; the client's side says status, reason and output")
    kept = {name: value for name, value in old.items() if name not in PROGRESS}
    after: JsonObject = {**kept, **{name: new[name] for name in PROGRESS if name in new}}
    check_move("patient-task", old, after, "target")
    if after == old:
        return after
    if lifecycle.State(old["status"]).terminal:
        raise _refused("this task has ended; what was answered stays", "Task.output")
    checked(context, after)
    if (place := strange_output(after)) is not None:
        raise _refused("this is no answer to what was asked", f"Task.output[{place}].type")
    await _expect_own(context, unit, caller, row, after)
    await _tell(context, unit, caller, row, old, after, now)
    return after


async def asked_of_client(
    unit: Unit, mapped: Sequence[JsonObject], mapping: MappingContext
) -> Sequence[JsonObject]:
    """A record's resources, the Task last, as they are to be kept: what the client's side has said in it stays.

    Every patient app may come to know them from now on; what it sees, consent says at each read.
    """
    *others, task = mapped
    held = (await resources.lock(unit, [("Task", task["id"])])).get(("Task", task["id"]))
    if held is not None and not held.deleted:
        task = keep_progress(task, task_of(held), mapping)
    references = [task["for"]["reference"], *(f"{each['resourceType']}/{each['id']}" for each in mapped)]
    for partner in await partners.everyone(unit):
        if PATIENT_APP in partner.roles and partner.disabled_at is None:
            share_all(unit, partner.client_id, task["id"], references, mapping.now)
    return (*others, task)


async def _expect_own(context: Context, unit: Unit, caller: Caller, row: Row, task: JsonObject) -> None:
    for place, output in enumerate(task.get("output", [])):
        key = local(output.get("valueReference", {}).get("reference", ""), context.base)
        if "valueReference" not in output:
            continue
        if key is None or key[0] not in _BROUGHT or not await _own(context, unit, caller, row, key):
            text = "an answer refers to what was filed here about the same client"
            raise _refused(text, f"Task.output[{place}].valueReference")


async def _own(context: Context, unit: Unit, caller: Caller, row: Row, key: tuple[str, str]) -> bool:
    filed = [put for put in unit.collected() if (put.type, put.id) == key]
    if filed:
        return filed[0].patient == row.patient
    found = await visible(context, unit, caller, await resources.known(unit, [key], caller.viewer))
    return bool(found) and not found[0].deleted and found[0].patient == row.patient


async def _tell(
    context: Context, unit: Unit, caller: Caller, row: Row, old: JsonObject, new: JsonObject, now: datetime
) -> None:
    source = await partners.find(unit, row.author)
    record = await records.becoming(unit, row.author, row.reference)
    client = await records.becoming(unit, row.author, row.patient) if row.patient else None
    kind = f"client-task-{new['status'] if new['status'] != old['status'] else 'answered'}"
    said = answer(new, mapping_of(context, source))
    body: dict[str, Any] = {"kind": kind, "at": instant(now), "task": record.id if record else row.id}
    body |= {"status": new["status"], "by": caller.name}
    optional = {
        "client": client.id if client else None,
        "reason": referral.reason(new),
        "answer": words.write(said) if said else None,
    }
    told = body | {name: value for name, value in optional.items() if value}
    unit.tell(Told(row.author, kind, now, encode(told)))


def _refused(text: str, place: str) -> Refused:
    return Refused("unprocessable", text, [Issue("error", "business-rule", text, place)])
