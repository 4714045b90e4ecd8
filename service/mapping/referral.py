"""Referral → ServiceRequest (what is asked) + Task (where it is in the loop), SDOHCC 3.0.0 shape.

The ServiceRequest is the requester's word; the Task is what travels to the partner and comes back. The way
back is in referral_record.py.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from service.casework.records.referral import Outcome, Referral
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.fhir.outcome import Issue
from service.kernel.clock import instant
from service.mapping import parts
from service.mapping.agency import service_id
from service.mapping.context import Mapped, MappingContext, note
from service.mapping.identity import (
    identifier,
    own_identifier,
    own_organization,
    refer,
    resource_id,
)
from service.mapping.names import (
    GOAL_SERVED,
    ORDER_DETAIL,
    REFERRAL_OUTPUT,
    SDOHCC_CODES,
    SERVICE_AREA,
    SNOMED,
    TASK_CODE,
    profile,
)
from service.mapping.services import fhir_service, unmapped
from service.mapping.terms import terms

_REQUEST_STATUS: Final = {
    "draft": "draft",
    "cancelled": "revoked",
    "completed": "completed",
    "entered-in-error": "entered-in-error",
}
"""ServiceRequest.status is the requester's; the performer's progress is in the Task alone."""
_SOCIAL_SERVICE: Final = {"system": SNOMED, "code": "410606002", "display": "Social service procedure"}
NO_CONTACT: Final = {"system": SDOHCC_CODES, "code": "contacting-subject-prohibited"}
THROUGH: Final = "contact-through-case-manager"
CONSTRAINT: Final = "constraint"


def to_fhir(referral: Referral, context: MappingContext) -> Mapped:
    """ServiceRequest, then the Task whose focus it is. Patient and agencies are other records' resources."""
    request = _request(referral, context)
    return Mapped((request, _task(referral, request, context)), tuple(_notes(referral)))


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
        yield {"coding": [terms().coding(ORDER_DETAIL, CONSTRAINT)], "text": constraint}
    if referral.contact:
        through = (
            [terms().coding(ORDER_DETAIL, THROUGH)] if referral.contact == "through-case-manager" else []
        )
        yield {"coding": [NO_CONTACT, *through]}


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
