"""Encounter record ⇄ Encounter + Procedures (one for the activity with its summary, one for each service given) +
a Communication where it was not in person.

US Core 7.0.0 Encounter; SDOHCC Procedure for what was delivered (CASEWORK.md #19, #31, #34).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from service.casework.records.encounter import Done, Encounter
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.fhir.outcome import Issue
from service.mapping import parts
from service.mapping.context import Mapped, MappingContext, Told, note, one
from service.mapping.identity import (
    identifier,
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
    ABSENT,
    ACTIVITY,
    BILLING,
    CONTACT_MODE,
    DIRECT_CONTACT,
    NEXT_STEPS,
    NO_SERVICE,
    UCUM,
    profile,
)
from service.mapping.services import fhir_service, service, unmapped
from service.mapping.terms import terms

_PROCEDURE_STATUS: Final = {
    "planned": "preparation",
    "cancelled": "not-done",
    "entered-in-error": "entered-in-error",
    "in-progress": "in-progress",
}
_COMMUNICATION_STATUS: Final = {"finished": "completed", "cancelled": "not-done"}
_MODE_UNKNOWN: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}


def to_fhir(encounter: Encounter, context: MappingContext) -> Mapped:
    """Encounter, its Procedures, then the Communication that a call, video or text message is."""
    made = [_encounter(encounter, context)]
    if encounter.summary or encounter.care_plan:
        made.append(_activity(encounter, context))
    made.extend(_delivered(encounter, done, context) for done in encounter.done)
    made.extend(_communication(encounter, context))
    return Mapped(tuple(made), tuple(_notes(encounter)))


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[Encounter]:
    """From an Encounter with the Procedures done in it, ours or a partner's."""
    held = one(resources, "Encounter")
    if held is None:
        raise LookupError("no Encounter among the resources")
    procedures = [r for r in resources if r["resourceType"] == "Procedure"]
    activity = next((p for p in procedures if _is_activity(p, context)), {})
    codings = [c for kind in held.get("type", []) for c in kind.get("coding", [])]
    people = [p.get("individual", {}) for p in held.get("participant", [])]
    period = held.get("period", {})
    status: Any = held["status"]
    shown = {
        "arrived": "in-progress",
        "triaged": "in-progress",
        "onleave": "in-progress",
        "unknown": "planned",
    }
    record = Encounter(
        id=record_id(context, "encounters", held),
        client=referred(context, "clients", held.get("subject")) or "unknown",
        status=shown.get(status, status),
        missed=next((c for r in held.get("reasonCode", []) if (c := parts.code_in(r, NO_SERVICE))), None),
        activities=tuple(c["code"] for c in codings if c.get("system") == ACTIVITY) or ("linkage",),
        billing=_billing(codings),
        mode=_mode(codings, held.get("class", {})),
        direct=parts.extension(held, DIRECT_CONTACT, "valueBoolean"),
        start=_moment(period.get("start")),
        end=_moment(period.get("end")),
        minutes=_minutes(held.get("length")),
        place=_place(held),
        workers=tuple(_workers(people, context)),
        supports=tuple(path[-1] for p in people if (path := part_of_path(context, p, "support"))),
        others=tuple(said for p in people if "reference" not in p and (said := parts.text(p.get("display")))),
        reason=_reason(held),
        referrals=tuple(
            known for r in held.get("basedOn", []) if (known := referred(context, "referrals", r))
        ),
        care_plan=referred(context, "care-plans", (activity.get("basedOn") or [None])[0]),
        summary=parts.text((activity.get("note") or [{}])[0].get("text")),
        done=tuple(_done(p, context) for p in procedures if not _is_activity(p, context)),
        next_steps=parts.text(parts.extension(held, NEXT_STEPS, "valueMarkdown")),
    )
    return Told(record, tuple(_unread(held)))


def _encounter(encounter: Encounter, context: MappingContext) -> JsonObject:
    return build(
        "Encounter",
        id=resource_id(context, "encounters", encounter.id, "Encounter"),
        meta={"profile": [profile("casebridge-encounter")]},
        extension=[
            parts.fhir_extension(DIRECT_CONTACT, "valueBoolean", encounter.direct),
            parts.fhir_extension(NEXT_STEPS, "valueMarkdown", encounter.next_steps),
        ],
        identifier=[own_identifier(context, "encounters", encounter.id)],
        status=encounter.status,
        class_=(terms().translate("contact-mode-to-class", encounter.mode) or [_MODE_UNKNOWN])[0],
        type=list(_types(encounter)),
        subject=refer(context, "clients", encounter.client),
        basedOn=[refer(context, "referrals", referral) for referral in encounter.referrals],
        participant=[{"individual": person} for person in _people(encounter, context)],
        period=_period(encounter),
        length=_length(encounter.minutes),
        reasonCode=list(_reasons(encounter)),
        location=[{"location": {"display": encounter.place}}] if encounter.place else None,
        serviceProvider=own_organization(context),
    )


