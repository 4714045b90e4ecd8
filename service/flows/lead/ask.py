"""Patient/[id]/$primary-case-manager: who leads, and a way to say who is to lead or to stand in.

Read by whoever may know of the client's case: that somebody manages it is itself Part 2 data at a Part 2 programme. To
all others there is nothing here, whether there is a case or not; an agency always sees what is its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.coordination.leading import (
    Assign,
    Conflict,
    Cover,
    EndCover,
    Moved,
    StandIn,
    Transfer,
    Wish,
    Worker,
)
from service.fhir.json import JsonObject, decode_object
from service.fhir.outcome import Issue, operation_outcome
from service.fhir.references import local
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.lead.of_record import transfer
from service.flows.lead.steer import Step, steer
from service.flows.lead.truth import write_truth
from service.flows.lead.who import ABOUT, PERSON, ROLE, moment, speaks_for, weigh_worker, worker_of
from service.flows.permit import may_see
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.mapping import lead as told
from service.store import leads, partners, resources
from service.store.leads import Case
from service.store.unit import Unit

_OPEN = ("planned", "waitlist", "active", "onhold")
TYPE = "EpisodeOfCare"


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked. `worker`, `agency`, `instead`: references, empty where not said. `cover`: to stand in from `start`
    to `end`, not to lead. `instead` is who leads by what the asker knows."""

    worker: str
    agency: str = ""
    instead: str = ""
    reason: str = ""
    cover: bool = False
    start: str = ""
    end: str = ""


async def who_leads(context: Context, caller: Caller, id_: str) -> JsonObject:
    """Parameters. Refused("absent") where there is nothing that the caller may know."""
    caller.require(TYPE, "r")
    async with context.database.reading() as connection:
        await _expect_client(connection, caller, id_)
        case = await leads.last_of(connection, f"Patient/{id_}")
        if case is None:
            raise _nothing()
        return await _answer(context, connection, caller, case)


async def say_who(context: Context, caller: Caller, id_: str, asking: Asking) -> JsonObject:
    """Do or ask what is said; Parameters with `happened`. Refused: absent, forbidden, unprocessable, malformed."""
    caller.require(TYPE, "u")
    now = context.clock()
    patient = f"Patient/{id_}"
    async with context.database.unit() as unit:
        await _expect_client(unit, caller, id_)
        case = await leads.lock(unit, patient)
        home = await partners.home(unit)
        if home is None or (case is None and not caller.custodian):
            raise _nothing()
        worker = await _worker(unit, asking, home.client_id, caller)
        if case is None:
            case = Case(new_id(), await _episode(unit, patient, home.client_id), patient, home.client_id)
        elif not caller.custodian and caller.organization not in (
            worker.agency, case.course.leads[-1].worker.agency
        ):  # fmt: skip
            raise _nothing()
        wish = await _wish(unit, caller, case, worker, asking, now, context)
        about = await resources.of_patients(unit, [patient], list(ABOUT))
        said = [decode_object(row.body) for row in about if row.body]
        issues = (
            [] if isinstance(wish, EndCover) else await weigh_worker(context, unit, worker, said, home, now)
        )
        step = await steer(context, unit, case, wish, now, asking.reason)
        if isinstance(step.verdict, Moved) and step.verdict.happened != "lead-transfer-requested":
            await write_truth(context, unit, step.case, now)
    async with context.database.reading() as connection:
        answer = await _answer(context, connection, caller, step.case)
    return {**answer, "parameter": [_happened(step), *_task(step), *answer["parameter"], *_notes(issues)]}


async def _expect_client(connection: Any, caller: Caller, id_: str) -> None:
    row = await resources.read(connection, "Patient", id_, caller.viewer)
    if row is None or row.deleted:
        raise _nothing()


def _nothing() -> Refused:
    text = "there is no case of this client here"
    return Refused("absent", text, [Issue("error", "not-found", text)])


async def _worker(unit: Unit, asking: Asking, source: str, caller: Caller) -> Worker:
    key = local(asking.worker)
    if key is None or key[0] not in (ROLE, PERSON):
        raise Refused("malformed", "caseManager is a reference to a PractitionerRole or a Practitioner here")
    found = await worker_of(unit, "/".join(key), source, asking.agency or caller.organization)
    if await resources.read(unit, *key, None) is None:
        raise Refused(
            "unprocessable", "this case manager is not known here; file their PractitionerRole first"
        )
    return found


async def _episode(unit: Unit, patient: str, source: str) -> str:
    """The open episode that the casework system has filed of the client."""
    for row in await resources.of_patients(unit, [patient], [TYPE]):
        if row.author == source and row.body and decode_object(row.body).get("status") in _OPEN:
            return row.id
    text = "the client has no open episode; file the client's record with one first"
    raise Refused("unprocessable", text, [Issue("error", "business-rule", text)])


