"""A service of our list, or a concept, ⇄ CodeableConcept: the same in referrals, plans and encounters."""

from collections.abc import Iterator
from typing import Final

from service.casework.records.words import Coding, Concept
from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.mapping import parts
from service.mapping.context import note
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
        if any(coding.system in _STANDARD for coding in service.codings):
            return made
        mapped = [{**c, "userSelected": False} for each in service.codings for c in _translated(each)]
        return {**made, "coding": [*made["coding"], *(mapped or [_SOME_SERVICE])]}
    coding = terms().coding(RSS_SERVICE, service)
    standard = [
        *terms().translate("rss-service-to-procedure", service),
        *terms().translate("rss-service-to-hcpcs", service),
    ]
    return {"coding": [*(standard or [_SOME_SERVICE]), coding], "text": coding.get("display", service)}


def _translated(coding: Coding) -> list[JsonObject]:
    found = terms().translate_coding(coding.system, coding.code)
    return [each for each in found if each["system"] in _STANDARD]


def unmapped(service: str | Concept | None, place: str) -> Iterator[Issue]:
    """A note for a service that travels as text with its own coding, for want of a map."""
    if isinstance(service, str) and terms().display(RSS_SERVICE, service) is None:
        yield note(f"{service} is not in the service list", place, "unmapped-code")
    if not isinstance(service, Concept) or any(c.system in _STANDARD for c in service.codings):
        return
    for coding in service.codings:
        if coding.code and not _translated(coding):
            yield note(f"no map for {coding.system or 'no system'}|{coding.code}", place, "unmapped-coding")


def service(value: JsonObject, *, ours: bool) -> str | Concept:
    """Our code; for what others wrote, the one its SNOMED CT code translates to; else the concept as it
    is."""
    known = parts.code_in(value, RSS_SERVICE)
    if known is None and not ours:
        known = terms().untranslate("rss-service-to-procedure", value.get("coding", []))
    return known or parts.concept(chosen(value)) or Concept(text="service not named")


def chosen(value: JsonObject) -> JsonObject:
    """A CodeableConcept without the codings that nobody chose."""
    own = [coding for coding in value.get("coding", []) if coding.get("userSelected") is not False]
    return {**value, "coding": own}
