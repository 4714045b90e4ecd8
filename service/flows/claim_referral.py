"""An agency claims an open referral: from the commit on it is its own, and nobody else's.

SDOHCC: a Task without owner may be claimed; exactly one agency wins, for the Task is locked while it is decided.
"""

from datetime import datetime

from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.fhir.references import local
from service.fhir.row import Row
from service.flows.advance_referral import task_of
from service.flows.caller import Caller
from service.kernel.failures import Refused
from service.store import loops, offers, records
from service.store.loops import Loop
from service.store.unit import Unit


async def claim_referral(unit: Unit, caller: Caller, row: Row, wanted: JsonObject, now: datetime) -> Loop:
    """The loop that the claim opens, still where the referral stands; its first move is the caller's next step.

    `row` is the open Task, locked, and offered to the caller. Refused("unprocessable") when `wanted` is not a claim:
    the claimant names itself as owner.
    """
    owner = wanted.get("owner")
    named = local(owner["reference"]) if isinstance(owner, dict) and "reference" in owner else None
    if named is None or "/".join(named) != caller.organization:
        text = f"an open referral is claimed by naming yourself, {caller.organization}, as its owner"
        raise Refused("unprocessable", text, [Issue("error", "business-rule", text, "Task.owner")])
    task = task_of(row)
    record = await records.becoming(unit, row.author, row.reference)
    wholes = [str(each.get("reference", "")).removeprefix("Task/") for each in task.get("partOf", [])]
    loop = Loop(
        id=row.id, direction="outbound", source=row.author, record=record.id if record else row.id,
        partner=caller.client_id, patient=row.patient or "", request=task["focus"]["reference"],
        status=str(task["status"]), closed=False, remote_task=None, remote_seen=None, next_poll=None, opened=now,
        updated=now, parent=next(iter(wholes), None),
    )  # fmt: skip
    await loops.open_loop(unit, loop)
    await offers.claimed(unit, row.id, caller.client_id)
    return loop
