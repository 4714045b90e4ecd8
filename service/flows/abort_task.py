"""COW: a referral under way is cancelled by asking, with a Task of its own (`abort`) whose focus is the referral's.

Its requester is who asked for the referral; who does the work accepts it, by cancelling the referral's Task, or
rejects it.
"""

from datetime import datetime
from typing import Final

from service.fhir.json import JsonObject, decode_object
from service.flows.context import Context
from service.flows.writing import version_of
from service.kernel.clock import instant
from service.kernel.ids import new_id
from service.referral.dialects import Dialect
from service.store import loops, partners, resources
from service.store.loops import Loop
from service.store.unit import Outgoing, Unit

DIALECT: Final[Dialect] = "cow-cancellation"
_TASK_CODE: Final = "http://hl7.org/fhir/CodeSystem/task-code"
_SYSTEM: Final = "https://casebridge.example/fhir/identifier/cancellation"
_SHARED: Final = ("for", "requester", "owner", "reasonCode", "priority")
"""What it has in common with the Task it is about; `reasonCode` names the needs served, by which consent knows it."""


def is_abort(task: JsonObject) -> bool:
    """Does this Task ask that another be cancelled?"""
    concept = task.get("code")
    codings = concept.get("coding") if isinstance(concept, dict) else None
    rows = codings if isinstance(codings, list) else []
    return any(isinstance(each, dict) and each.get("code") == "abort" for each in rows)


def asking(task: JsonObject, reason: str, now: datetime) -> tuple[str, JsonObject]:
    """(id, Task) by which we ask that this Task of ours be cancelled."""
    id_ = new_id()
    return id_, {
        "resourceType": "Task", "identifier": [{"system": _SYSTEM, "value": id_}], "status": "requested",
        "statusReason": {"text": reason}, "intent": "order",
        "code": {"coding": [{"system": _TASK_CODE, "code": "abort"}]},
        "focus": {"reference": f"Task/{task['id']}"}, "authoredOn": instant(now), "lastModified": instant(now),
        **{name: task[name] for name in _SHARED if name in task},
    }  # fmt: skip


async def settle(context: Context, unit: Unit, loop: Loop, status: str, reason: str, now: datetime) -> None:
    """The cancellation that is asked for in this loop ends so; who asked us is told."""
    if loop.abort is None:
        return
    row = (await resources.lock(unit, [("Task", loop.abort)])).get(("Task", loop.abort))
    await loops.aborting(unit, loop.id, None)
    if row is None or row.deleted or unit.collects("Task", loop.abort):
        return
    before = decode_object(row.body or b"")
    other = {name: value for name, value in before.items() if name != "statusReason"}
    after = {**other, "status": status, "lastModified": instant(now)}
    after |= {"statusReason": {"text": reason}} if reason else {}
    unit.put(version_of(context, after, loop.abort, row, row.author, now))
    asked_us = loop.direction == "inbound"
    if asked_us and (await partners.find(unit, loop.partner)).pushed_to:
        unit.send(Outgoing(new_id(), loop.partner, loop.id, "status", [f"Task/{loop.abort}"], now))


async def end(context: Context, unit: Unit, loop: Loop, status: str, now: datetime) -> None:
    """The referral has ended with this status, and with it the question whether it is to be cancelled."""
    if status == "cancelled":
        await settle(context, unit, loop, "completed", "", now)
    else:
        await settle(context, unit, loop, "rejected", f"the referral is {status}", now)
