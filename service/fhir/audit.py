"""A row of the audit trail as an AuditEvent, in the shapes of IHE BALP (https://profiles.ihe.net/ITI/BALP).

A successful access claims its BALP profile (Read, Create, Update, Delete, Query, with Patient before them where one
client is concerned); a delivery is a disclosure by its source (BALP PrivacyDisclosure.Source, the row of the
accounting); a decision is AuthZconsent. Everything claims ours. `agent` roles are those of the data's direction: on a
read the client is the destination, on a write the source.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.fhir.audited import Audited
from service.fhir.json import JsonObject
from service.kernel.clock import instant

OURS = "https://casebridge.example/fhir/StructureDefinition/"
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_REST = "http://hl7.org/fhir/restful-interaction"
_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_MEDIA = "https://profiles.ihe.net/ITI/BALP/CodeSystem/"
_WORDS = "https://casebridge.example/fhir/CodeSystem/audit-action"

_SHAPES = {
    "read": ("R", "Read"), "vread": ("R", "Read"),
    "create": ("C", "Create"), "update": ("U", "Update"), "patch": ("U", "Update"), "delete": ("D", "Delete"),
    "search-type": ("E", "Query"), "search-system": ("E", "Query"),
    "history-instance": ("R", ""), "history-type": ("R", ""), "history-system": ("R", ""),
    "transaction": ("E", ""), "batch": ("E", ""), "operation": ("E", ""),
}  # fmt: skip
"""Interaction → action and BALP profile."""

TYPES = {
    "access": "rest", "token": "110114", "consent": "110113", "disclosure": "110106", "administration": "110100",
}  # fmt: skip
"""Kind of row → AuditEvent.type."""

OFFERED = {
    "_id": "token", "date": "date", "patient": "reference", "entity": "reference", "agent": "reference",
    "type": "token", "subtype": "token", "outcome": "token", "disclosure-basis": "token",
}  # fmt: skip
"""Search parameters that there are over the trail."""

BASES = (
    "consent", "emergency", "audit-evaluation", "qsoa", "court-order", "research", "tpo",
)  # fmt: skip
"""Codes of our disclosure-basis; what goes to its own author, or names no client, is on none of them."""


@dataclass(frozen=True, slots=True)
class Here:
    """Who we are: base URL and the home agency's Organization (empty where there is none yet). `grounds`: of those that
    the rows name, document and nature of the emergency."""

    base: str
    organization: str = ""
    grounds: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def render(row: Audited, here: Here, query: str = "") -> JsonObject:
    """The AuditEvent. `query`: the words of the search, where they are still kept."""
    match row.kind:
        case "disclosure":
            body = _disclosure(row, here)
        case "consent" if row.patients:
            body = _decision(row, here)
        case _:
            body = _access(row, here, query)
    common: JsonObject = {"resourceType": "AuditEvent", "id": row.id}
    return {**common, **body, "recorded": instant(row.at), "source": _source(here)} | _purposes(row, body)


def profiles_of(row: Audited) -> list[str]:
    """What the rendered event claims."""
    if row.kind == "disclosure" and row.basis not in BASES:
        return [OURS + "casebridge-audit-event", BALP + "PrivacyDisclosure.Source"]
    if row.kind == "disclosure":
        return [OURS + "casebridge-audit-disclosure"]
    if row.kind == "consent" and row.patients and _consents(row):
        return [OURS + "casebridge-audit-event", BALP + "AuthZconsent"]
    shape = _shape(row)
    return [OURS + "casebridge-audit-event", *([BALP + shape] if shape else [])]


def _shape(row: Audited) -> str:
    """The BALP profile of an access: of successes only, as BALP has it."""
    if row.kind != "access" or row.outcome != "0":
        return ""
    shape = _SHAPES.get(row.action, ("", ""))[1]
    if not shape or (shape != "Query" and not row.resource):
        return ""
    return f"Patient{shape}" if len(_persons(row)) == 1 else shape


def _persons(row: Audited) -> tuple[str, ...]:
    """The clients an event names beside its data; a Patient that is itself the data counts too."""
    return row.patients


def _access(row: Audited, here: Here, query: str) -> JsonObject:
    action, _ = _SHAPES.get(row.action, ("E", ""))
    fhir = row.kind == "access" and (row.action in _SHAPES or row.action.startswith("$"))
    body: JsonObject = {
        "meta": {"profile": profiles_of(row)},
        "type": _coding(_TYPE, "rest") if fhir else _event_type(row),
        "subtype": [_subtype(row, fhir=fhir)],
        "action": action,
        "outcome": row.outcome,
    }
    if row.rule:
        body["outcomeDesc"] = row.rule
    if row.basis in BASES:
        body["extension"] = [_basis(row), *_grounds(row, here)]
    return {**body, "agent": _parties(row, here), "entity": _entities(row, query)}


def _event_type(row: Audited) -> JsonObject:
    """User authentication, or the administration of security."""
    return (
        _coding(_DCM, "110114")
        if row.kind == "token"
        else _coding(_DCM, "110113" if row.kind == "consent" else "110100")
    )


def _subtype(row: Audited, *, fhir: bool) -> JsonObject:
    if not fhir:
        return _coding(_WORDS, row.action)
    if row.action.startswith("$"):
        return {**_coding(_REST, "operation"), "display": row.action}
    return _coding(_REST, row.action)


def _parties(row: Audited, here: Here) -> list[JsonObject]:
    reads = _SHAPES.get(row.action, ("E", ""))[0] == "R"
    client, server = ("110152", "110153") if reads else ("110153", "110152")
    types = [_concept(_DCM, client), _concept(_DCM, server)]
    if row.action == "delete":
        types = [_concept(_DCM, "110150"), _concept(_MEMBER, "custodian")]
    caller: JsonObject = {"type": types[0], "who": _who(row), "requestor": True, "network": _network(row)}
    if row.token:
        caller["policy"] = [f"urn:casebridge:token:{row.token}"]
    return [caller, {"type": types[1], **_ourselves(here)}]


_MEMBER = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
PERSON = "person:"
"""Before the name of a person at the console, whom the row names rather than the agency."""


def _ourselves(here: Here) -> JsonObject:
    return {"who": _us(here), "requestor": False, "network": {"address": here.base, "type": "5"}}


def _us(here: Here) -> JsonObject:
    return {"reference": here.organization} if here.organization else {"display": "Casebridge"}


def _who(row: Audited) -> JsonObject:
    if row.client.startswith(PERSON):
        return {"type": "Practitioner", "identifier": {"value": row.client}}
    if row.organization:
        return {"reference": row.organization}
    return {"identifier": {"value": row.client}} if row.client else {"display": "Casebridge"}


def _network(row: Audited) -> JsonObject:
    """An IP address, or the host of a partner's server (a machine's name)."""
    if not row.address:
        return {"address": "localhost", "type": "1"}
    return {
        "address": row.address,
        "type": "2" if row.address.replace(".", "").isdecimal() or row.address.count(":") > 1 else "1",
    }


def _entities(row: Audited, query: str) -> list[JsonObject]:
    found: list[JsonObject] = []
    if row.action.startswith("search") and row.kind == "access":
        found.append(_query(row, query))
    elif row.resource:
        version = f"/_history/{row.version}" if row.version else ""
        found.append(_data(row.resource + version, row.detail))
    found += [_person(patient) for patient in _persons(row)]
    found += [_data(other, "") for other in row.about if other != row.resource and other not in row.patients]
    found += _consents(row)
    if row.request:
        kind = _coding(_MEDIA + "BasicAuditEntityType", "XrequestId")
        found.append({"what": {"identifier": {"value": row.request}}, "type": kind})
    return found or [{"type": _coding(_ENTITY, "4"), "name": row.action}]


def _query(row: Audited, query: str) -> JsonObject:
    """The raw question; the type alone once its words are shredded."""
    raw = f"{row.resource or row.detail.split(' ')[0]}?{query}"
    entity: JsonObject = {
        "type": _coding(_ENTITY, "2"),
        "role": _coding(_ROLE, "24"),
        "query": base64.b64encode(raw.encode()).decode(),
    }
    if row.detail:
        entity["description"] = row.detail
    return entity


def _data(reference: str, description: str) -> JsonObject:
    entity: JsonObject = {
        "what": _reference(reference),
        "type": _coding(_ENTITY, "2"),
        "role": _coding(_ROLE, "4"),
    }
    if description:
        entity["description"] = description
    return entity


def _reference(text: str) -> JsonObject:
    """A FHIR reference; what is a record of the casework door, as an identifier."""
    return {"reference": text} if text[:1].isupper() else {"identifier": {"value": text}}


def _person(reference: str) -> JsonObject:
    return {"what": {"reference": reference}, "type": _coding(_ENTITY, "1"), "role": _coding(_ROLE, "1")}


def _consent(reference: str) -> JsonObject:
    kind = _coding("http://hl7.org/fhir/resource-types", "Consent")
    return {"what": {"reference": reference}, "type": kind}


def _basis(row: Audited) -> JsonObject:
    return {"url": OURS + "disclosure-basis", "valueCode": row.basis}


def _grounds(row: Audited, here: Here) -> list[JsonObject]:
    """The agreement or order, and the nature of an emergency: kept beside the trail, which names them by id."""
    found: list[JsonObject] = []
    for each in row.consents:
        document, nature = here.grounds.get(each, ("", ""))
        if document:
            found.append({"url": OURS + "disclosure-agreement", "valueIdentifier": {"value": document}})
        if nature:
            found.append({"url": OURS + "emergency-nature", "valueString": nature})
    return found[:1]


def _consents(row: Audited) -> list[JsonObject]:
    return [_consent(each) for each in row.consents if each.startswith("Consent/")]


def _disclosure(row: Audited, here: Here) -> JsonObject:
    body: JsonObject = {
        "meta": {"profile": profiles_of(row)},
        "type": _coding(_DCM, "110106"),
        "subtype": [_coding("http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "disclose")],
        "action": "R",
        "outcome": row.outcome,
    }
    if row.rule:
        body["outcomeDesc"] = row.rule
    if row.basis in BASES:
        body["extension"] = [_basis(row), *_grounds(row, here)]
    source = {"type": _concept(_DCM, "110153"), **_ourselves(here)}
    recipient = {
        "type": _concept(_DCM, "110152"),
        "who": _who(row),
        "requestor": False,
        "network": _network(row),
    }
    others = [
        _data(each, row.detail if each == row.resource else "")
        for each in row.about
        if each not in row.patients
    ]
    entities = [*map(_person, row.patients), *others, *_consents(row)]
    if row.request:
        kind = _coding(_MEDIA + "BasicAuditEntityType", "XrequestId")
        entities.append({"what": {"identifier": {"value": row.request}}, "type": kind})
    return {**body, "agent": [source, recipient], "entity": entities}


def _decision(row: Audited, here: Here) -> JsonObject:
    """A permit or a denial; without a consent to name it claims our profile alone."""
    sub = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"
    body: JsonObject = {
        "meta": {"profile": profiles_of(row)},
        "type": _coding(_DCM, "110113"),
        "subtype": [_coding(sub, "AuthZ-Consent")],
        "action": "E",
        "outcome": row.outcome,
    }
    if row.rule:
        body["outcomeDesc"] = row.rule
    agents: list[JsonObject] = [
        {"type": _concept(_DCM, "110150"), **_ourselves(here)},
        {"type": _concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"), "who": _who(row),
         "requestor": True},
        {"type": _concept("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV"), "who": _who(row),
         "requestor": False},
        {"type": _concept("http://terminology.hl7.org/CodeSystem/extra-security-role-type", "authserver"),
         "who": _us(here), "requestor": False},
    ]  # fmt: skip
    others = [each for each in row.about if each not in row.patients]
    entities = [
        *map(_person, row.patients[:1]),
        *_consents(row),
        *(_data(each, "") for each in others),
    ]
    return {**body, "agent": agents, "entity": entities}


def _source(here: Here) -> JsonObject:
    kind = _coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4")
    return {"observer": _us(here), "type": [kind]}


def _purposes(row: Audited, body: JsonObject) -> dict[str, Any]:
    return (
        {"purposeOfEvent": [_concept(_REASON, each) for each in row.purpose.split()]} if row.purpose else {}
    )


def _coding(system: str, code: str) -> JsonObject:
    return {"system": system, "code": code}


def _concept(system: str, code: str) -> JsonObject:
    return {"coding": [_coding(system, code)]}
