"""Care plan ⇄ CarePlan + Goals + a Provenance for each signature (US Core 7.0.0, SDOHCC Goal; CASEWORK.md
#50, #55).

A service arranged by a referral is `activity.reference`; one done by somebody named is `activity.detail`.
"""

from collections.abc import Iterator
from html import escape
from typing import Any, Final

from service.casework.records.care_plan import CarePlan, Goal, Review, Service
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.fhir.outcome import Issue
from service.mapping import parts
from service.mapping.context import Mapped, MappingContext, Told, note, one
from service.mapping.encounter import support_reference
from service.mapping.goal import fhir_goal, fhir_need, goal_of, goal_reference, needs_of
from service.mapping.identity import (
    own_identifier,
    own_organization,
    part_of_path,
    record_id,
    refer,
    referred,
    resource_id,
)
from service.mapping.names import (
    CRISIS_PROCEDURE,
    INTENSITY,
    INTENSITY_TIER,
    NEXT_REVIEW,
    PLAN_CATEGORY,
    profile,
)
from service.mapping.plan_signature import fhir_signature, read_signatures
from service.mapping.services import fhir_service, service, unmapped
from service.mapping.terms import terms

_ASSESS_PLAN: Final = {
    "system": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category",
    "code": "assess-plan",
}


def to_fhir(plan: CarePlan, context: MappingContext) -> Mapped:
    """Goals, CarePlan, then the signatures on it."""
    goals = [fhir_goal(plan, goal, context) for goal in plan.goals]
    signatures = [fhir_signature(plan, signature, context) for signature in plan.signatures]
    return Mapped((*goals, _plan(plan, context), *signatures), tuple(_notes(plan)))


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[CarePlan]:
    """From a CarePlan with its Goals and signatures, ours or a partner's."""
    held = one(resources, "CarePlan")
    if held is None:
        raise LookupError("no CarePlan among the resources")
    goals = tuple(goal_of(r, context) for r in resources if r["resourceType"] == "Goal")
    remarks = held.get("note", [])
    plan = CarePlan(
        id=record_id(context, "care-plans", held),
        client=referred(context, "clients", held.get("subject")) or "unknown",
        kind=_kind(held),
        status=held["status"],
        title=parts.text(held.get("title")),
        description=parts.text(held.get("description")),
        period=parts.span(held.get("period")),
        created=parts.when(held.get("created")),
        author=_author(held, context),
        client_took_part=any("Patient/" in str(c.get("reference")) for c in held.get("contributor", [])),
        took_part=tuple(_colleagues(held, context)),
        goals=goals,
        services=tuple(_read_services(held, goals, context)),
        supports=tuple(_supports(held, context)),
        needs=tuple(needs_of(held.get("addresses", []), context)),
        crisis_procedure=parts.text(parts.extension(held, CRISIS_PROCEDURE, "valueMarkdown")),
        intensity=parts.code_in(parts.extension(held, INTENSITY_TIER, "valueCodeableConcept"), INTENSITY),
        next_review=parts.extension(held, NEXT_REVIEW, "valueDate"),
        reviews=tuple(_review(r) for r in remarks if _is_review(r)),
        signatures=tuple(read_signatures(resources, context)),
        replaces=referred(context, "care-plans", (held.get("replaces") or [None])[0]),
        guidelines=tuple(uri for uri in map(parts.uri, held.get("instantiatesUri", [])) if uri),
        treatment_plan=parts.text((held.get("basedOn") or [{}])[0].get("display")),
        notes=parts.notes(r for r in remarks if not _is_review(r)),
    )
    return Told(plan, tuple(_unread(held)))


