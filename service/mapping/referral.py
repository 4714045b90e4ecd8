"""Referral ⇄ ServiceRequest (what is asked) + Task (where it is in the loop), SDOHCC 3.0.0 shape.

The ServiceRequest is the requester's word; the Task is what travels to the partner and comes back.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from service.casework.records.referral import Need, Outcome, Referral
from service.casework.records.words import Concept, Span
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.fhir.outcome import Issue
from service.kernel.clock import instant
from service.mapping import parts
from service.mapping.agency import service_id
from service.mapping.context import Mapped, MappingContext, Told, note, one
from service.mapping.identity import (
    identifier,
    local,
    own_identifier,
    own_organization,
    part_of_path,
    path_of,
    record_id,
    refer,
    referred,
    resource_id,
)
from service.mapping.names import (
    GOAL_SERVED,
    ORDER_DETAIL,
    REFERRAL_OUTPUT,
    RSS_SERVICE,
    SDOHCC_CODES,
    SERVICE_AREA,
    SNOMED,
    TASK_CODE,
    profile,
)
from service.mapping.services import chosen, fhir_service, service, unmapped
from service.mapping.terms import terms

_REQUEST_STATUS: Final = {
    "draft": "draft",
    "cancelled": "revoked",
    "completed": "completed",
    "entered-in-error": "entered-in-error",
}
"""ServiceRequest.status is the requester's; the performer's progress is in the Task alone."""
_SOCIAL_SERVICE: Final = {"system": SNOMED, "code": "410606002", "display": "Social service procedure"}
_NO_CONTACT: Final = {"system": SDOHCC_CODES, "code": "contacting-subject-prohibited"}
_THROUGH: Final = "contact-through-case-manager"
_CONSTRAINT: Final = "constraint"


def to_fhir(referral: Referral, context: MappingContext) -> Mapped:
    """ServiceRequest, then the Task whose focus it is. Patient and agencies are other records' resources."""
    request = _request(referral, context)
    return Mapped((request, _task(referral, request, context)), tuple(_notes(referral)))


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[Referral]:
    """From a ServiceRequest and its Task (or from the ServiceRequest alone), ours or a partner's."""
    request, task = one(resources, "ServiceRequest"), one(resources, "Task") or {}
    if request is None:
        raise LookupError("no ServiceRequest among the resources")
    authored = parts.when(request.get("authoredOn")) or parts.when(task.get("authoredOn"))
    asking = referred(context, "agencies", task.get("requester") or request.get("requester"))
    inbound = _inbound(task, request, context)
    occurrence = request.get("occurrenceTiming", {})
    period = request.get("occurrencePeriod") or occurrence.get("repeat", {}).get("boundsPeriod")
    once = parts.when(request.get("occurrenceDateTime"))
    record = Referral(
        id=record_id(context, "referrals", task or request),
        client=referred(context, "clients", request.get("subject")) or "unknown",
        recipient=_recipient(task, request, context),
        offered_to=tuple(_offered_to(task, request, context)),
        forwards=None if inbound else _forwards(task),
        recipient_service=_recipient_service(request, context),
        requester=None if inbound else _requester(request, context),
        requesting_agency=asking,
        asked_by=_asked_by(task, request) if inbound else None,
        service=service(request.get("code", {}), ours=_own(request, context)),
        details=tuple(_details(request, context)),
        requested=authored or instant(context.now),
        period=Span(start=once) if once else parts.span(period),
        timing=parts.concept_text(occurrence.get("code")),
        where=_first_text(request.get("locationCode")),
        need=_need(request),
        reason=_reason(request),
        goal=parts.text((_goal(request) or {}).get("display")),
        goal_id=(part_of_path(context, _goal(request), "goal") or (None, None))[-1],
        care_plan=_care_plan(request, context),
        urgency=request.get("priority") or task.get("priority") or "routine",
        preferences=parts.text(request.get("patientInstruction")),
        contact=_contact(request),
        constraints=tuple(_constraints(request)),
        consents=tuple(_consents(request, context)),
        answer_by=parts.when(task.get("restriction", {}).get("period", {}).get("end", "")[:10]),
        notes=parts.notes([*request.get("note", []), *task.get("note", [])]),
        status=task.get("status") or _status_without_task(request),
        status_reason=parts.concept_text(task.get("statusReason")),
        outcome=_outcome(task),
        direction="inbound" if inbound else "outbound",
    )
    return Told(record)