def _types(encounter: Encounter) -> Iterator[JsonObject]:
    for activity in encounter.activities:
        yield {"coding": [terms().coding(ACTIVITY, activity)]}
    if encounter.billing:
        standard = terms().translate("contact-billing-to-hcpcs", encounter.billing)
        yield {"coding": [*standard, terms().coding(BILLING, encounter.billing)]}
    yield {"coding": [terms().coding(CONTACT_MODE, encounter.mode)]}


def _people(encounter: Encounter, context: MappingContext) -> Iterator[JsonObject]:
    for worker in encounter.workers:
        yield refer(context, "case-managers", worker)
    for support in encounter.supports:
        yield support_reference(context, encounter.client, support)
    for other in encounter.others:
        yield {"display": other}


def support_reference(context: MappingContext, client: str, support: str) -> JsonObject:
    """A Reference to the RelatedPerson that is one of the client's supports."""
    related = resource_id(context, "clients", client, f"support:{support}")
    return {
        "reference": f"RelatedPerson/{related}",
        "identifier": identifier(context, "support", client, support),
    }


def _period(encounter: Encounter) -> JsonObject | None:
    start, end = encounter.start, encounter.end
    if not (start or end):
        return None
    return {"start": start and parts.fhir_moment(start), "end": end and parts.fhir_moment(end)}


def _length(minutes: int | None) -> JsonObject | None:
    return {"value": minutes, "unit": "min", "system": UCUM, "code": "min"} if minutes else None


def _reasons(encounter: Encounter) -> Iterator[JsonObject]:
    if encounter.reason:
        yield {"text": encounter.reason}
    if encounter.missed:
        yield not_done(encounter.missed)


def not_done(reason: str) -> JsonObject:
    """Why something did not come about, in our code and the standard one."""
    standard = terms().translate("no-service-reason-to-standard", reason)
    return {"coding": [*standard, terms().coding(NO_SERVICE, reason)]}


def _activity(encounter: Encounter, context: MappingContext) -> JsonObject:
    first = encounter.activities[0]
    standard = terms().translate("case-management-activity-to-procedure", first)
    return build(
        "Procedure",
        id=resource_id(context, "encounters", encounter.id, "Procedure"),
        identifier=[identifier(context, "encounter-activity", encounter.id)],
        basedOn=[refer(context, "care-plans", encounter.care_plan)] if encounter.care_plan else None,
        status=_PROCEDURE_STATUS.get(encounter.status, "completed"),
        code={"coding": [*standard, terms().coding(ACTIVITY, first)]},
        note=[{"text": encounter.summary}] if encounter.summary else None,
        **_in_encounter(encounter, context),
    )


def _delivered(encounter: Encounter, done: Done, context: MappingContext) -> JsonObject:
    status = encounter.status if encounter.status == "entered-in-error" else done.status
    return build(
        "Procedure",
        id=resource_id(context, "encounters", encounter.id, f"done:{done.id}"),
        meta={"profile": [profile("casebridge-service-delivered")]},
        identifier=[identifier(context, "service-delivered", encounter.id, done.id)],
        basedOn=[refer(context, "referrals", done.referral)] if done.referral else None,
        status=status,
        statusReason=not_done(done.reason) if done.reason else None,
        code=fhir_service(done.service),
        outcome={"text": done.outcome},
        note=[{"text": done.evidence}] if done.evidence else None,
        **_in_encounter(encounter, context),
    )


def _communication(encounter: Encounter, context: MappingContext) -> Iterator[JsonObject]:
    """Says that somebody called or wrote, when and to whom; what was said stays in the Procedure's note."""
    medium = terms().translate("contact-mode-to-medium", encounter.mode)
    if not medium or encounter.status == "planned":
        return
    own = resource_id(context, "encounters", encounter.id, "Encounter")
    worker = refer(context, "case-managers", encounter.workers[0]) if encounter.workers else None
    yield build(
        "Communication",
        id=resource_id(context, "encounters", encounter.id, "Communication"),
        identifier=[identifier(context, "encounter-communication", encounter.id)],
        basedOn=[refer(context, "referrals", referral) for referral in encounter.referrals],
        status=_COMMUNICATION_STATUS.get(encounter.status, encounter.status),
        statusReason=not_done(encounter.missed) if encounter.missed else None,
        medium=[{"coding": medium}],
        subject=refer(context, "clients", encounter.client),
        encounter={"reference": f"Encounter/{own}"},
        sent=parts.fhir_moment(encounter.start) if encounter.start else None,
        recipient=[refer(context, "clients", encounter.client)] if encounter.direct else None,
        sender=worker or own_organization(context),
    )


