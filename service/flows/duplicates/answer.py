"""The primary case manager of a partner answers whether two services are one too many: in the Task, as it was shown."""

from typing import Final

from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.lead.answer import with_answer
from service.kernel.failures import Refused
from service.mapping.names import DUE_TASK
from service.mapping.parts import code_in
from service.store import leads
from service.store.unit import Unit

_ANSWERS: Final = ("requested", "received", "accepted", "in-progress", "on-hold", "completed", "rejected")


async def asked(context: Context, unit: Unit, caller: Caller, row: Row, task: JsonObject) -> bool:
    """Is this question put to the caller's case manager, who leads the case now or stands in?"""
    if caller.custodian or code_in(task.get("code"), DUE_TASK) != "possible-duplicate":
        return False
    leading = (await leads.who_leads(unit, [row.patient or ""], context.clock())).get(row.patient or "")
    return leading is not None and leading.acts.agency == caller.organization


def answered(shown: JsonObject, old: JsonObject, new: JsonObject) -> JsonObject:
    """The stored Task with the answer in it. Refused("unprocessable") for what is no answer."""
    if new.get("status") not in _ANSWERS:
        text = f"this is answered with one of {', '.join(_ANSWERS)}"
        raise Refused("unprocessable", text, [Issue("error", "business-rule", text, "Task.status")])
    return with_answer(shown, old, new)
