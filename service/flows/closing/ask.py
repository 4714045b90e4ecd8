"""Tasks of a closing to the primary case manager: a provider that may not be told, an exit that nobody planned."""

from datetime import datetime

from service.fhir.json import JsonObject, decode_object, encode
from service.flows.context import Context
from service.flows.lead.who import speaks_for
from service.flows.writing import version_of
from service.kernel.clock import instant
from service.kernel.ids import derived_id
from service.mapping.names import DUE_TASK
from service.store import leads, partners, records, resources
from service.store.unit import Told, Unit

_OVER = ("completed", "rejected", "cancelled")


async def ask_primary(
    context: Context, unit: Unit, source: str, notice: JsonObject, why: str, now: datetime
) -> str:
    """A provider is not told: a Task, asked once, and an event. Answers `Task/…`."""
    patient = str(notice["subject"]["reference"])
    task = {
        **await _task(unit, source, "tell-provider", patient, now),
        "description": "A provider may not be told that the case ends. completed: settled with the client's consent or "
        "otherwise; rejected: they are not told.",
        "focus": {"reference": f"Communication/{notice['id']}"},
        "reasonCode": {"text": why},
    }
    id_ = _not_told(source, notice)
    if await _ask(context, unit, source, task, id_, now):
        more = {"agency": notice["recipient"][0].get("reference", ""), "reason": why}
        await tell(unit, source, "closing-not-told", patient, now, {**more, "task": f"Task/{id_}"})
    return f"Task/{id_}"


def _not_told(source: str, notice: JsonObject) -> str:
    return derived_id("closing-not-told", source, str(notice["id"]))


async def told_otherwise(
    context: Context, unit: Unit, source: str, notice: JsonObject, now: datetime
) -> None:
    """The provider was told after all: what was asked about it is settled."""
    id_ = _not_told(source, notice)
    row = (await resources.lock(unit, [("Task", id_)])).get(("Task", id_))
    task = decode_object(row.body) if row is not None and row.body else {}
    if row is not None and task.get("status") not in (None, *_OVER):
        unit.put(version_of(context, {**task, "status": "completed"}, id_, row, source, now))


async def answered_by(
    context: Context,
    unit: Unit,
    source: str,
    document: str,
    patient: str,
    now: datetime,
    *,
    done: bool | None,
) -> None:
    """The Task after an unexpected exit. `done`: the client is linked to other services; None: there was no exit."""
    id_ = derived_id("closing-exit", source, document)
    row = (await resources.lock(unit, [("Task", id_)])).get(("Task", id_))
    if row is None and done is False:
        task = {
            **await _task(unit, source, "find-other-service", patient, now),
            "description": "The client left, or had to, without a plan: link them to other services.",
            "focus": {"reference": document},
        }
        await _ask(context, unit, source, task, id_, now)
        await tell(unit, source, "closing-unexpected", patient, now, {"task": f"Task/{id_}"})
    elif row is not None and row.body:
        task = decode_object(row.body)
        status = "cancelled" if done is None else "completed" if done else "requested"
        if task["status"] != status and task["status"] != "rejected":
            unit.put(version_of(context, {**task, "status": status}, id_, row, source, now))


async def tell(unit: Unit, source: str, kind: str, patient: str, now: datetime, more: JsonObject) -> None:
    """The casework system hears of it, in the words of its client."""
    kept = await records.becoming(unit, source, patient)
    client = {"client": kept.id} if kept else {}
    unit.tell(Told(source, kind, now, encode({"kind": kind, "at": instant(now), **client, **more})))


async def _ask(context: Context, unit: Unit, source: str, task: JsonObject, id_: str, now: datetime) -> bool:
    """Was it new?"""
    key = ("Task", id_)
    if unit.collects(*key) or key in await resources.lock(unit, [key]):
        return False
    unit.put(version_of(context, task, id_, None, source, now))
    return True


async def _task(unit: Unit, source: str, code: str, patient: str, now: datetime) -> JsonObject:
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": {"coding": [{"system": DUE_TASK, "code": code}]},
        "for": {"reference": patient},
        "authoredOn": instant(now),
        "owner": {"reference": await _primary(unit, source, patient)},
    }


async def _primary(unit: Unit, source: str, patient: str) -> str:
    """Who leads, or led last, where the home agency may ask them; else the home agency."""
    home = await partners.find(unit, source)
    case = await leads.last_of(unit, patient)
    lead = case.course.leads[-1].worker if case and case.course.leads else None
    ours = lead is not None and await speaks_for(unit, home.organization, lead.agency)
    return lead.reference if lead is not None and ours else home.organization
