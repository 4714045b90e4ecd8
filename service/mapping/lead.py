"""Who leads, in FHIR: EpisodeOfCare.careManager and statusHistory, the CareTeam with its periods, the Tasks about it.

Pure, and the same whether the lead moved by a record, by an operation or by a partner's Task: what is there is taken,
and made true. A team of one is said by careManager; the CareTeam is there as soon as somebody else led or stands in.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from service.coordination.leading import Asked, Conflict, Course, Cover, Lead, Worker
from service.fhir.json import JsonObject
from service.kernel.clock import instant
from service.mapping import parts
from service.mapping.names import (
    ACT_CODE,
    CASE_ROLE,
    COVERS_FOR,
    DUE_TASK,
    PRIMARY,
    TASK_DETAIL,
    identifier_system,
    profile,
)
from service.mapping.terms import terms

_PART2: Final[JsonObject] = {"system": ACT_CODE, "code": "42CFRPart2"}
_ENDED: Final = frozenset({"finished", "cancelled", "entered-in-error"})


def reference(worker: Worker, source: str) -> JsonObject:
    """A Reference to a worker, with the identifier of the casework record where it has one."""
    return _named(worker.reference, worker, source)


def _named(literal: str, worker: Worker, source: str) -> JsonObject:
    if not worker.record:
        return {"reference": literal}
    system = identifier_system("case-manager")
    return {"reference": literal, "identifier": {"system": system, "value": f"{source}/{worker.record}"}}


def episode(
    said: JsonObject, before: JsonObject | None, course: Course, source: str, now: datetime, *, part2: bool
) -> JsonObject:
    """The EpisodeOfCare with its lead, and when it was in which status before. `before`: its version until now.

    `part2`: an agency of the team is a Part 2 programme, so that naming it is Part 2 data (CASEWORK.md 4.3).
    """
    made = dict(said)
    if course.lead is not None:
        made["careManager"] = reference(course.lead.worker, source)
    if before is not None and (past := _statuses(made, before, now)):
        made["statusHistory"] = past
    return _labelled(made) if part2 else made


def _statuses(made: JsonObject, before: JsonObject, now: datetime) -> list[JsonObject]:
    past: list[JsonObject] = list(before.get("statusHistory", []))
    if before.get("status") in (None, made.get("status"), "entered-in-error"):
        return past
    since = past[-1].get("period", {}).get("end") if past else before.get("period", {}).get("start")
    period = {**({"start": since} if since else {}), "end": instant(now)}
    return [*past, {"status": before["status"], "period": period}]


def needs_team(course: Course, managing: str) -> bool:
    """Is there more to say than careManager can?"""
    return (
        course.workers > 1
        or bool(course.covers)
        or any(each.worker.agency != managing for each in course.leads)
    )


def team(
    said: JsonObject | None,
    episode: JsonObject,
    id_: str,
    course: Course,
    source: str,
    client: str,
    *,
    part2: bool,
) -> JsonObject:
    """The CareTeam with everybody who led or stood in, from when to when; others of the team stay as they are.

    `said`: the team as the record or its last version has it; `client` is the record id that its identifier holds.
    """
    made: JsonObject = dict(said) if said else {
        "resourceType": "CareTeam",
        "id": id_,
        "meta": {"profile": [profile("casebridge-care-team")]},
        "identifier": [{"system": identifier_system("care-team"), "value": f"{source}/{client}"}],
        "subject": episode["patient"],
    }  # fmt: skip
    made["status"] = "inactive" if course.lead is None or episode.get("status") in _ENDED else "active"
    ours = list(_participants(course, source))
    leading = ours[0]["member"]["reference"] if course.lead else ""
    others = [each for each in made.get("participant", []) if not _is_ours(each)]
    made["participant"] = [
        *ours,
        *(each for each in others if each.get("member", {}).get("reference") != leading),
    ]
    made["managingOrganization"] = [_agency(course.leads[-1].worker, made)]
    return _labelled(made) if part2 else made


def _participants(course: Course, source: str) -> Iterator[JsonObject]:
    if course.lead:
        yield _leading(course.lead, source, primary=True)
    for lead in reversed(course.leads):
        if lead.ends is not None:
            yield _leading(lead, source, primary=False)
    for cover in course.covers:
        yield _covering(cover, course, source)


def _leading(lead: Lead, source: str, *, primary: bool) -> JsonObject:
    period = {"start": instant(lead.starts), **({"end": instant(lead.ends)} if lead.ends else {})}
    flag = {"extension": [{"url": PRIMARY, "valueBoolean": True}]} if primary else {}
    return {**flag, **_member("primary-case-manager", lead.worker, source), "period": period}


def _covering(cover: Cover, course: Course, source: str) -> JsonObject:
    covered = course.at(cover.starts) or course.leads[-1].worker
    return {
        "extension": [{"url": COVERS_FOR, "valueReference": reference(covered, source)}],
        **_member("covering-case-manager", cover.worker, source),
        "period": {"start": instant(cover.starts), "end": instant(cover.ends)},
    }


def _member(role: str, worker: Worker, source: str) -> JsonObject:
    """R4 (ctm-1) allows onBehalfOf beside a Practitioner only; a PractitionerRole brings its own agency."""
    codings = [*terms().translate("case-role-to-standard", role), terms().coding(CASE_ROLE, role)]
    person = worker.person or (worker.reference if worker.reference.startswith("Practitioner/") else "")
    said: JsonObject = {"role": [{"coding": codings}]}
    if person:
        return {**said, "member": _named(person, worker, source), "onBehalfOf": {"reference": worker.agency}}
    return {**said, "member": reference(worker, source)}


def _is_ours(participant: JsonObject) -> bool:
    roles = {parts.code_in(each, CASE_ROLE) for each in participant.get("role", [])}
    return bool(roles & {"primary-case-manager", "covering-case-manager"}) or bool(
        parts.extension(participant, PRIMARY, "valueBoolean")
    )


def _agency(worker: Worker, team: JsonObject) -> JsonObject:
    said = team.get("managingOrganization") or [{}]
    return said[0] if said[0].get("reference") == worker.agency else {"reference": worker.agency}


def _labelled(resource: JsonObject) -> JsonObject:
    meta = dict(resource.get("meta", {}))
    security = list(meta.get("security", []))
    if not any(each.get("code") == _PART2["code"] for each in security):
        security.append(_PART2)
    return {**resource, "meta": {**meta, "security": security}}


def transfer_task(
    asked: Asked,
    owner: str,
    course: Course,
    patient: str,
    episode: str,
    source: str,
    reason: str,
    now: datetime,
) -> JsonObject:
    """The Task that both agencies confirm: `owner` is the one that is asked."""
    lead = course.leads[-1]
    return {
        **_task("confirm-transfer", patient, episode, now),
        "id": asked.id,
        "description": "Who leads this case is to change. accepted: we agree; rejected: we do not; completed, once "
        "both have agreed: from now on.",
        "requester": {"reference": asked.by},
        "owner": {"reference": owner},
        **({"reasonCode": {"text": reason}} if reason else {}),
        "input": [
            {"type": _detail("lead-now"), "valueReference": reference(lead.worker, source)},
            {"type": _detail("lead-next"), "valueReference": reference(asked.taker, source)},
        ],
    }


def conflict_task(
    id_: str,
    conflict: Conflict,
    owner: str,
    patient: str,
    episode: str,
    source: str,
    now: datetime,
    *,
    names: bool,
) -> JsonObject:
    """Two are said to lead: a question to one side's supervisor. `names`: whether this side may know the other."""
    task = {
        **_task("resolve-lead-conflict", patient, episode if names else "", now),
        "id": id_,
        "priority": "urgent",
        "description": "Two case managers are said to lead this case. Nothing has changed; please speak with each "
        "other. The lead moves by a transfer (Patient/$primary-case-manager).",
        "owner": {"reference": owner},
        "input": [{"type": _detail("lead-next"), "valueReference": reference(conflict.claimed, source)}],
    }
    if names:
        task["input"].insert(
            0, {"type": _detail("lead-now"), "valueReference": reference(conflict.lead.worker, source)}
        )
    return task


def alone_task(code: str, sentence: str, patient: str, focus: str, now: datetime) -> JsonObject:
    """Nobody sees to this any more: asks for another lead or service. `focus`: the episode, or the referral."""
    task = {**_task(code, patient, "", now), "priority": "urgent", "description": sentence}
    return {**task, "focus": {"reference": focus}} if focus else task


def _task(code: str, patient: str, episode: str, now: datetime) -> JsonObject:
    coding = {"system": DUE_TASK, "code": code}
    focus = {"focus": {"reference": f"EpisodeOfCare/{episode}"}} if episode else {}
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [coding]},
        **focus,
        "for": {"reference": patient},
        "authoredOn": instant(now),
    }


def _detail(code: str) -> JsonObject:
    return {"coding": [{"system": TASK_DETAIL, "code": code}]}


def is_transfer(task: JsonObject) -> bool:
    """Is this Task about who is to lead?"""
    return any(
        each.get("system") == DUE_TASK and each.get("code") == "confirm-transfer"
        for each in task.get("code", {}).get("coding", [])
        if isinstance(each, dict)
    )
