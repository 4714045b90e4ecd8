"""Complaint ⇄ Communication, category alert, answered by its notes (CASEWORK.md #27, T13)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from service.casework.records.complaint import Complaint, Reply
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.fhir.outcome import Issue
from service.mapping import parts
from service.mapping.context import Mapped, MappingContext, Told, note, one
from service.mapping.identity import (
    own_identifier,
    own_organization,
    record_id,
    refer,
    refer_person,
    referred,
    resource_id,
)

_ALERT: Final = {"system": "http://terminology.hl7.org/CodeSystem/communication-category", "code": "alert"}
_STATUS: Final = {"open": "in-progress", "answered": "completed", "withdrawn": "stopped"}
_READ: Final = {"in-progress": "open", "completed": "answered", "stopped": "withdrawn"}


def to_fhir(complaint: Complaint, context: MappingContext) -> Mapped:
    """One Communication."""
    about = [refer(context, "referrals", complaint.referral)] if complaint.referral else []
    about += [refer(context, "agencies", complaint.agency)] if complaint.agency else []
    made = build(
        "Communication",
        id=resource_id(context, "complaints", complaint.id, "Communication"),
        identifier=[own_identifier(context, "complaints", complaint.id)],
        status=_STATUS.get(complaint.status, complaint.status),
        category=[{"coding": [_ALERT], "text": "Complaint"}],
        priority=complaint.urgency,
        subject=refer(context, "clients", complaint.client),
        about=about,
        received=parts.fhir_moment(complaint.received),
        recipient=[
            refer(context, "case-managers", complaint.to) if complaint.to else own_organization(context)
        ],
        sender=_sender(complaint, context),
        payload=[{"contentString": complaint.words}],
        note=[_note(reply, context) for reply in complaint.replies],
    )
    return Mapped((made,))


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[Complaint]:
    """From a Communication about a service."""
    held = one(resources, "Communication")
    if held is None:
        raise LookupError("no Communication among the resources")
    about = {str(r.get("reference", "/")).split("/")[-2]: r for r in held.get("about", [])}
    workers = (r for r in held.get("recipient", []) if "Practitioner" in str(r.get("reference")))
    status: Any = _READ.get(held["status"], "entered-in-error")
    said = [words for p in held.get("payload", []) if (words := parts.text(p.get("contentString")))]
    record = Complaint(
        id=record_id(context, "complaints", held),
        client=referred(context, "clients", held.get("subject")) or "unknown",
        received=_moment(held.get("received") or held.get("sent"), context),
        words="\n".join(said) or "nothing was written",
        said_by=_said_by(held),
        referral=referred(context, "referrals", about.get("ServiceRequest")),
        agency=referred(context, "agencies", about.get("Organization")),
        urgency=held.get("priority", "routine"),
        status=status,
        to=referred(context, "case-managers", next(workers, None)),
        replies=tuple(_replies(held, context)),
    )
    return Told(record, tuple(_unread(held)))


def _sender(complaint: Complaint, context: MappingContext) -> JsonObject:
    if complaint.said_by == "client":
        return refer(context, "clients", complaint.client)
    kind = {"support": "RelatedPerson", "partner": "Organization", "worker": "PractitionerRole"}
    return {"type": kind[complaint.said_by], "display": complaint.said_by}


def _said_by(held: JsonObject) -> Any:
    sender = held.get("sender", {})
    kind = sender.get("type") or str(sender.get("reference", "/")).split("/")[-2]
    read = {"RelatedPerson": "support", "Organization": "partner", "PractitionerRole": "worker"}
    return read.get(kind, "worker" if kind == "Practitioner" else "client")


def _note(reply: Reply, context: MappingContext) -> JsonObject:
    author = refer_person(context, reply.case_manager) if reply.case_manager else None
    return {"authorReference": author, "time": parts.fhir_moment(reply.at), "text": reply.text}


def _replies(held: JsonObject, context: MappingContext) -> Iterator[Reply]:
    for remark in held.get("note", []):
        words = parts.text(remark.get("text"))
        if words:
            yield Reply(
                text=words,
                at=_moment(remark.get("time"), context),
                case_manager=referred(context, "case-managers", remark.get("authorReference")),
            )


def _moment(value: object, context: MappingContext) -> datetime:
    said = parts.when(value)
    return datetime.fromisoformat(said) if said and "T" in said else context.now


def _unread(held: JsonObject) -> Iterator[Issue]:
    for payload in held.get("payload", []):
        if "contentString" not in payload:
            yield note("the complaint record has no place for attachments", "Communication.payload")
