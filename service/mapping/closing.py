"""Closing ⇄ DocumentReference (the plan or evaluation, readable) + unmet needs as Observations + a notice to each
provider as Communication + a CommunicationRequest for contact afterwards, forbidden where the client said so.

LOINC 85223-6 Case manager Discharge summary; US Core DocumentReference. CASEWORK.md #56-#60.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from service.casework.records.closing import Closing, FollowUpPermission, Notice, UnmetNeed
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.fhir.outcome import Issue
from service.mapping import parts
from service.mapping.context import Mapped, MappingContext, Told, note, one
from service.mapping.encounter import not_done
from service.mapping.identity import (
    identifier,
    own_identifier,
    own_organization,
    path_of,
    record_id,
    refer,
    referred,
    resource_id,
)
from service.mapping.names import (
    CLIENT_FLAG,
    CLOSING,
    CLOSING_PLANNED,
    CLOSING_REASON,
    LOINC,
    NO_SERVICE,
    OBSERVATION_CATEGORY,
    TOOK_PART,
)
from service.mapping.services import fhir_service, service, unmapped
from service.mapping.terms import terms

_PROFILE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-documentreference"
_TYPE: Final = {"system": LOINC, "code": "85223-6", "display": "Case manager Discharge summary"}
_NOTE: Final = {
    "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
    "code": "clinical-note",
}
_NOTIFICATION: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/communication-category",
    "code": "notification",
}
_TEXT_MESSAGE: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode",
    "code": "SMSWRIT",
    "display": "SMS message",
}
_NOTICE: Final = "Case management of this client ends."
_STANDARD: Final = "standard-words"
"""The id of a payload that nobody worded."""
_ENDS: Final = "ends-"


def to_fhir(closing: Closing, context: MappingContext) -> Mapped:
    """Unmet needs, notices and the follow-up, then the document about all of them."""
    unmet = [_unmet(closing, need, context) for need in closing.unmet]
    notices = [_notice(closing, each, context) for each in closing.notices]
    follow_up = [_follow_up(closing, closing.follow_up, context)] if closing.follow_up else []
    document = _document(closing, context)
    return Mapped((document, *unmet, *notices, *follow_up), tuple(_notes(closing)))


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[Closing]:
    """From a discharge summary of a case manager, with what was made beside it."""
    held = one(resources, "DocumentReference")
    if held is None:
        raise LookupError("no DocumentReference among the resources")
    about = held.get("context", {})
    codes = about.get("event", [])
    reason = next((c for c in (parts.code_in(e, CLOSING_REASON) for e in codes) if c), None)
    unexpected = any(parts.code_in(e, CLOSING) == "unexpected" for e in codes)
    closed = parts.when(about.get("period", {}).get("end"))
    over = held.get("docStatus") != "preliminary" and bool(closed and reason)
    related = about.get("related", [])
    plans = _plans(related, context)
    wrong = held["status"] == "entered-in-error"
    record = Closing(
        id=record_id(context, "closings", held),
        client=referred(context, "clients", held.get("subject")) or "unknown",
        status="entered-in-error" if wrong else "closed" if over else "planned",
        planned_for=parts.extension(held, CLOSING_PLANNED, "valueDate"),
        closed=closed if over or wrong else None,
        reason=reason,
        unexpected=unexpected,
        by=_by(held.get("author", []), context),
        client_took_part=parts.extension(held, TOOK_PART, "valueReference") is not None,
        summary=parts.text(held.get("description")),
        care_plan=plans.get("care-plan"),
        aftercare_plan=plans.get("aftercare-plan"),
        links=tuple(_referrals(related, context, end=False)),
        ends=tuple(_referrals(related, context, end=True)),
        unmet=tuple(_read_unmet(r, context) for r in resources if _is_unmet(r)),
        notices=tuple(_read_notice(r, context) for r in resources if r["resourceType"] == "Communication"),
        follow_up=_read_follow_up(one(resources, "CommunicationRequest"), context),
    )
    more = (note("the closing record has no place for further attachments", "DocumentReference.content[1]"),)
    return Told(record, more if len(held.get("content", [])) > 1 else ())


def _document(closing: Closing, context: MappingContext) -> JsonObject:
    events = [_reason(closing.reason)] if closing.reason else []
    events += [{"coding": [terms().coding(CLOSING, "unexpected")]}] if closing.unexpected else []
    took_part = refer(context, "clients", closing.client) if closing.client_took_part else None
    wrong = closing.status == "entered-in-error"
    return build(
        "DocumentReference",
        id=resource_id(context, "closings", closing.id, "DocumentReference"),
        meta={"profile": [_PROFILE]},
        extension=[
            parts.fhir_extension(CLOSING_PLANNED, "valueDate", _day(closing)),
            parts.fhir_extension(TOOK_PART, "valueReference", took_part),
        ],
        identifier=[own_identifier(context, "closings", closing.id)],
        status="entered-in-error" if wrong else "current",
        docStatus={"planned": "preliminary", "closed": "final"}.get(closing.status, "entered-in-error"),
        type={"coding": [_TYPE]},
        category=[{"coding": [_NOTE]}],
        subject=refer(context, "clients", closing.client),
        author=[refer(context, "case-managers", closing.by) if closing.by else own_organization(context)],
        description=closing.summary,
        content=[{"attachment": _attachment(closing)}],
        context={
            "event": events,
            "period": {"end": closing.closed},
            "related": list(_related(closing, context)),
        },
    )


def _day(closing: Closing) -> str | None:
    return closing.planned_for.isoformat() if closing.planned_for else None


def _reason(code: str) -> JsonObject:
    coding = terms().coding(CLOSING_REASON, code)
    return {"coding": [coding], "text": coding.get("display", code)}


def _attachment(closing: Closing) -> JsonObject:
    """The closing as a person reads it, and the client may take it home."""
    words = "\n".join(_lines(closing))
    title = "Closing plan" if closing.status == "planned" else "Closing evaluation"
    return {
        "contentType": "text/plain; charset=utf-8",
        "data": b64encode(words.encode()).decode(),
        "title": title,
    }


def _lines(closing: Closing) -> Iterator[str]:
    yield closing.summary or "Closing of case management"
    if closing.planned_for:
        yield f"Planned for {closing.planned_for.isoformat()}"
    if closing.closed and closing.reason:
        yield f"Closed {closing.closed}: {terms().display(CLOSING_REASON, closing.reason) or closing.reason}"
    for need in closing.unmet:
        authority = f" Reported to {need.reported_to}." if need.reported_to else ""
        yield f"Unmet: {need.text or parts.concept_text(fhir_service(need.need))}.{authority}"
    if closing.follow_up:
        yield str(terms().display(CLIENT_FLAG, closing.follow_up.permitted))


def _related(closing: Closing, context: MappingContext) -> Iterator[JsonObject]:
    for role, plan in (("care-plan", closing.care_plan), ("aftercare-plan", closing.aftercare_plan)):
        if plan:
            yield {"id": role, **refer(context, "care-plans", plan)}
    for referral in closing.links:
        yield refer(context, "referrals", referral)
    for number, referral in enumerate(closing.ends, 1):
        yield {"id": f"{_ENDS}{number}", **refer(context, "referrals", referral)}


def _unmet(closing: Closing, need: UnmetNeed, context: MappingContext) -> JsonObject:
    """The need as an Observation, so that unmet needs can be counted and reported (#59)."""
    why = {"code": _part("why-unmet"), "valueCodeableConcept": not_done(need.reason) if need.reason else None}
    told = {"code": _part("reported-to"), "valueString": need.reported_to}
    wrong = closing.status == "entered-in-error"
    return build(
        "Observation",
        id=resource_id(context, "closings", closing.id, f"unmet:{need.id}"),
        identifier=[identifier(context, "unmet-need", closing.id, need.id)],
        status="entered-in-error" if wrong else "final" if closing.status == "closed" else "preliminary",
        category=[{"coding": [{"system": OBSERVATION_CATEGORY, "code": "social-history"}]}],
        code=_part("unmet-need"),
        subject=refer(context, "clients", closing.client),
        effectiveDateTime=closing.closed,
        performer=[refer(context, "case-managers", closing.by) if closing.by else own_organization(context)],
        valueCodeableConcept=fhir_service(need.need),
        note=[{"text": need.text}] if need.text else None,
        component=[part for part in (why, told) if len([v for v in part.values() if v]) == 2],
    )


def _part(code: str) -> JsonObject:
    coding = terms().coding(CLOSING, code)
    return {"coding": [coding], "text": coding.get("display", code)}


def _notice(closing: Closing, notice: Notice, context: MappingContext) -> JsonObject:
    """What a provider was, or is to be, told; whether it may be, consent decides when it is read or sent."""
    wrong = closing.status == "entered-in-error"
    document = resource_id(context, "closings", closing.id, "DocumentReference")
    return build(
        "Communication",
        id=resource_id(context, "closings", closing.id, f"notice:{notice.id}"),
        identifier=[identifier(context, "closing-notice", closing.id, notice.id)],
        status="entered-in-error" if wrong else "completed" if notice.told else "preparation",
        category=[{"coding": [_NOTIFICATION]}, _part("closing-notice")],
        subject=refer(context, "clients", closing.client),
        about=[{"reference": f"DocumentReference/{document}"}],
        sent=parts.fhir_moment(notice.told) if notice.told else None,
        recipient=[refer(context, "agencies", notice.agency)],
        sender=refer(context, "case-managers", closing.by) if closing.by else own_organization(context),
        payload=[{"id": None if notice.words else _STANDARD, "contentString": notice.words or _NOTICE}],
    )


def provider_notice(closing: Closing, organization: str, stands: str, context: MappingContext) -> JsonObject:
    """The notice to a provider whom the record does not name. `stands`: what becomes of what it was asked for."""
    id_ = organization.rpartition("/")[2]
    made = _notice(closing, Notice(id=id_, agency=id_, words=f"{_NOTICE} {stands}".strip()), context)
    return {
        **made,
        "id": resource_id(context, "closings", closing.id, f"provider:{id_}"),
        "identifier": [identifier(context, "closing-provider", closing.id, id_)],
        "recipient": [{"reference": organization}],
    }


def document_of(made: Iterable[JsonObject]) -> str:
    """The reference of the plan or evaluation among what a closing record became."""
    return next(
        f"DocumentReference/{each['id']}" for each in made if each["resourceType"] == "DocumentReference"
    )


def client_of(made: Iterable[JsonObject]) -> str:
    """Whose case it is (`Patient/…`)."""
    return next(str(each["subject"]["reference"]) for each in made)


def is_notice(resource: JsonObject) -> bool:
    """Is this Communication the notice of a closing?"""
    return resource.get("resourceType") == "Communication" and any(
        parts.code_in(each, CLOSING) == "closing-notice" for each in resource.get("category", [])
    )


def is_provider_notice(resource: JsonObject, closing: str, context: MappingContext) -> bool:
    """Is it one that we worded for this closing?"""
    path = path_of(context, resource.get("identifier", []), "closing-provider")
    return is_notice(resource) and path is not None and path[0] == closing


def _follow_up(closing: Closing, said: FollowUpPermission, context: MappingContext) -> JsonObject:
    """Contact after closing; `doNotPerform` where nobody may (#60)."""
    coding = terms().coding(CLIENT_FLAG, said.permitted)
    wrong = closing.status == "entered-in-error"
    return build(
        "CommunicationRequest",
        id=resource_id(context, "closings", closing.id, "CommunicationRequest"),
        identifier=[identifier(context, "closing-follow-up", closing.id)],
        status="entered-in-error" if wrong else "active",
        category=[
            {**_part("follow-up-contact"), "coding": [terms().coding(CLOSING, "follow-up-contact"), coding]}
        ],
        doNotPerform=True if said.permitted == "prohibited" else None,
        medium=[{"coding": [_TEXT_MESSAGE]}] if said.permitted == "text-only" else None,
        subject=refer(context, "clients", closing.client),
        about=[refer(context, "consents", said.consent)] if said.consent else None,
        occurrencePeriod=parts.fhir_span(said.window),
        authoredOn=said.said,
        requester=refer(context, "clients", closing.client),
        recipient=[refer(context, "clients", closing.client)],
        sender=refer(context, "case-managers", said.by) if said.by else None,
        reasonCode=[_reason(said.reason)] if said.reason else None,
        note=[{"text": said.note}] if said.note else None,
    )


def _by(authors: list[JsonObject], context: MappingContext) -> str | None:
    people = (a for a in authors if "Practitioner" in str(a.get("reference")))
    return referred(context, "case-managers", next(people, None))


def _plans(related: list[JsonObject], context: MappingContext) -> dict[str, str]:
    """Which of the care plans ends and which goes on is said by the element's id; a partner's first one ends."""
    found: dict[str, str] = {}
    for each in related:
        plan = referred(context, "care-plans", each) if "CarePlan/" in str(each.get("reference")) else None
        if plan:
            found.setdefault(str(each.get("id", "care-plan")), plan)
    return found


def _referrals(related: list[JsonObject], context: MappingContext, *, end: bool) -> Iterator[str]:
    """Which of the referrals end with the case is said by the element's id; a partner's go on."""
    for each in related:
        ends = str(each.get("id", "")).startswith(_ENDS)
        asked = "ServiceRequest/" in str(each.get("reference")) and ends == end
        if asked and (known := referred(context, "referrals", each)):
            yield known


def _is_unmet(resource: JsonObject) -> bool:
    return (
        resource["resourceType"] == "Observation"
        and parts.code_in(resource.get("code"), CLOSING) == "unmet-need"
    )


def _read_unmet(observation: JsonObject, context: MappingContext) -> UnmetNeed:
    path = path_of(context, observation.get("identifier", []), "unmet-need")
    said = {parts.code_in(c.get("code"), CLOSING): c for c in observation.get("component", [])}
    return UnmetNeed(
        id=path[-1] if path else observation["id"],
        need=service(observation.get("valueCodeableConcept", {}), ours=path is not None),
        text=parts.text((observation.get("note") or [{}])[0].get("text")),
        reason=parts.code_in(said.get("why-unmet", {}).get("valueCodeableConcept"), NO_SERVICE),
        reported_to=parts.text(said.get("reported-to", {}).get("valueString")),
    )


def _read_notice(communication: JsonObject, context: MappingContext) -> Notice:
    path = path_of(context, communication.get("identifier", []), "closing-notice")
    sent = parts.when(communication.get("sent"))
    payload = (communication.get("payload") or [{}])[0]
    words = None if payload.get("id") == _STANDARD else parts.text(payload.get("contentString"))
    return Notice(
        id=path[-1] if path else communication["id"],
        agency=referred(context, "agencies", (communication.get("recipient") or [None])[0]) or "unknown",
        told=datetime.fromisoformat(sent) if sent and "T" in sent else None,
        words=words,
    )


def _read_follow_up(request: JsonObject | None, context: MappingContext) -> FollowUpPermission | None:
    if request is None:
        return None
    codes = (parts.code_in(c, CLIENT_FLAG) for c in request.get("category", []))
    permitted: Any = next((c for c in codes if c), "prohibited" if request.get("doNotPerform") else "allowed")
    reason: Any = next(
        (c for r in request.get("reasonCode", []) if (c := parts.code_in(r, CLOSING_REASON))), None
    )
    consent = next((a for a in request.get("about", []) if "Consent/" in str(a.get("reference"))), None)
    return FollowUpPermission(
        permitted=permitted,
        said=parts.when(request.get("authoredOn")),
        reason=reason,
        window=parts.span(request.get("occurrencePeriod")),
        by=referred(context, "case-managers", request.get("sender")),
        consent=referred(context, "consents", consent),
        note=parts.text((request.get("note") or [{}])[0].get("text")),
    )


def _notes(closing: Closing) -> Iterator[Issue]:
    if closing.reason and terms().display(CLOSING_REASON, closing.reason) is None:
        yield note(f"{closing.reason} is not in the list of reasons", "/reason", "unmapped-code")
    for number, need in enumerate(closing.unmet):
        yield from unmapped(need.need, f"/unmet/{number}/need")
    if closing.status == "closed" and not closing.aftercare_plan and not closing.summary:
        yield note(
            "a closing has an aftercare plan or an evaluation (004 CA-CM 6.04)",
            "/summary",
            "closing-without-plan",
        )
    if closing.unexpected and not closing.links:
        yield note(
            "after an unexpected exit the client is linked to other services",
            "/links",
            "closing-without-link",
        )