def _request(referral: Referral, context: MappingContext) -> JsonObject:
    codings = referral.need.codings if referral.need else ()
    return build(
        "ServiceRequest",
        id=resource_id(context, "referrals", referral.id, "ServiceRequest"),
        meta={"profile": [profile("casebridge-referral-request")]},
        extension=[_goal_served(referral, context)],
        identifier=[own_identifier(context, "referrals", referral.id)],
        basedOn=list(_bases(referral, context)),
        status=_REQUEST_STATUS.get(referral.status, "active"),
        intent="filler-order" if referral.forwards else "order",
        category=list(_categories(referral)),
        priority=referral.urgency,
        code=fhir_service(referral.service),
        orderDetail=list(_order_details(referral)),
        subject=refer(context, "clients", referral.client),
        **_occurrence(referral),
        authoredOn=referral.requested,
        requester=_fhir_requester(referral, context),
        performer=list(_performers(referral, context)),
        locationCode=[{"text": referral.where}] if referral.where else None,
        reasonCode=[{"coding": [parts.fhir_coding(c) for c in codings], "text": referral.reason}],
        supportingInfo=[refer(context, "consents", consent) for consent in referral.consents],
        note=[parts.fhir_note(n) for n in referral.notes],
        patientInstruction=referral.preferences,
    )


def _task(referral: Referral, request: JsonObject, context: MappingContext) -> JsonObject:
    return build(
        "Task",
        id=resource_id(context, "referrals", referral.id, "Task"),
        meta={"profile": [profile("casebridge-referral-task")]},
        identifier=[own_identifier(context, "referrals", referral.id)],
        partOf=[{"reference": f"Task/{referral.forwards}"}] if referral.forwards else None,
        status=referral.status,
        statusReason={"text": referral.status_reason},
        intent="order",
        priority=referral.urgency,
        code={"coding": [{"system": TASK_CODE, "code": "fulfill"}]},
        description=request["code"].get("text"),
        focus={"reference": f"ServiceRequest/{request['id']}"},
        for_=request["subject"],
        authoredOn=referral.requested,
        lastModified=_last_modified(referral, context.now),
        requester=_asking(referral, context),
        owner=_owner(referral, context),
        reasonCode=_served_areas(request),
        restriction={"period": {"end": referral.answer_by}},
        output=list(outputs(referral.outcome)),
    )


def _served_areas(request: JsonObject) -> JsonObject | None:
    """Which needs the Task serves, as its request's categories say: a consent for housing lets the housing
    referral's Task go, and no other."""
    codings = [c for category in request["category"] for c in category["coding"]]
    served = [{k: c[k] for k in ("system", "code", "display") if k in c} for c in codings]
    areas = [c for c in served if c["system"] in (SDOHCC_CODES, SERVICE_AREA)]
    return {"coding": areas} if areas else None


def _bases(referral: Referral, context: MappingContext) -> Iterator[JsonObject]:
    if referral.care_plan:
        yield refer(context, "care-plans", referral.care_plan)
    received = context.directory.references.get(("forwards", referral.forwards or ""))
    if received:
        yield {"reference": received}


def _owner(referral: Referral, context: MappingContext) -> JsonObject | None:
    if referral.recipient:
        return refer(context, "agencies", referral.recipient)
    return own_organization(context) if referral.direction == "inbound" else None


def _asking(referral: Referral, context: MappingContext) -> JsonObject:
    if referral.requesting_agency:
        return refer(context, "agencies", referral.requesting_agency, referral.asked_by)
    return own_organization(context)


def _fhir_requester(referral: Referral, context: MappingContext) -> JsonObject:
    if referral.requester:
        return refer(context, "case-managers", referral.requester)
    return _asking(referral, context)


def _performers(referral: Referral, context: MappingContext) -> Iterator[JsonObject]:
    for agency in referral.offered_to:
        yield refer(context, "agencies", agency)
    if referral.recipient is None:
        return
    yield refer(context, "agencies", referral.recipient)
    if referral.recipient_service:
        place = (referral.recipient, referral.recipient_service)
        yield {
            "reference": f"HealthcareService/{service_id(context, *place)}",
            "identifier": identifier(context, "service", *place),
        }


def _last_modified(referral: Referral, now: datetime) -> str | None:
    """Now, unless that cannot be said to be after authoredOn (inv-1 compares what has the same precision)."""
    if len(referral.requested) <= 10:
        return None
    return instant(now) if datetime.fromisoformat(referral.requested) <= now else None


def _goal_served(referral: Referral, context: MappingContext) -> JsonObject | None:
    if not (referral.goal or referral.goal_id):
        return None
    served: JsonObject = {"display": referral.goal}
    if referral.goal_id and referral.care_plan:
        served["reference"] = (
            f"Goal/{resource_id(context, 'care-plans', referral.care_plan, f'goal:{referral.goal_id}')}"
        )
        served["identifier"] = identifier(context, "goal", referral.care_plan, referral.goal_id)
    return {"url": GOAL_SERVED, "valueReference": served}


