"""Nobody is left alone: when who leads works no longer, or an agency that was asked for a service is closed, somebody
is asked to see to it, once (004 CA-CM 2.04, 6.03). What has been seen to completes the Task.

Computed at each look, as what is due is; so it survives whatever stops the service, and says nothing twice.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.casework.records import Record
from service.casework.records.agency import Agency
from service.casework.records.case_manager import CaseManager
from service.coordination.leading import Answer, EndCover
from service.fhir.json import JsonObject, decode_object, encode
from service.flows.context import Context
from service.flows.due.gather import Known
from service.flows.due.owners import Owners
from service.flows.due.task import OVER, owner_of
from service.flows.lead.steer import call_off, in_words, steer
from service.flows.lead.truth import write_truth
from service.flows.lead.who import works
from service.flows.writing import version_of
from service.kernel.clock import instant
from service.kernel.ids import derived_id
from service.mapping import lead as told
from service.store import agencies, leads, resources
from service.store.leads import Case
from service.store.unit import Told, Unit

FIND_LEAD, FIND_SERVICE = "assign-primary", "find-other-service"
_SENTENCES = {
    FIND_LEAD: "Who leads this case works no longer. Please name who is to lead (Patient/$primary-case-manager).",
    FIND_SERVICE: "The agency that was asked is closed. Please withdraw the referral and find another service.",
}


@dataclass(frozen=True, slots=True)
class Alone:
    """Something that nobody sees to any more, if `so`; `event` is told of it."""

    id: str
    code: str
    so: bool
    focus: str
    event: JsonObject


async def left_alone(
    context: Context, unit: Unit, known: Known, case: Case | None, owners: Owners, now: datetime
) -> None:
    """Ask whoever must act, for each thing that nobody sees to; complete what is seen to again."""
    if case is not None and case.course.lead is not None:
        await _release(context, unit, case, now)
    found = [each async for each in _found(unit, known, case, owners)]
    held = await resources.lock(unit, [("Task", each.id) for each in found])
    for each in found:
        row = held.get(("Task", each.id))
        old = decode_object(row.body) if row and row.body else None
        if each.so and old is None:
            task = told.alone_task(each.code, _SENTENCES[each.code], known.patient, each.focus, now)
            task |= {
                "id": each.id,
                "owner": {"reference": owner_of(owners.lead or "", known, owners.organization)},
            }
            unit.put(version_of(context, task, each.id, None, known.source, now))
            body = {"at": instant(now), "client": known.client.id, "task": f"Task/{each.id}",
                    "owner": owners.lead or "", **each.event}  # fmt: skip
            unit.tell(Told(known.source, each.event["kind"], now, encode(body)))
        elif not each.so and old is not None and old.get("status") not in OVER:
            unit.put(version_of(context, {**old, "status": "completed"}, each.id, row, known.source, now))


async def _found(unit: Unit, known: Known, case: Case | None, owners: Owners) -> AsyncIterator[Alone]:
    for lead in case.course.leads if case else ():
        so = owners.alone and lead.ends is None
        event = {"kind": "lead-left-alone", "lead": in_words(lead.worker)}
        id_ = derived_id("left-alone", case.id if case else "", instant(lead.starts))
        yield Alone(id_, FIND_LEAD, so, f"EpisodeOfCare/{case.episode if case else ''}", event)
    asked = await agencies.asked(unit, known.patient)
    closed = await agencies.closed(unit, [each.organization for each in asked])
    for each in asked:
        so = each.organization in closed and not each.closed and known.case.open
        event = {"kind": "referral-left-alone", "referral": each.record, "partner": each.partner}
        yield Alone(derived_id("left-alone", each.loop), FIND_SERVICE, so, each.request, event)


async def _release(context: Context, unit: Unit, case: Case, now: datetime) -> None:
    """Who works no longer is neither to lead nor to stand in."""
    asked, lead = case.course.asked, case.course.lead
    refuses = asked is not None and not await works(unit, asked.taker)
    covers = [each for each in case.course.covers if each.ends > now and not await works(unit, each.worker)]
    locked = await leads.lock(unit, case.patient) if refuses or covers else None
    if locked is None or locked.course.asked != asked or lead is None:
        return  # somebody moves it in this moment: looked at again
    if asked is not None and refuses:
        locked = (await steer(context, unit, locked, Answer(asked.id, asked.by, "cancelled"), now)).case
        await call_off(context, unit, asked, locked, now)
    for cover in covers:
        locked = (await steer(context, unit, locked, EndCover(cover, lead.worker.agency), now)).case
    if covers:
        await write_truth(context, unit, locked, now)


async def somebody_left(unit: Unit, record: Record, previous: Record | None, made: Sequence[str]) -> None:
    """An agency or a case manager works no longer, or works again: whom that concerns is looked at. `made`: references
    to what the record becomes."""
    if not isinstance(record, Agency | CaseManager):
        return
    if isinstance(previous, Agency | CaseManager) and previous.active == record.active:
        return
    await agencies.stir(unit, made)