async def _wish(
    unit: Unit, caller: Caller, case: Case, worker: Worker, asking: Asking, now: datetime, context: Context
) -> Wish:
    lead = case.course.lead
    if asking.cover:
        return await _cover(unit, caller, case, worker, asking, now, context)
    if lead is None:
        return Assign(worker)
    if not caller.custodian:
        return Transfer(worker, caller.organization, new_id())
    wish = await transfer(unit, caller.organization, lead.worker, worker)
    known = asking.instead and (await worker_of(unit, asking.instead, case.source, "")).reference
    # at once only for who knows whom they replace: two assignments that race are a conflict, not an overwrite
    return Assign(worker) if wish.both and known != lead.worker.reference else wish


async def _cover(
    unit: Unit, caller: Caller, case: Case, worker: Worker, asking: Asking, now: datetime, context: Context
) -> Wish:
    lead = case.course.lead
    by = caller.organization
    if lead and caller.custodian and await speaks_for(unit, caller.organization, lead.worker.agency):
        by = lead.worker.agency
    starts, ends = moment(asking.start, context) or now, moment(asking.end, context)
    planned = next((each for each in case.course.covers if each.worker == worker and now < each.ends), None)
    if planned is not None and not asking.start and ends is not None and ends <= now:
        return EndCover(planned, by)
    if ends is None:
        raise Refused(
            "malformed", "a cover has an end: give start and end; an end that is over ends the cover now"
        )
    return StandIn(Cover(worker, starts, ends), by)


async def _answer(context: Context, connection: Any, caller: Caller, case: Case) -> JsonObject:
    """The case as the caller may know it."""
    course = case.course
    row = await resources.read(connection, TYPE, case.episode, None)
    whole = row is not None and not row.deleted and await may_see(context, connection, caller, row)
    lead = course.leads[-1]
    cover = course.cover_at(context.clock())
    own = {
        lead.worker.agency,
        course.asked.taker.agency if course.asked else "",
        cover.worker.agency if cover else "",
    }
    if not whole and caller.organization not in own:
        raise _nothing()
    parameters: list[JsonObject] = []
    if whole or lead.worker.agency == caller.organization:
        parameters += _lead(case, course.closed)
    if cover and (whole or cover.worker.agency == caller.organization):
        parameters.append({"name": "cover", "part": _standing(cover, case.source)})
    if course.asked and (whole or caller.organization in (course.asked.by, course.asked.taker.agency)):
        parameters.append(_reference("transfer", {"reference": f"Task/{course.asked.id}"}))
    if whole:
        parameters += [{"name": "planned", "part": _standing(each, case.source)} for each in course.covers
                       if context.clock() < each.starts]  # fmt: skip
        parameters.append({"name": "workers", "valueInteger": await leads.workers(connection, case.patient)})
        parameters += [
            {"name": "before", "part": _past(each, case.source)} for each in course.leads if each.ends
        ]
    return {"resourceType": "Parameters", "parameter": parameters}


def _lead(case: Case, closed: datetime | None) -> list[JsonObject]:
    lead = case.course.leads[-1]
    said = [
        _reference("caseManager", told.reference(lead.worker, case.source)),
        _reference("agency", {"reference": lead.worker.agency}),
        {"name": "since", "valueInstant": instant(lead.starts)},
    ]
    return [{"name": "closed", "valueInstant": instant(closed)}] if closed else said


def _standing(cover: Cover, source: str) -> list[JsonObject]:
    return [
        _reference("caseManager", told.reference(cover.worker, source)),
        _reference("agency", {"reference": cover.worker.agency}),
        {"name": "start", "valueInstant": instant(cover.starts)},
        {"name": "end", "valueInstant": instant(cover.ends)},
    ]


def _past(lead: Any, source: str) -> list[JsonObject]:
    return [
        _reference("caseManager", told.reference(lead.worker, source)),
        _reference("agency", {"reference": lead.worker.agency}),
        {"name": "start", "valueInstant": instant(lead.starts)},
        {"name": "end", "valueInstant": instant(lead.ends)},
    ]


def _reference(name: str, reference: JsonObject) -> JsonObject:
    return {"name": name, "valueReference": reference}


def _happened(step: Step) -> JsonObject:
    match step.verdict:
        case Moved(happened=happened):
            return {"name": "happened", "valueCode": happened}
        case Conflict():
            return {"name": "happened", "valueCode": "lead-conflict"}
        case _:
            return {"name": "happened", "valueCode": "nothing"}


def _task(step: Step) -> list[JsonObject]:
    conflict = isinstance(step.verdict, Conflict)
    return [_reference("task", {"reference": step.task})] if conflict and step.task else []


def _notes(issues: Sequence[Issue]) -> list[JsonObject]:
    return [{"name": "outcome", "resource": operation_outcome(list(issues))}] if issues else []