def _categories(referral: Referral) -> Iterator[JsonObject]:
    yield {"coding": [_SOCIAL_SERVICE]}
    chosen = referral.need.category if referral.need else None
    if chosen:
        yield {"coding": [{"system": SDOHCC_CODES, "code": chosen, "userSelected": True}]}
    if isinstance(referral.service, str):
        implied = [] if chosen else terms().translate("rss-service-to-sdoh", referral.service)
        for coding in (*implied, *terms().translate("rss-service-to-area", referral.service)):
            yield {"coding": [coding]}


def _order_details(referral: Referral) -> Iterator[JsonObject]:
    for detail in referral.details:
        yield {"text": detail}
    for constraint in referral.constraints:
        yield {"coding": [terms().coding(ORDER_DETAIL, _CONSTRAINT)], "text": constraint}
    if referral.contact:
        through = (
            [terms().coding(ORDER_DETAIL, _THROUGH)] if referral.contact == "through-case-manager" else []
        )
        yield {"coding": [_NO_CONTACT, *through]}


def _occurrence(referral: Referral) -> dict[str, Any]:
    period = parts.fhir_span(referral.period)
    if referral.timing:
        return {"occurrenceTiming": {"repeat": {"boundsPeriod": period}, "code": {"text": referral.timing}}}
    return {"occurrencePeriod": period}


def outputs(outcome: Outcome | None) -> Iterator[JsonObject]:
    """Task.output for what came of a referral (SDOHCC: one a delivered activity, and the enrolment)."""
    if outcome is None:
        return
    for delivered in outcome.services:
        yield {"type": _sdohcc("resulting-activity"), "valueCodeableConcept": fhir_service(delivered)}
    if outcome.enrolment:
        yield {"type": _sdohcc("program-enrollment"), "valueCodeableConcept": _sdohcc(outcome.enrolment)}
    if outcome.text:
        kind = {"coding": [terms().coding(REFERRAL_OUTPUT, "outcome-summary")]}
        yield {"type": kind, "valueString": outcome.text}


def _sdohcc(code: str) -> JsonObject:
    return {"coding": [{"system": SDOHCC_CODES, "code": code}]}


def _five(referral: Referral) -> Iterator[tuple[str, bool, str]]:
    """Who, what, when, where and why (003 GC 29); what and the date of asking are always said."""
    yield "who", bool(referral.recipient), "/recipient"
    yield "when", bool(referral.period or referral.timing), "/period"
    yield "where", bool(referral.where or referral.recipient_service), "/where"
    yield "why", bool(referral.reason or referral.goal or referral.need), "/reason"


def _notes(referral: Referral) -> Iterator[Issue]:
    yield from unmapped(referral.service, "/service")
    if referral.care_plan is None:
        yield note("a referral should belong to a care plan", "/carePlan", "referral-without-plan")
    for word, said, place in _five(referral):
        if not said:
            yield note(f"a referral should say {word}", place, f"referral-without-{word}")
    if referral.history:
        yield note("the history of a referral is read-only", "/history")


def _inbound(task: JsonObject, request: JsonObject, context: MappingContext) -> bool:
    """Somebody else asks: the referral does not carry our identifier and is not requested by our
    organisation."""
    if path_of(context, task.get("identifier", []) or request.get("identifier", []), "referral"):
        requester = task.get("requester", {})
        return referred(context, "agencies", requester) not in (None, context.source.agency)
    asking = str(task.get("requester", {}).get("reference", ""))
    return local(context, asking) != context.source.organization


def _recipient(task: JsonObject, request: JsonObject, context: MappingContext) -> str | None:
    if _open(task, request, context):
        return None
    return referred(context, "agencies", task.get("owner") or next(_asked(request), None))


def _open(task: JsonObject, request: JsonObject, context: MappingContext) -> bool:
    """A referral of ours that nobody has claimed: those its request names are those it is offered to."""
    return bool(task) and "owner" not in task and _own(request, context)


def _asked(request: JsonObject) -> Iterator[JsonObject]:
    return (p for p in request.get("performer", []) if "Organization/" in str(p.get("reference", "")))


def _offered_to(task: JsonObject, request: JsonObject, context: MappingContext) -> Iterator[str]:
    if _open(task, request, context):
        yield from (known for each in _asked(request) if (known := referred(context, "agencies", each)))


def _forwards(task: JsonObject) -> str | None:
    """The Task that this one is part of, as a referral that came in is known by its Task's id."""
    wholes = [str(each.get("reference", "")) for each in task.get("partOf", [])]
    return next((each.removeprefix("Task/") for each in wholes if each.startswith("Task/")), None)


def _recipient_service(request: JsonObject, context: MappingContext) -> str | None:
    paths = (part_of_path(context, performer, "service") for performer in request.get("performer", []))
    return next((path[-1] for path in paths if path), None)


