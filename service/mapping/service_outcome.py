"""Service outcome ⇄ Procedure (SDOHCC): what was delivered by whom, or why not (CASEWORK.md #19, #26)."""

from typing import Any, Final

from service.casework.records.service_outcome import ServiceOutcome
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.mapping import parts
from service.mapping.context import Mapped, MappingContext, Told, one
from service.mapping.encounter import not_done
from service.mapping.identity import own_identifier, path_of, record_id, refer, referred, resource_id
from service.mapping.names import ABSENT, NO_SERVICE, SESSIONS, profile
from service.mapping.services import fhir_service, service, unmapped

_STATUSES: Final = frozenset(("completed", "in-progress", "not-done", "stopped", "entered-in-error"))


def to_fhir(outcome: ServiceOutcome, context: MappingContext) -> Mapped:
    """One Procedure. A time nobody knows is said to be unknown (us-core-7)."""
    unknown = {"_performedDateTime": {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}}
    when = {"performedPeriod": parts.fhir_span(outcome.period)} if outcome.period else unknown
    made = build(
        "Procedure",
        id=resource_id(context, "service-outcomes", outcome.id, "Procedure"),
        meta={"profile": [profile("casebridge-service-delivered")]},
        extension=[parts.fhir_extension(SESSIONS, "valuePositiveInt", outcome.sessions)],
        identifier=[own_identifier(context, "service-outcomes", outcome.id)],
        basedOn=[refer(context, "referrals", outcome.referral)] if outcome.referral else None,
        status=outcome.status,
        statusReason=not_done(outcome.reason) if outcome.reason else None,
        code=fhir_service(outcome.service),
        subject=refer(context, "clients", outcome.client),
        **when,
        performer=[{"actor": refer(context, "agencies", outcome.agency)}] if outcome.agency else None,
        outcome={"text": outcome.outcome},
        note=[{"text": outcome.evidence}] if outcome.evidence else None,
    )
    return Mapped((made,), tuple(unmapped(outcome.service, "/service")))


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[ServiceOutcome]:
    """From a Procedure, ours or a partner's."""
    held = one(resources, "Procedure")
    if held is None:
        raise LookupError("no Procedure among the resources")
    status: Any = held["status"] if held["status"] in _STATUSES else "in-progress"
    stopped = status in ("not-done", "stopped")
    once = parts.when(held.get("performedDateTime"))
    period = {"start": once, "end": once} if once else held.get("performedPeriod")
    actors = (p.get("actor", {}) for p in held.get("performer", []))
    agency = next((a for a in actors if "Organization/" in str(a.get("reference"))), None)
    asked = (r for r in held.get("basedOn", []) if "ServiceRequest/" in str(r.get("reference")))
    ours = path_of(context, held.get("identifier", []), "service-outcome") is not None
    record = ServiceOutcome(
        id=record_id(context, "service-outcomes", held),
        client=referred(context, "clients", held.get("subject")) or "unknown",
        service=service(held.get("code", {}), ours=ours),
        status=status,
        reason=parts.code_in(held.get("statusReason"), NO_SERVICE) if stopped else None,
        referral=referred(context, "referrals", next(asked, None)),
        agency=referred(context, "agencies", agency),
        period=parts.span(period),
        sessions=parts.extension(held, SESSIONS, "valuePositiveInt"),
        outcome=parts.concept_text(held.get("outcome")),
        evidence=parts.text((held.get("note") or [{}])[0].get("text")),
    )
    return Told(record)
