"""The Task of something due (profile casebridge-due-task): to its owner, with its window, reason and what closed it."""

from datetime import datetime

from service.coordination.timers import Due, Row
from service.fhir.json import JsonObject
from service.flows.due.gather import Known
from service.kernel.clock import instant
from service.kernel.ids import derived_id
from service.mapping.names import code_system, identifier_system, profile
from service.store.timers import Item

OVER = frozenset({"completed", "rejected", "cancelled", "failed", "entered-in-error"})
_URGENT = {"routine": "urgent", "urgent": "urgent", "asap": "asap", "stat": "stat"}


def task_of(
    item: Item, row: Row, found: Due | None, known: Known | None, old: JsonObject | None, organization: str,
    now: datetime,
) -> JsonObject:  # fmt: skip
    """The Task as it should stand. `old`: as it stands; what people added to it is kept."""
    task: JsonObject = (
        dict(old) if old else {"resourceType": "Task", "intent": "order", "authoredOn": instant(now)}
    )
    task["meta"] = {**task.get("meta", {}), "profile": [profile("casebridge-due-task")]}
    task["status"] = _status(item, task.get("status"))
    task.pop("statusReason", None)
    if item.stage == "moot":
        task["statusReason"] = {"text": "no longer due: the facts have changed, or the case is closed"}
    if found is None or known is None:
        return task
    task |= {
        "identifier": [_identifier(item, known)],
        "priority": _URGENT[row.priority] if item.stage == "escalated" else row.priority,
        "code": {"coding": [{"system": code_system("due-task"), "code": row.code}]},
        "description": row.rule,
        "for": {"reference": item.patient},
        "owner": {"reference": owner_of(item.owner, known, organization)},
        "reasonCode": {
            "coding": [{"system": code_system("timer"), "code": row.id}],
            "text": f"{row.id}: {row.rule}",
        },
        "restriction": {"period": {"start": instant(min(found.opens, found.due)), "end": instant(found.due)}},
    }
    if subject := known.references.get(found.record):
        task |= {"focus": {"reference": subject}, "reasonReference": {"reference": subject}}
    task.pop("output", None)
    if item.stage == "closed" and (closer := known.references.get(item.by)):
        kind = {"coding": [{"system": code_system("due-task"), "code": row.code}]}
        task["output"] = [{"type": kind, "valueReference": {"reference": closer}}]
    return task


def _status(item: Item, held: str | None) -> str:
    if item.by == f"Task/{item.id}":
        return held or "completed"
    if item.stage == "closed":
        return "completed"
    if item.stage == "moot":
        return "cancelled"
    return held if held and held not in OVER else "requested"


def _identifier(item: Item, known: Known) -> JsonObject:
    path = f"{known.source}/{known.client.id}/{item.timer}/{item.subject}"
    return {"system": identifier_system("due"), "value": path}


def owner_of(owner: str, known: Known, organization: str) -> str:
    """The reference of who owes it: of a case manager's record id, of a reference, or the agency's where empty."""
    if not owner:
        return organization
    if "/" in owner:
        return owner
    return f"PractitionerRole/{derived_id(known.source, 'case-managers', owner, 'PractitionerRole')}"