def _plan(plan: CarePlan, context: MappingContext) -> JsonObject:
    tier = {"coding": [terms().coding(INTENSITY, plan.intensity)]} if plan.intensity else None
    review = plan.next_review.isoformat() if plan.next_review else None
    return build(
        "CarePlan",
        id=resource_id(context, "care-plans", plan.id, "CarePlan"),
        meta={"profile": [profile("casebridge-care-plan")]},
        text={"status": "generated", "div": _narrative(plan)},
        extension=[
            parts.fhir_extension(INTENSITY_TIER, "valueCodeableConcept", tier),
            parts.fhir_extension(CRISIS_PROCEDURE, "valueMarkdown", plan.crisis_procedure),
            parts.fhir_extension(NEXT_REVIEW, "valueDate", review),
        ],
        identifier=[own_identifier(context, "care-plans", plan.id)],
        instantiatesUri=list(plan.guidelines),
        basedOn=[{"display": plan.treatment_plan}] if plan.treatment_plan else None,
        replaces=[refer(context, "care-plans", plan.replaces)] if plan.replaces else None,
        status=plan.status,
        intent="proposal" if plan.status == "draft" else "plan",
        category=[{"coding": [_ASSESS_PLAN]}, {"coding": [terms().coding(PLAN_CATEGORY, plan.kind)]}],
        title=plan.title,
        description=plan.description,
        subject=refer(context, "clients", plan.client),
        period=parts.fhir_span(plan.period),
        created=plan.created,
        author=refer(context, "case-managers", plan.author) if plan.author else own_organization(context),
        contributor=list(_contributors(plan, context)),
        addresses=[fhir_need(need, context) for need in plan.needs],
        supportingInfo=[support_reference(context, plan.client, support) for support in plan.supports],
        goal=[goal_reference(plan, goal.id, context) for goal in plan.goals],
        activity=[_activity(plan, service, context) for service in plan.services],
        note=[
            *(_fhir_review(n, r) for n, r in enumerate(plan.reviews, 1)),
            *map(parts.fhir_note, plan.notes),
        ],
    )


def _narrative(plan: CarePlan) -> str:
    """The plan as a person reads it; every word escaped."""
    rows = [f"<li>{_shown(goal.words)}</li>" for goal in plan.goals]
    goals = f"<ul>{''.join(rows)}</ul>" if rows else ""
    crisis = f"<p>In a crisis: {_shown(plan.crisis_procedure)}</p>" if plan.crisis_procedure else ""
    title = _shown(plan.title or "Care plan")
    return f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{title}</p>{goals}{crisis}</div>'


def _shown(words: str) -> str:
    return escape(words, quote=False)


def _contributors(plan: CarePlan, context: MappingContext) -> Iterator[JsonObject]:
    if plan.client_took_part:
        yield refer(context, "clients", plan.client)
    for colleague in plan.took_part:
        yield refer(context, "case-managers", colleague)


def _activity(plan: CarePlan, planned: Service, context: MappingContext) -> JsonObject:
    if planned.referral:
        return {"id": planned.id, "reference": refer(context, "referrals", planned.referral)}
    detail = {
        "code": fhir_service(planned.service) if planned.service else None,
        "goal": [goal_reference(plan, goal, context) for goal in planned.goals],
        "status": planned.status,
        "scheduledPeriod": parts.fhir_span(planned.period),
        "performer": list(_performers(plan, planned, context)),
        "description": planned.description,
    }
    return {"id": planned.id, "detail": detail}


def _performers(plan: CarePlan, planned: Service, context: MappingContext) -> Iterator[JsonObject]:
    if planned.agency:
        yield refer(context, "agencies", planned.agency)
    if planned.case_manager:
        yield refer(context, "case-managers", planned.case_manager)
    if planned.by_client:
        yield refer(context, "clients", plan.client)
    if planned.by:
        yield {"display": planned.by}


def _fhir_review(number: int, review: Review) -> JsonObject:
    return {"id": f"review-{number}", "authorString": review.by, "time": review.on, "text": review.found}


def _kind(plan: JsonObject) -> str:
    kinds = (parts.code_in(category, PLAN_CATEGORY) for category in plan.get("category", []))
    return next((kind for kind in kinds if kind), "treatment-plan")


