"""The lead of a case moves, or does not: decide, remember, tell, in one commit with all that follows."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from service.consent.permit import Deny
from service.coordination.leading import (
    Answer,
    Asked,
    Conflict,
    Course,
    Moved,
    Refusal,
    Same,
    Verdict,
    Wish,
    Worker,
    decide,
    parties,
)
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.outcome import Issue
from service.flows.context import Context
from service.flows.lead.who import supervisor_of
from service.flows.permit import PURPOSE, weighed
from service.flows.writing import row_of, version_of
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.kernel.ids import derived_id
from service.mapping import lead as told
from service.store import leads, partners, records, resources, timers
from service.store.leads import Case
from service.store.unit import Put, Shared, Told, Unit


@dataclass(frozen=True, slots=True)
class Step:
    """The case afterwards, what was decided, and the Task that came of it."""

    case: Case
    verdict: Verdict
    task: str = ""


async def steer(
    context: Context, unit: Unit, case: Case, wish: Wish, now: datetime, reason: str = ""
) -> Step:
    """Decide and remember. EpisodeOfCare and CareTeam are the caller's to write (truth.py), for it may have more to say
    in them. Refused("unprocessable") with the sentence of the rule."""
    verdict = decide(case.course, wish, now)
    match verdict:
        case Refusal():
            issue = Issue("error", "business-rule", verdict.text, "/episode/primaryCaseManager", "lead-move")
            raise Refused("unprocessable", verdict.text, [issue])
        case Same():
            return Step(case, verdict)
        case Conflict():
            return Step(case, verdict, await _ask_supervisors(context, unit, case, verdict, now))
        case Moved():
            return await _move(context, unit, case, wish, verdict, now, reason)
        case _ as never:
            assert_never(never)


async def _move(
    context: Context, unit: Unit, case: Case, wish: Wish, verdict: Moved, now: datetime, reason: str
) -> Step:
    before, after = case.course, leads.moved(case, verdict.course)
    if before.leads:
        await leads.keep(unit, case, verdict.course)
    else:
        await leads.open_(unit, after)
    await timers.stir(unit, case.patient)
    task = ""
    if verdict.happened == "lead-transfer-requested" and verdict.course.asked:
        task = await _ask_agency(context, unit, after, verdict.course.asked, reason, now)
    elif before.asked and verdict.course.asked is None and not isinstance(wish, Answer):
        await call_off(context, unit, before.asked, case, now)
    if verdict.happened not in ("lead-closed", "cover-planned", "cover-ended"):
        await tell(unit, after, verdict.happened, now, task=task or _task_of(before), before=before)
    return Step(after, verdict, task)


def _task_of(course: Course) -> str:
    return f"Task/{course.asked.id}" if course.asked else ""


async def tell(
    unit: Unit, case: Case, kind: str, now: datetime, *, task: str = "", before: Course | None = None,
    more: JsonObject | None = None,
) -> None:  # fmt: skip
    """The casework system hears of it in its own words: its client, its case managers."""
    kept = None if case.client else await records.becoming(unit, case.source, case.patient)
    client = kept.id if kept else case.client
    body: JsonObject = {"kind": kind, "at": instant(now)}
    if client:
        body["client"] = client
    if case.course.lead is not None:
        body["lead"] = in_words(case.course.lead.worker)
    if case.course.asked is not None:
        body["next"] = in_words(case.course.asked.taker)
    if kind == "lead-transferred" and before and before.lead:
        body["previous"] = in_words(before.lead.worker)
    if task:
        body["task"] = task
    unit.tell(Told(case.source, kind, now, encode({**body, **(more or {})})))


def in_words(worker: Worker) -> JsonObject:
    """A worker in an event: the record's id where it has one, else the reference."""
    return {"caseManager": worker.record or worker.reference, "agency": worker.agency}


async def _ask_agency(
    context: Context, unit: Unit, case: Case, asked: Asked, reason: str, now: datetime
) -> str:
    """The Task that both agencies see. The client's consent must let the other know of the case."""
    owner = parties(case.course, asked)[1]
    task = told.transfer_task(asked, owner, case.course, case.patient, case.episode, case.source, reason, now)
    put = version_of(context, task, asked.id, None, case.source, now)
    for organization in {asked.by, owner}:
        partner = await partners.of_organization(unit, organization)
        if partner is None or partner.client_id == case.source:
            continue
        if isinstance(await weighed(context, unit, organization, [row_of(put)], PURPOSE), Deny):
            text = f"the client's consents do not let {partner.name} know of this case; nothing was asked"
            raise Refused("unprocessable", text, [Issue("error", "business-rule", text, rule="lead-consent")])
        _share(unit, partner.client_id, asked.id, [case.patient, f"EpisodeOfCare/{case.episode}"], now)
    unit.put(put)
    return f"Task/{asked.id}"


def _share(unit: Unit, party: str, task: str, references: list[str], now: datetime) -> None:
    """Made known by the Task; whether it may be seen is asked of the consents at each read."""
    for reference in (f"Task/{task}", *references):
        type_, _, id_ = reference.partition("/")
        unit.share(Shared(party, type_, id_, task, now))


async def call_off(context: Context, unit: Unit, asked: Asked, case: Case, now: datetime) -> None:
    """What was asked has no object any more: its Task says so."""
    row = (await resources.lock(unit, [("Task", asked.id)])).get(("Task", asked.id))
    if row is None or row.body is None or unit.collects("Task", asked.id):
        return
    task = {
        **decode_object(row.body),
        "status": "cancelled",
        "statusReason": {"text": "the case went on without it"},
    }
    unit.put(version_of(context, task, asked.id, row, row.author, now))


async def _ask_supervisors(
    context: Context, unit: Unit, case: Case, conflict: Conflict, now: datetime
) -> str:
    """A Task to the supervisor of each, with the facts each may see; asked once for the same two."""
    tasks = []
    for side in (conflict.lead.worker, conflict.claimed):
        parts = (case.id, conflict.lead.worker.reference, conflict.claimed.reference)
        id_ = derived_id("lead-conflict", *parts, side.reference)
        tasks.append(id_)
        key = ("Task", id_)
        if unit.collects(*key) or key in await resources.lock(unit, [key]):
            return f"Task/{tasks[0]}"
        await _ask_supervisor(context, unit, case, conflict, side, id_, now)
    more: JsonObject = {"claimed": in_words(conflict.claimed)}
    await tell(unit, case, "lead-conflict", now, task=f"Task/{tasks[0]}", more=more)
    return f"Task/{tasks[0]}"


async def _ask_supervisor(
    context: Context, unit: Unit, case: Case, conflict: Conflict, side: Worker, id_: str, now: datetime
) -> None:
    owner = await supervisor_of(unit, side)
    partner = await partners.of_organization(unit, side.agency)
    abroad = partner is not None and partner.client_id != case.source
    names = not abroad or await _may_know(context, unit, case, side.agency)
    task = told.conflict_task(id_, conflict, owner, case.patient, case.episode, case.source, now, names=names)
    put: Put = version_of(context, task, id_, None, case.source, now)
    unit.put(put)
    if partner is not None and abroad:
        _share(unit, partner.client_id, id_, [], now)


async def _may_know(context: Context, unit: Unit, case: Case, organization: str) -> bool:
    """Would the client's consents let this agency see the episode, and so who leads it?"""
    row = await resources.read(unit, "EpisodeOfCare", case.episode, None)
    if row is None or row.deleted:
        return False
    return not isinstance(await weighed(context, unit, organization, [row], PURPOSE), Deny)
