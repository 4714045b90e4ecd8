"""The people at the agency: what they do with a referral that is asked of them.

They work at a desk: their own server's store, or (direct light) the Task on Casebridge itself.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol

from service.fhir.json import JsonObject
from service.kernel.clock import instant, system_clock
from service.simulator.behaviour import Manner
from service.simulator.casebridge import Casebridge
from service.simulator.store import Put, Refusal, Store

SDOHCC_CODES = "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"
REASON = "No room for a family before May."
AGREED = "Stopped, as you asked."
REFUSED = "It is all but done."
WAITS = "No place before the autumn course; on our waiting list."
OPEN = ("requested", "received", "accepted", "in-progress", "on-hold")
_BSER = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
_BSER_CODES = {
    "accepted": "3.0", "rejected": "4.0", "in-progress": "5.1.1", "cancelled": "6.0", "completed": "7.0",
}  # fmt: skip
"""In BSeR the work begins with an appointment: 5.1.1, service request fulfillment appointment scheduled."""
Say = Callable[[str], None]


class Desk(Protocol):
    """Where the Task lies that the staff works on."""

    async def read(self, id_: str) -> tuple[JsonObject, str] | None:
        """The Task and its ETag; None if it is gone."""

    async def write(self, task: JsonObject, etag: str) -> bool:
        """Replace the Task; False if somebody was faster."""

    async def create(self, resource: JsonObject) -> str:
        """A new resource beside the Task; its reference."""


class OwnDesk:
    """The agency's own store (direct referral)."""

    def __init__(self, store: Store, new_id: Callable[[], str]) -> None:
        self._store = store
        self._new_id = new_id

    async def read(self, id_: str) -> tuple[JsonObject, str] | None:
        """As Desk."""
        found = self._store.current("Task", id_)
        return (found.resource, str(found.number)) if found and found.resource else None

    async def write(self, task: JsonObject, etag: str) -> bool:
        """As Desk."""
        try:
            self._store.keep([Put("Task", str(task["id"]), task, int(etag))])
        except Refusal:
            return False
        return True

    async def create(self, resource: JsonObject) -> str:
        """As Desk."""
        [made] = self._store.keep([Put(str(resource["resourceType"]), self._new_id(), resource)])
        return made.reference


class TheirDesk:
    """The Task on Casebridge (direct light): read, PUT with If-Match, POST the Procedure there."""

    def __init__(self, casebridge: Casebridge) -> None:
        self._casebridge = casebridge

    async def read(self, id_: str) -> tuple[JsonObject, str] | None:
        """As Desk."""
        answer = await self._casebridge.ask("GET", f"/fhir/Task/{id_}")
        return (answer.body, answer.headers.get("etag", "")) if answer.ok else None

    async def write(self, task: JsonObject, etag: str) -> bool:
        """As Desk."""
        answer = await self._casebridge.ask("PUT", f"/fhir/Task/{task['id']}", task, {"If-Match": etag})
        return answer.ok

    async def create(self, resource: JsonObject) -> str:
        """As Desk."""
        answer = await self._casebridge.ask("POST", f"/fhir/{resource['resourceType']}", resource)
        if not answer.ok or not isinstance(answer.body, dict):
            raise Refusal(answer.status, "processing", answer.sentence)
        return f"{resource['resourceType']}/{answer.body['id']}"


async def work(desk: Desk, id_: str, manner: Manner, say: Say) -> None:
    """Take one referral from where it stands to its end, step by step, as the manner of the agency is."""
    while True:
        await asyncio.sleep(manner.step)
        found = await desk.read(id_)
        if found is None or found[0].get("status") not in OPEN:
            return
        task, etag = found
        if _code(task) == "abort":
            await _answer(desk, task, etag, manner, say)
            return
        step = await _next(desk, task, manner)
        if step is not None:
            await _write(desk, task, etag, _spoken(step, manner), say)


async def _write(desk: Desk, task: JsonObject, etag: str, step: JsonObject, say: Say) -> bool:
    done = await desk.write({**task, **step, "lastModified": instant(system_clock())}, etag)
    if done:
        reason = step.get("statusReason", {}).get("text")
        say(f"staff: Task/{task['id']} is now {step['status']}" + (f" ({reason})" if reason else ""))
    return done


def _spoken(step: JsonObject, manner: Manner) -> JsonObject:
    """The step as the dialect says it: BSeR adds its business status."""
    if manner.dialect != "bser":
        return step
    return {**step, **spoken(_BSER_CODES[step["status"]])}


def spoken(code: str) -> JsonObject:
    """A business status of BSeR."""
    return {"businessStatus": {"coding": [{"system": _BSER, "code": code}]}}