def _requester(request: JsonObject, context: MappingContext) -> str | None:
    requester = request.get("requester", {})
    if "Organization/" in str(requester.get("reference", "")):
        return None
    return referred(context, "case-managers", requester)


def _asked_by(task: JsonObject, request: JsonObject) -> str | None:
    named = (r.get("display") for r in (task.get("requester", {}), request.get("requester", {})))
    return next((said for name in named if (said := parts.text(name))), None)


def _own(request: JsonObject, context: MappingContext) -> bool:
    return path_of(context, request.get("identifier", []), "referral") is not None


def _details(request: JsonObject, context: MappingContext) -> Iterator[str]:
    said = parts.text(request.get("code", {}).get("text"))
    asked = service(request.get("code", {}), ours=_own(request, context))
    foreign = isinstance(asked, str) and not _own(request, context)
    if said and foreign and said != terms().display(RSS_SERVICE, str(asked)):
        yield said
    for detail in request.get("orderDetail", []):
        codes = {parts.code_in(detail, SDOHCC_CODES), parts.code_in(detail, ORDER_DETAIL)}
        words = parts.concept_text(detail)
        if words and not codes & {_NO_CONTACT["code"], _CONSTRAINT}:
            yield words


def _constraints(request: JsonObject) -> Iterator[str]:
    for detail in request.get("orderDetail", []):
        words = parts.text(detail.get("text"))
        if words and parts.code_in(detail, ORDER_DETAIL) == _CONSTRAINT:
            yield words


def _contact(request: JsonObject) -> Any:
    for detail in request.get("orderDetail", []):
        if parts.code_in(detail, SDOHCC_CODES) == _NO_CONTACT["code"]:
            through = parts.code_in(detail, ORDER_DETAIL) == _THROUGH
            return "through-case-manager" if through else "prohibited"
    return None


def _need(request: JsonObject) -> Need | None:
    codings = [c for category in request.get("category", []) for c in category.get("coding", [])]
    known = parts.code_in(request.get("code", {}), RSS_SERVICE) or ""
    implied = {c["code"] for c in terms().translate("rss-service-to-sdoh", known)}
    named = [c for c in codings if c.get("system") == SDOHCC_CODES and c.get("code")]
    category = next((c["code"] for c in named if c.get("userSelected") or c["code"] not in implied), None)
    reasons = [c for reason in request.get("reasonCode", []) for c in reason.get("coding", [])]
    held = parts.codings(reasons)
    return Need(category=category, codings=held) if category or held else None


def _reason(request: JsonObject) -> str | None:
    said = [words for reason in request.get("reasonCode", []) if (words := parts.text(reason.get("text")))]
    shown = [words for r in request.get("reasonReference", []) if (words := parts.text(r.get("display")))]
    return "; ".join((*said, *shown)) or None


def _goal(request: JsonObject) -> JsonObject | None:
    reference: JsonObject | None = parts.extension(request, GOAL_SERVED, "valueReference")
    return reference


def _care_plan(request: JsonObject, context: MappingContext) -> str | None:
    plans = (r for r in request.get("basedOn", []) if "CarePlan/" in str(r.get("reference", "")))
    return referred(context, "care-plans", next(plans, None))


def _consents(request: JsonObject, context: MappingContext) -> Iterator[str]:
    for held in request.get("supportingInfo", []):
        if "Consent/" in str(held.get("reference", "")) and (known := referred(context, "consents", held)):
            yield known


def _first_text(values: list[JsonObject] | None) -> str | None:
    return next((said for value in values or () if (said := parts.concept_text(value))), None)


def _status_without_task(request: JsonObject) -> Any:
    shown = {"draft": "draft", "revoked": "cancelled", "on-hold": "on-hold"}
    status = request.get("status", "active")
    return status if status in ("completed", "entered-in-error") else shown.get(status, "requested")


def _outcome(task: JsonObject) -> Outcome | None:
    services, enrolment, said = [], None, None
    for output in task.get("output", []):
        kind = parts.code_in(output.get("type"), SDOHCC_CODES)
        value = output.get("valueCodeableConcept")
        if kind == "program-enrollment" and value:
            enrolment = parts.code_in(value, SDOHCC_CODES)
        elif kind == "resulting-activity" and value and (given := parts.concept(chosen(value))):
            services.append(given)
        elif parts.code_in(output.get("type"), REFERRAL_OUTPUT) == "outcome-summary":
            said = parts.text(output.get("valueString"))
        elif words := parts.text(output.get("valueReference", {}).get("display")):
            services.append(Concept(text=words))
    held: Any = enrolment
    return Outcome(text=said, services=tuple(services), enrolment=held) if services or held or said else None