def _in_encounter(encounter: Encounter, context: MappingContext) -> dict[str, Any]:
    """What every Procedure of an encounter has from it. A time nobody knows is said to be unknown
    (us-core-7)."""
    period = _period(encounter)
    unknown = {"_performedDateTime": {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}}
    own = resource_id(context, "encounters", encounter.id, "Encounter")
    return {
        "subject": refer(context, "clients", encounter.client),
        "encounter": {"reference": f"Encounter/{own}"},
        **({"performedPeriod": period} if period else unknown),
        "performer": [{"actor": refer(context, "case-managers", worker)} for worker in encounter.workers],
    }


def _done(procedure: JsonObject, context: MappingContext) -> Done:
    path = path_of(context, procedure.get("identifier", []), "service-delivered")
    status: Any = procedure["status"]
    referral = next(
        (r for r in procedure.get("basedOn", []) if "ServiceRequest/" in str(r.get("reference"))), None
    )
    return Done(
        id=path[-1] if path else procedure["id"],
        service=service(procedure.get("code", {}), ours=path is not None),
        status=status if status in ("completed", "not-done", "in-progress") else "not-done",
        reason=parts.code_in(procedure.get("statusReason"), NO_SERVICE),
        referral=referred(context, "referrals", referral),
        outcome=parts.concept_text(procedure.get("outcome")),
        evidence=parts.text((procedure.get("note") or [{}])[0].get("text")),
    )


def _is_activity(procedure: JsonObject, context: MappingContext) -> bool:
    return path_of(context, procedure.get("identifier", []), "encounter-activity") is not None


def _billing(codings: list[JsonObject]) -> str | None:
    own = next((c["code"] for c in codings if c.get("system") == BILLING), None)
    return own or terms().untranslate("contact-billing-to-hcpcs", codings)


def _mode(codings: list[JsonObject], class_: JsonObject) -> str:
    own = next((c["code"] for c in codings if c.get("system") == CONTACT_MODE), None)
    return own or terms().untranslate("contact-mode-to-class", [class_]) or "office"


def _workers(people: list[JsonObject], context: MappingContext) -> Iterator[str]:
    for person in people:
        kind = str(person.get("reference", "")).split("/")[-2:-1]
        if kind in (["PractitionerRole"], ["Practitioner"]):
            known = referred(context, "case-managers", person)
            if known:
                yield known


def _moment(value: object) -> datetime | None:
    said = parts.when(value)
    return datetime.fromisoformat(said) if said and "T" in said else None


def _minutes(length: JsonObject | None) -> int | None:
    if not length or length.get("code") not in ("min", "h"):
        return None
    minutes = int(length.get("value", 0)) * (60 if length["code"] == "h" else 1)
    return minutes if 1 <= minutes <= 1440 else None


def _place(encounter: JsonObject) -> str | None:
    displays = (place.get("location", {}).get("display") for place in encounter.get("location", []))
    return next((said for display in displays if (said := parts.text(display))), None)


def _reason(encounter: JsonObject) -> str | None:
    held = [r for r in encounter.get("reasonCode", []) if not parts.code_in(r, NO_SERVICE)]
    return "; ".join(said for r in held if (said := parts.concept_text(r))) or None


def _notes(encounter: Encounter) -> Iterator[Issue]:
    for activity in encounter.activities:
        if terms().display(ACTIVITY, activity) is None:
            yield note(f"{activity} is not one of the seven activities", "/activities", "unmapped-code")
    for number, done in enumerate(encounter.done):
        yield from unmapped(done.service, f"/done/{number}/service")
    if not terms().translate("contact-mode-to-class", encounter.mode):
        yield note(f"no encounter class is mapped for {encounter.mode}", "/mode", "unmapped-code")


def _unread(encounter: JsonObject) -> Iterator[Issue]:
    for element in (
        "diagnosis",
        "hospitalization",
        "account",
        "episodeOfCare",
        "statusHistory",
        "appointment",
    ):
        if element in encounter:
            yield note(f"the encounter record has no place for {element}", f"Encounter.{element}")
    for edge in ("start", "end"):
        said = encounter.get("period", {}).get(edge, "T")
        if "T" not in said:
            yield note("the encounter record holds moments, not days", f"Encounter.period.{edge}")
