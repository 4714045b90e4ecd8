"""Case manager ⇄ Practitioner + PractitionerRole (US Core Practitioner, SDOHCC PractitionerRole)."""

from typing import Any, Final

from service.casework.records.case_manager import BackgroundCheck, CaseManager, Qualification
from service.casework.records.words import PersonName
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.mapping import parts
from service.mapping.context import Mapped, MappingContext, Told, note, one
from service.mapping.identity import (
    identifier,
    own_identifier,
    own_organization,
    record_id,
    refer,
    referred,
    resource_id,
)
from service.mapping.names import (
    ABSENT,
    BACKGROUND_CHECK,
    CASE_ROLE,
    QUALIFICATION,
    SUPERVISOR,
    identifier_system,
    profile,
)
from service.mapping.terms import terms

_UNKNOWN: Final[JsonObject] = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
_NO_CONTACT: Final[JsonObject] = {"system": "other", "_value": _UNKNOWN}
"""SDOHCC asks how to reach a worker in a role (pd-1); where nobody said, that is said. `system` has a required
binding, so it cannot be the absent one."""


def to_fhir(worker: CaseManager, context: MappingContext) -> Mapped:
    """Practitioner (the person), then PractitionerRole (the person at the agency), which others refer to."""
    unmapped = [code for code in worker.roles if terms().display(CASE_ROLE, code) is None]
    notes = tuple(note(f"no standard code for the role {code}", rule="unmapped-code") for code in unmapped)
    if not worker.contacts:
        notes += (note("partners cannot reach the case manager", "/contacts", "worker-without-contact"),)
    return Mapped((_practitioner(worker, context), _role(worker, context)), notes)


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[CaseManager]:
    """From a PractitionerRole with its Practitioner, or from either alone."""
    role = one(resources, "PractitionerRole") or {}
    person = one(resources, "Practitioner") or {}
    if not role and not person:
        raise LookupError("neither Practitioner nor PractitionerRole among the resources")
    names = parts.several(parts.name, person.get("name"))
    display = parts.text(role.get("practitioner", {}).get("display")) or "name not given"
    worker = CaseManager(
        id=record_id(context, "case-managers", role or person),
        active=bool(role.get("active", person.get("active", True))),
        name=names[0] if names else PersonName(text=display),
        agency=referred(context, "agencies", role.get("organization")),
        roles=tuple(code for value in role.get("code", []) if (code := _role_code(value))),
        supervisor=referred(context, "case-managers", parts.extension(role, SUPERVISOR, "valueReference")),
        qualifications=tuple(map(_qualification, person.get("qualification", []))),
        background_check=_background_check(person),
        identifiers=parts.other_identifiers(
            person.get("identifier", []), identifier_system("case-manager-person")
        ),
        languages=parts.several(parts.language_code, person.get("communication")),
        contacts=parts.several(parts.contact, role.get("telecom") or person.get("telecom")),
        started=parts.when(role.get("period", {}).get("start")),
        ended=parts.when(role.get("period", {}).get("end")),
    )
    more = (note("a case manager's record holds one name", "Practitioner.name[1]"),) if len(names) > 1 else ()
    return Told(worker, more)


def _practitioner(worker: CaseManager, context: MappingContext) -> JsonObject:
    return build(
        "Practitioner",
        id=resource_id(context, "case-managers", worker.id, "Practitioner"),
        meta={"profile": [profile("casebridge-case-manager")]},
        extension=[_check_extension(worker.background_check)] if worker.background_check else None,
        identifier=[
            identifier(context, "case-manager-person", worker.id),
            *map(parts.fhir_other_identifier, worker.identifiers),
        ],
        active=worker.active,
        name=[_family_named(parts.fhir_name(worker.name))],
        telecom=[parts.fhir_contact(c) for c in worker.contacts],
        qualification=[_fhir_qualification(q) for q in worker.qualifications],
        communication=[parts.fhir_language(code) for code in worker.languages],
    )


def _family_named(name: JsonObject) -> JsonObject:
    """US Core asks a practitioner's name for its family part; where there is none, that is said."""
    return name if name["family"] else {**name, "_family": _UNKNOWN}


def _role(worker: CaseManager, context: MappingContext) -> JsonObject:
    supervisor = refer(context, "case-managers", worker.supervisor) if worker.supervisor else None
    person = resource_id(context, "case-managers", worker.id, "Practitioner")
    return build(
        "PractitionerRole",
        id=resource_id(context, "case-managers", worker.id, "PractitionerRole"),
        meta={"profile": [profile("casebridge-case-manager-role")]},
        extension=[parts.fhir_extension(SUPERVISOR, "valueReference", supervisor)],
        identifier=[own_identifier(context, "case-managers", worker.id)],
        active=worker.active,
        period={"start": worker.started, "end": worker.ended},
        practitioner={"reference": f"Practitioner/{person}", "display": parts.full_name(worker.name)},
        organization=refer(context, "agencies", worker.agency)
        if worker.agency
        else own_organization(context),
        code=[_fhir_role_code(code) for code in worker.roles],
        telecom=[parts.fhir_contact(c) for c in worker.contacts] or [_NO_CONTACT],
    )


def _fhir_role_code(code: str) -> JsonObject:
    coding = terms().coding(CASE_ROLE, code)
    return {
        "coding": [*terms().translate("case-role-to-standard", code), coding],
        "text": coding.get("display", code),
    }


def _role_code(value: JsonObject) -> str | None:
    known = terms().untranslate("case-role-to-standard", value.get("coding", []))
    return parts.code_in(value, CASE_ROLE) or known


def _check_extension(check: BackgroundCheck) -> JsonObject:
    held: list[JsonObject | None] = [
        {"url": "status", "valueCode": check.status},
        parts.fhir_extension("checked", "valueDate", check.checked),
        parts.fhir_extension("expires", "valueDate", check.expires),
        *({"url": "population", "valueCode": population} for population in check.populations),
    ]
    return {"url": BACKGROUND_CHECK, "extension": held}


def _background_check(person: JsonObject) -> BackgroundCheck | None:
    held = next((e for e in person.get("extension", []) if e.get("url") == BACKGROUND_CHECK), None)
    if held is None:
        return None
    populations: Any = [e["valueCode"] for e in held["extension"] if e.get("url") == "population"]
    status: Any = parts.extension(held, "status", "valueCode")
    return BackgroundCheck(
        status=status,
        checked=parts.extension(held, "checked", "valueDate"),
        expires=parts.extension(held, "expires", "valueDate"),
        populations=tuple(populations),
    )


def _fhir_qualification(held: Qualification) -> JsonObject:
    coding = [terms().coding(QUALIFICATION, held.code)] if held.code else []
    return {
        "code": {"coding": coding, "text": held.text},
        "period": {"start": held.start, "end": held.end},
        "issuer": {"display": held.issuer},
    }


def _qualification(value: JsonObject) -> Qualification:
    return Qualification(
        text=parts.concept_text(value.get("code")) or "qualification not named",
        code=parts.code_in(value.get("code"), QUALIFICATION),
        issuer=parts.text(value.get("issuer", {}).get("display")),
        start=parts.when(value.get("period", {}).get("start")),
        end=parts.when(value.get("period", {}).get("end")),
    )
