"""Signatures on a care plan ⇄ Provenance: who signed which plan, when, as what (CASEWORK.md #55)."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from service.casework.records.care_plan import CarePlan, PlanSignature
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.mapping import parts
from service.mapping.context import MappingContext
from service.mapping.identity import identifier, part_of_path, refer, referred, resource_id
from service.mapping.names import PLAN_SIGNER, profile
from service.mapping.terms import terms

_SIGNATURE: Final = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1"}
_AUTHOR: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
    "code": "author",
}


def fhir_signature(plan: CarePlan, signed: PlanSignature, context: MappingContext) -> JsonObject:
    """Provenance with a signature: who signed which plan, when, as what."""
    if signed.case_manager:
        who = refer(context, "case-managers", signed.case_manager, signed.name)
    elif signed.role == "client":
        who = refer(context, "clients", plan.client, signed.name)
    else:
        who = {"display": signed.name}
    at = parts.fhir_moment(signed.at)
    own = resource_id(context, "care-plans", plan.id, "CarePlan")
    return build(
        "Provenance",
        id=resource_id(context, "care-plans", plan.id, f"signature:{signed.id}"),
        meta={"profile": [profile("casebridge-provenance")]},
        target=[{"reference": f"CarePlan/{own}"}],
        occurredDateTime=at,
        recorded=at,
        reason=[{"text": signed.revision}] if signed.revision else None,
        agent=[
            {
                "type": {"coding": [_AUTHOR]},
                "role": [{"coding": [terms().coding(PLAN_SIGNER, signed.role)]}],
                "who": who,
            }
        ],
        entity=[
            {
                "role": "source",
                "what": {"identifier": identifier(context, "plan-signature", plan.id, signed.id)},
            }
        ],
        signature=[{"type": [_SIGNATURE], "when": at, "who": who}],
    )


def read_signatures(resources: Iterable[JsonObject], context: MappingContext) -> Iterator[PlanSignature]:
    """The signatures in the Provenances among the resources."""
    for provenance in resources:
        signatures = provenance.get("signature") if provenance["resourceType"] == "Provenance" else None
        for signature in signatures or ():
            yield _read_signature(provenance, signature, context)


def _read_signature(provenance: JsonObject, signature: JsonObject, context: MappingContext) -> PlanSignature:
    whats = [entity.get("what", {}) for entity in provenance.get("entity", [])]
    paths = (part_of_path(context, what, "plan-signature") for what in whats)
    roles = (parts.code_in(r, PLAN_SIGNER) for a in provenance["agent"] for r in a.get("role", []))
    role: Any = next((code for code in roles if code), "case-manager")
    who = signature["who"]
    worker = "Practitioner" in str(who.get("reference"))
    path = next((p for p in paths if p), None)
    return PlanSignature(
        id=path[-1] if path else provenance["id"],
        role=role,
        name=parts.text(who.get("display")) or "name not given",
        case_manager=referred(context, "case-managers", who) if worker else None,
        at=signature["when"],
        revision=next((said for r in provenance.get("reason", []) if (said := parts.concept_text(r))), None),
    )
