"""A service of our list, or a concept, ⇄ CodeableConcept: the same in referrals, plans and encounters."""

from typing import Final

from service.casework.records.words import Concept
from service.fhir.json import JsonObject
from service.mapping import parts
from service.mapping.names import HCPCS, LOINC, RSS_SERVICE, SNOMED
from service.mapping.terms import terms

_STANDARD: Final = frozenset((SNOMED, HCPCS, LOINC, "http://www.ama-assn.org/go/cpt"))
_SOME_SERVICE: Final = {
    "system": SNOMED,
    "code": "410606002",
    "display": "Social service procedure",
    "userSelected": False,
}
"""US Core and SDOHCC require a standard code; what is said in words only is at least this, and nobody
chose it."""


def fhir_service(service: str | Concept) -> JsonObject:
    """SNOMED CT and HCPCS where the service list maps to them, our own code, and words."""
    if isinstance(service, Concept):
        made = parts.fhir_concept(service)
        known = any(coding.system in _STANDARD for coding in service.codings)
        return made if known else {**made, "coding": [*made["coding"], _SOME_SERVICE]}
    coding = terms().coding(RSS_SERVICE, service)
    standard = [
        *terms().translate("rss-service-to-procedure", service),
        *terms().translate("rss-service-to-hcpcs", service),
    ]
    return {"coding": [*(standard or [_SOME_SERVICE]), coding], "text": coding.get("display", service)}


def service(value: JsonObject, *, ours: bool) -> str | Concept:
    """Our code; for what others wrote, the one its SNOMED CT code translates to; else the concept as it
    is."""
    known = parts.code_in(value, RSS_SERVICE)
    if known is None and not ours:
        known = terms().untranslate("rss-service-to-procedure", value.get("coding", []))
    own = [coding for coding in value.get("coding", []) if coding.get("userSelected") is not False]
    return known or parts.concept({**value, "coding": own}) or Concept(text="service not named")
