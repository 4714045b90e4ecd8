"""A side answers a transfer: its Task has a new version, and with the last word the lead moves, in the same commit."""

from datetime import datetime
from typing import cast, get_args

from service.coordination.leading import Answer, Moved, Reply, parties
from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.fixed import expect_fixed
from service.flows.lead.steer import steer
from service.flows.lead.truth import write_truth
from service.flows.lead.who import speaks_for
from service.kernel.failures import Refused
from service.store import leads
from service.store.leads import Case
from service.store.unit import Unit

SAID = ("status", "statusReason", "note", "lastModified")
"""What a side may say in the Task."""


async def answer_transfer(
    context: Context,
    unit: Unit,
    caller: Caller,
    row: Row,
    shown: JsonObject,
    old: JsonObject,
    new: JsonObject,
    now: datetime,
) -> JsonObject:
    """The Task as it will be; the lead moves where the answer says so. `shown` is the Task as the caller sees it.

    Refused("unprocessable"): a move that is not this side's, or a change of what was asked.
    """
    after = with_answer(shown, old, new)
    if after.get("status") == old.get("status"):
        return after
    found = await leads.lock(unit, row.patient or "")
    case = found if found is not None and found.course.asked and found.course.asked.id == row.id else None
    if case is None:
        raise _refused("this transfer is settled already")
    if after["status"] not in get_args(Reply):
        raise _refused(f"a transfer is answered with {', '.join(get_args(Reply))}")
    reply = cast(Reply, after["status"])
    step = await steer(context, unit, case, Answer(row.id, await _side(unit, caller, case), reply), now)
    if isinstance(step.verdict, Moved) and step.verdict.happened == "lead-transferred":
        await write_truth(context, unit, step.case, now)
    return after


def with_answer(shown: JsonObject, old: JsonObject, new: JsonObject) -> JsonObject:
    """The stored Task with what was answered in it. `shown`: as who answers saw it. Refused("unprocessable") when more
    than the answer was changed."""
    expect_fixed(shown, new, SAID, "is what was asked; it is answered by its status")
    return {**{k: v for k, v in old.items() if k not in SAID}, **{k: new[k] for k in SAID if k in new}}


async def _side(unit: Unit, caller: Caller, case: Case) -> str:
    """For which of the two agencies the caller speaks."""
    assert case.course.asked is not None
    if caller.custodian:
        for agency in parties(case.course, case.course.asked):
            if await speaks_for(unit, caller.organization, agency):
                return agency
    return caller.organization


def _refused(text: str) -> Refused:
    return Refused("unprocessable", text, [Issue("error", "business-rule", text, "Task.status", "lead-move")])
