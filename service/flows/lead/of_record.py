"""A client's record says who leads. What it says anew is a wish; what it says still is none.

A record that was filed with Victoria and is filed with Ana asks for that change, if Victoria leads. If somebody else
leads by now, the two said to lead are a conflict. A record filed as it was changes nothing, however old it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from service.casework.records.client import Client
from service.coordination.leading import Assign, Close, Conflict, Transfer, Wish, Worker
from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.lead.covers import follow_covers
from service.flows.lead.steer import in_words, steer
from service.flows.lead.truth import EPISODE, team_key, truthful
from service.flows.lead.who import ABOUT, speaks_for, weigh_worker, worker_of_record
from service.kernel.ids import new_id
from service.store import leads, partners, resources
from service.store.leads import Case
from service.store.unit import Unit

_ENDED = ("finished", "cancelled", "entered-in-error")


@dataclass(frozen=True, slots=True)
class Followed:
    """The record's resources, true to who leads, and notes for the one who filed it."""

    resources: list[JsonObject]
    issues: list[Issue]


async def follow_record(
    context: Context,
    unit: Unit,
    caller: Caller,
    record: Client,
    before: Client | None,
    made: Sequence[JsonObject],
    now: datetime,
) -> Followed:
    """Do what the record asks of the lead, in the unit that files it. Refused when a rule forbids it."""
    episode = next((each for each in made if each["resourceType"] == EPISODE), None)
    if episode is None:
        return Followed(list(made), [])
    patient = str(episode["patient"]["reference"])
    case = await leads.lock(unit, patient)
    if case is not None and case.patient != patient:
        return Followed(list(made), [])  # merged into another Patient, whose case it is now
    case = replace(case, client=record.id) if case else None
    issues: list[Issue] = []
    if episode["status"] in _ENDED:
        if case is not None:
            case = (await steer(context, unit, case, Close(), now)).case
    else:
        fresh = case or Case(new_id(), str(episode["id"]), patient, caller.client_id, client=record.id)
        case, issues = await _wished(context, unit, caller, record, before, fresh, made, now)
        if case is not None and case.course.lead is not None:
            case = await follow_covers(context, unit, caller, record, before, case, now)
    case = case or await leads.last_of(unit, patient)
    if case is None:
        return Followed(list(made), issues)
    held = await resources.lock(unit, [("EpisodeOfCare", case.episode), team_key(case.source, record.id)])
    return Followed(await truthful(unit, made, case, record.id, held, now), issues)


async def _wished(
    context: Context, unit: Unit, caller: Caller, record: Client, before: Client | None, case: Case,
    made: Sequence[JsonObject], now: datetime,
) -> tuple[Case | None, list[Issue]]:  # fmt: skip
    """Who is to lead by this record, and what comes of it."""
    said = record.episode.primary_case_manager if record.episode else None
    filed = before.episode.primary_case_manager if before and before.episode else None
    lead = case.course.lead
    if said is None:
        return (case, [_stays(case)]) if lead and filed else (case if lead else None, [])
    worker = await worker_of_record(unit, said, caller.client_id, caller.organization)
    if lead is not None and lead.worker == worker:
        return case, []
    if lead is not None and said == filed:
        return case, [_stays(case)]
    home = await partners.find(unit, caller.client_id)
    about = [each for each in made if each["resourceType"] in ABOUT]
    issues = await weigh_worker(context, unit, worker, about, home, now)
    if lead is None:
        step = await steer(context, unit, case, Assign(worker), _since(context, record, before, now))
        return step.case, issues
    wish: Wish = Assign(worker)
    if filed is not None and filed == lead.worker.record:
        wish = await transfer(unit, caller.organization, lead.worker, worker)
    step = await steer(context, unit, case, wish, now)
    if isinstance(step.verdict, Conflict) or step.task:
        issues.append(_stays(step.case, step.task))
    return step.case, issues


async def transfer(unit: Unit, home: str, lead: Worker, worker: Worker) -> Transfer:
    """The casework system asks: for its own agency, and for those that have no system of their own."""
    ours, theirs = await speaks_for(unit, home, lead.agency), await speaks_for(unit, home, worker.agency)
    by = lead.agency if ours else worker.agency if theirs else home
    return Transfer(worker, by, new_id(), both=ours and theirs)


def _since(context: Context, record: Client, before: Client | None, now: datetime) -> datetime:
    """A case that is filed for the first time has been led since it began; else from now on."""
    began = record.episode.start if record.episode else None
    if began is None or (before is not None and before.episode is not None):
        return now
    try:
        start = datetime.fromisoformat(began)
    except ValueError:
        return now  # a month or a year only
    zoned = start if start.tzinfo else start.replace(tzinfo=context.settings.zone)
    return min(zoned.astimezone(UTC), now)


def _stays(case: Case, task: str = "") -> Issue:
    lead = case.course.lead
    name = in_words(lead.worker)["caseManager"] if lead else "nobody"
    why = f"; {task} asks" if task else "; Patient/$primary-case-manager asks for a change"
    text = f"{name} leads this case and goes on leading{why}"
    return Issue("information", "informational", text, "/episode/primaryCaseManager", "lead-stays")
