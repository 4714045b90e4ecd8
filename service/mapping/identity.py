"""How a record and its resources stay one thing: derived resource ids, business identifiers, references.

Ids are derived from (source, kind, record id, role), so handing a record over again gives the same resources.
The business identifier `…/identifier/referral|harbor/leslie-housing-1` is what partners know it by; a
reference carries it too, so that it can be read back without looking anything up.
"""

from collections.abc import Iterable
from typing import Final

from service.fhir.json import JsonObject
from service.kernel.ids import derived_id
from service.mapping.context import MappingContext
from service.mapping.names import identifier_system

NOUNS: Final = {
    "clients": "client",
    "case-managers": "case-manager",
    "agencies": "agency",
    "consents": "consent",
    "assessments": "assessment",
    "care-plans": "care-plan",
    "referrals": "referral",
    "encounters": "encounter",
    "gpra-interviews": "gpra-interview",
    "service-outcomes": "service-outcome",
    "complaints": "complaint",
    "satisfactions": "satisfaction",
    "closings": "closing",
    "client-tasks": "client-task",
}
"""Kind of record → the noun in its identifier system. Parts of a record have nouns of their own."""
_FACES: Final = {
    "clients": "Patient",
    "case-managers": "PractitionerRole",
    "agencies": "Organization",
    "consents": "Consent",
    "care-plans": "CarePlan",
    "encounters": "Encounter",
    "assessments": "QuestionnaireResponse",
    "referrals": "ServiceRequest",
    "gpra-interviews": "QuestionnaireResponse",
    "closings": "DocumentReference",
}
"""Kind of record → the type others refer to it by."""


def resource_id(context: MappingContext, kind: str, record_id: str, role: str) -> str:
    """The id of the resource that plays this role for this record."""
    if role == _FACES.get(kind) and (known := _known(context, kind, record_id)):
        return known.rsplit("/", 1)[1]
    return derived_id(context.source.key, kind, record_id, role)


def _known(context: MappingContext, kind: str, record_id: str) -> str | None:
    if kind == "agencies" and record_id == context.source.agency:
        return context.source.organization
    return context.directory.references.get((kind, record_id))


def identifier(context: MappingContext, noun: str, *path: str) -> JsonObject:
    """The business identifier of a record, or of a part of one (`goal`, `plan-1`, `goal-2`)."""
    return {"system": identifier_system(noun), "value": "/".join((context.source.key, *path))}


def own_identifier(context: MappingContext, kind: str, record_id: str) -> JsonObject:
    """The business identifier of a record."""
    return identifier(context, NOUNS[kind], record_id)


def refer(context: MappingContext, kind: str, record_id: str, display: str | None = None) -> JsonObject:
    """A Reference to the resource others know this record by."""
    face = _FACES[kind]
    reference = f"{face}/{resource_id(context, kind, record_id, face)}"
    made: JsonObject = {"reference": reference, "identifier": own_identifier(context, kind, record_id)}
    if display:
        made["display"] = display
    return made


def refer_person(context: MappingContext, case_manager: str) -> JsonObject:
    """A Reference to the Practitioner a case manager is, where R4 wants the person, not the role (ctm-1)."""
    person = resource_id(context, "case-managers", case_manager, "Practitioner")
    held = own_identifier(context, "case-managers", case_manager)
    return {"reference": f"Practitioner/{person}", "identifier": held}


def own_organization(context: MappingContext) -> JsonObject:
    """A Reference to the case-management system's own organisation, for what a record leaves unsaid."""
    source = context.source
    return {"reference": source.organization, **({"display": source.name} if source.name else {})}


def path_of(context: MappingContext, identifiers: Iterable[JsonObject], noun: str) -> tuple[str, ...] | None:
    """What follows our source key in our business identifier of this noun, if one is among them."""
    prefix = context.source.key + "/"
    for candidate in identifiers:
        value = candidate.get("value", "")
        if candidate.get("system") == identifier_system(noun) and value.startswith(prefix):
            return tuple(value.removeprefix(prefix).split("/"))
    return None


def record_id(context: MappingContext, kind: str, resource: JsonObject) -> str:
    """The record id of a resource: from our identifier, from the directory, else the resource's own id."""
    identifiers = resource.get("identifier", [])
    path = path_of(context, identifiers if isinstance(identifiers, list) else [identifiers], NOUNS[kind])
    if path:
        return "/".join(path)
    known = context.directory.records.get(f"{resource['resourceType']}/{resource.get('id', '')}")
    return known[1] if known and known[0] == kind else str(resource.get("id", ""))


def referred(context: MappingContext, kind: str, reference: JsonObject | None) -> str | None:
    """The record id a Reference points to; None for nothing and for our own organisation left unsaid."""
    if not reference:
        return None
    path = path_of(context, [reference.get("identifier", {})], NOUNS[kind])
    if path:
        return "/".join(path)
    literal = local(context, str(reference.get("reference", "")))
    known = context.directory.records.get(literal)
    if known and known[0] == kind:
        return known[1]
    if literal == context.source.organization:
        return None
    return literal.rsplit("/", 1)[-1] or None


def local(context: MappingContext, reference: str) -> str:
    """A reference as we write it: without our own base and without a version."""
    return reference.removeprefix(context.base.rstrip("/") + "/").split("/_history/")[0]


def part_of_path(context: MappingContext, reference: JsonObject | None, noun: str) -> tuple[str, ...] | None:
    """The path in a Reference's identifier of this noun: `("plan-1", "goal-2")`."""
    return path_of(context, [reference.get("identifier", {})], noun) if reference else None