def _author(plan: JsonObject, context: MappingContext) -> str | None:
    author = plan.get("author", {})
    person = str(author.get("reference", "")).split("/")[-2:-1] in (["PractitionerRole"], ["Practitioner"])
    return referred(context, "case-managers", author) if person else None


def _colleagues(plan: JsonObject, context: MappingContext) -> Iterator[str]:
    for contributor in plan.get("contributor", []):
        kind = str(contributor.get("reference", "")).split("/")[-2:-1]
        known = referred(context, "case-managers", contributor)
        if known and kind in (["PractitionerRole"], ["Practitioner"]):
            yield known


def _supports(plan: JsonObject, context: MappingContext) -> Iterator[str]:
    for info in plan.get("supportingInfo", []):
        if path := part_of_path(context, info, "support"):
            yield path[-1]


def _read_services(plan: JsonObject, goals: tuple[Goal, ...], context: MappingContext) -> Iterator[Service]:
    for number, activity in enumerate(plan.get("activity", []), 1):
        own_id = activity.get("id") or f"activity-{number}"
        reference, detail = activity.get("reference"), activity.get("detail")
        if reference:
            yield Service(id=own_id, referral=referred(context, "referrals", reference) or own_id)
        elif detail:
            yield _read_service(own_id, detail, {goal.id for goal in goals}, context)


def _read_service(own_id: str, detail: JsonObject, goals: set[str], context: MappingContext) -> Service:
    people = detail.get("performer", [])
    kinds = {str(p.get("reference", "/")).split("/")[-2]: p for p in people if "reference" in p}
    worker = kinds.get("PractitionerRole") or kinds.get("Practitioner")
    served = (part_of_path(context, goal, "goal") for goal in detail.get("goal", []))
    status: Any = detail.get("status", "unknown")
    return Service(
        id=own_id,
        service=service(detail.get("code", {}), ours=True),
        agency=referred(context, "agencies", kinds.get("Organization")),
        case_manager=referred(context, "case-managers", worker),
        by_client="Patient" in kinds,
        by=next((parts.text(p.get("display")) for p in people if "reference" not in p), None),
        goals=tuple(path[-1] for path in served if path and path[-1] in goals),
        status="stopped" if status == "entered-in-error" else status,
        period=parts.span(detail.get("scheduledPeriod")),
        description=parts.text(detail.get("description")),
    )


def _is_review(remark: JsonObject) -> bool:
    return str(remark.get("id", "")).startswith("review-")


def _review(remark: JsonObject) -> Review:
    [read] = parts.notes([remark])
    return Review(on=read.at or "1900", by=read.by, found=read.text)


def _notes(plan: CarePlan) -> Iterator[Issue]:
    if plan.status == "active":
        signed = {signature.role for signature in plan.signatures}
        for role in ("client", "case-manager"):
            if role not in signed:
                yield Issue(
                    "warning",
                    "business-rule",
                    f"the plan is not signed by the {role}",
                    "/signatures",
                    "unsigned-plan",
                )
    for number, goal in enumerate(plan.goals):
        if not any(target.due for target in goal.targets):
            yield note("a goal should say by when", f"/goals/{number}/targets", "goal-without-time")
    for number, planned in enumerate(plan.services):
        yield from unmapped(planned.service, f"/services/{number}/service")
        named = (planned.referral, planned.agency, planned.case_manager, planned.by_client, planned.by)
        if not any(named):
            yield note(
                "a service of the plan says by nobody that it is done", "/services", "service-without-whom"
            )


def _unread(plan: JsonObject) -> Iterator[Issue]:
    for element in ("careTeam", "partOf", "encounter", "instantiatesCanonical"):
        if element in plan:
            yield note(f"the care plan record has no place for {element}", f"CarePlan.{element}")
    for activity in plan.get("activity", []):
        for element in ("outcomeCodeableConcept", "outcomeReference", "progress"):
            if element in activity:
                yield note(f"the care plan record has no place for {element}", f"CarePlan.activity.{element}")
    if len(plan.get("basedOn", [])) > 1:
        yield note("the care plan record names one plan it is based on", "CarePlan.basedOn[1]")
