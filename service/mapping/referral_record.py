"""ServiceRequest + Task → referral, ours or a partner's; the way back of referral.py."""

from collections.abc import Iterator
from typing import Any

from service.casework.records.referral import Need, Outcome, Referral
from service.casework.records.words import Concept, Span
from service.fhir.json import JsonObject
from service.kernel.clock import instant
from service.mapping import parts
from service.mapping.context import MappingContext, Told, one
from service.mapping.identity import local, part_of_path, path_of, record_id, referred
from service.mapping.names import (
    GOAL_SERVED,
    ORDER_DETAIL,
    REFERRAL_OUTPUT,
    RSS_SERVICE,
    SDOHCC_CODES,
)
from service.mapping.referral import CONSTRAINT, NO_CONTACT, THROUGH
from service.mapping.services import chosen, service
from service.mapping.terms import terms


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
        outcome=outcome(task),
        direction="inbound" if inbound else "outbound",
    )
    return Told(record)


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
        if words and not codes & {NO_CONTACT["code"], CONSTRAINT}:
            yield words


def _constraints(request: JsonObject) -> Iterator[str]:
    for detail in request.get("orderDetail", []):
        words = parts.text(detail.get("text"))
        if words and parts.code_in(detail, ORDER_DETAIL) == CONSTRAINT:
            yield words


def _contact(request: JsonObject) -> Any:
    for detail in request.get("orderDetail", []):
        if parts.code_in(detail, SDOHCC_CODES) == NO_CONTACT["code"]:
            through = parts.code_in(detail, ORDER_DETAIL) == THROUGH
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


def outcome(task: JsonObject) -> Outcome | None:
    """What a Task's outputs say came of it; of several enrolments the last."""
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