async def _next(desk: Desk, task: JsonObject, manner: Manner) -> JsonObject | None:
    """The next step; None while it waits for somebody to ask."""
    if manner.dialect == "cow" and task["status"] == "requested":
        return {"status": "received"}
    asked = _business(task) == "5.2"
    match task["status"], manner.behaviour:
        case (("requested" | "received"), "reject"):
            return {"status": "rejected", "statusReason": {"text": REASON}}
        case (("requested" | "received"), _):
            return {"status": "accepted"}
        case (("accepted" | "on-hold"), "waitlist"):
            waits = task["status"] == "on-hold" or manner.dialect == "bser"  # which has no word for it
            return None if waits else await _waiting(desk, task)
        case "on-hold", _:
            return {"status": "in-progress", "output": await _enrolled(desk, task, "enrolled")}
        case "accepted", _:
            return {"status": "in-progress"}
        case _, "insist" if asked:
            return await _done(desk, task)
        case _ if asked:
            return {"status": "cancelled", "statusReason": {"text": AGREED}}
        case _, ("linger" | "insist"):
            return None
    return await _done(desk, task)


async def _done(desk: Desk, task: JsonObject) -> JsonObject:
    procedure = await desk.create(dict(_procedure(task)))
    kind = {"coding": [{"system": SDOHCC_CODES, "code": "resulting-activity"}]}
    output = {"type": kind, "valueReference": {"reference": procedure, "display": _activity(task)}}
    return {"status": "completed", "output": [*task.get("output", []), output]}


async def _waiting(desk: Desk, task: JsonObject) -> JsonObject:
    why = {"coding": [{"system": SDOHCC_CODES, "code": "waitlist"}], "text": WAITS}
    output = await _enrolled(desk, task, "not-enrolled-on-waitlist")
    return {"status": "on-hold", "statusReason": why, "output": output}


async def _enrolled(desk: Desk, task: JsonObject, stands: str) -> list[JsonObject]:
    """The Task's output with an Observation of where the client stands with the programme (SDOHCC 3.0)."""
    sdoh = {"system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "code": "sdoh"}
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {"coding": [sdoh]},
            {"coding": [{"system": SDOHCC_CODES, "code": "program-enrollment"}]},
        ],
        "code": {"text": _activity(task)},
        "subject": task["for"],
        "effectiveDateTime": instant(system_clock()),
        "valueCodeableConcept": {"coding": [{"system": SDOHCC_CODES, "code": stands}]},
    }
    kind = {"coding": [{"system": SDOHCC_CODES, "code": "additional-content"}]}
    named = {"type": kind, "valueReference": {"reference": await desk.create(observation)}}
    return [*task.get("output", []), named]


async def _answer(desk: Desk, abort: JsonObject, etag: str, manner: Manner, say: Say) -> None:
    """COW: we are asked to stop. Agreed, the referral is cancelled; refused, it is brought to its end."""
    id_ = abort["focus"]["reference"].rpartition("/")[2]
    if manner.behaviour == "insist":
        refusal = {"status": "rejected", "statusReason": {"text": REFUSED}}
        await _write(desk, abort, etag, refusal, say)
        await asyncio.sleep(manner.step)
        await _end(desk, id_, say, agreed=False)
    elif await _end(desk, id_, say, agreed=True):
        await _write(desk, abort, etag, {"status": "completed"}, say)
    else:
        late = {"status": "rejected", "statusReason": {"text": "It has ended already."}}
        await _write(desk, abort, etag, late, say)


async def _end(desk: Desk, id_: str, say: Say, *, agreed: bool) -> bool:
    """The referral cancelled, or else completed; False when it has ended already."""
    while (found := await desk.read(id_)) is not None and found[0].get("status") in OPEN:
        task, etag = found
        cancelled = {"status": "cancelled", "statusReason": {"text": AGREED}}
        if await _write(desk, task, etag, cancelled if agreed else await _done(desk, task), say):
            return True
    return False


def _code(task: JsonObject) -> str:
    return next((str(each.get("code")) for each in task.get("code", {}).get("coding", [])), "")


def _business(task: JsonObject) -> str:
    return next((str(each.get("code")) for each in task.get("businessStatus", {}).get("coding", [])), "")


def _procedure(task: JsonObject) -> Iterator[tuple[str, object]]:
    """What was done for the client, based on what was asked."""
    yield "resourceType", "Procedure"
    yield "status", "completed"
    yield "code", {"text": _activity(task)}
    yield "subject", task["for"]
    if "focus" in task:
        yield "basedOn", [task["focus"]]
    yield "performedDateTime", instant(system_clock())


def _activity(task: JsonObject) -> str:
    return str(task.get("description") or "the service that was asked for")
