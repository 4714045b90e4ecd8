"""A service of our list, or a concept, ⇄ CodeableConcept: the same in referrals, plans and encounters."""

from service.casework.records.words import Concept
from service.fhir.json import JsonObject
from service.mapping import parts
from service.mapping.names import RSS_SERVICE
from service.mapping.terms import terms


def fhir_service(service: str | Concept) -> JsonObject:
    """SNOMED CT and HCPCS where the service list maps to them, our own code, and words."""
    if isinstance(service, Concept):
        return parts.fhir_concept(service)
    coding = terms().coding(RSS_SERVICE, service)
    standard = [
        *terms().translate("rss-service-to-procedure", service),
        *terms().translate("rss-service-to-hcpcs", service),
    ]
    return {"coding": [*standard, coding], "text": coding.get("display", service)}


def service(value: JsonObject, *, ours: bool) -> str | Concept:
    """Our code; for what others wrote, the one its SNOMED CT code translates to; else the concept as it
    is."""
    known = parts.code_in(value, RSS_SERVICE)
    if known is None and not ours:
        known = terms().untranslate("rss-service-to-procedure", value.get("coding", []))
    return known or parts.concept(value) or Concept(text="service not named")
