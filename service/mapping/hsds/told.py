"""Our directory as HSDS-FHIR 1.0 (STU1) has it. https://hl7.org/fhir/us/hsds"""

from typing import Final

from service.fhir.json import JsonObject
from service.mapping.names import SERVICE_AREA
from service.mapping.terms import terms

_PROFILE: Final = "http://hl7.org/fhir/us/hsds/StructureDefinition/hsds-"
_ABSENT: Final = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "unknown",
}
_NEVER: Final = {
    "Organization": ("address", "partOf"),
    "Location": ("mode", "type", "partOf"),
    "HealthcareService": (),
}
"""What the profiles forbid (0..0)."""
TYPES: Final = tuple(_NEVER)


def told(resource: JsonObject) -> JsonObject | None:
    """The resource as its HSDS-FHIR profile wants it; None for one that is not active: the guide lists no such."""
    type_ = resource["resourceType"]
    if resource.get("active", True) is not True or resource.get("status", "active") != "active":
        return None
    kept = {name: value for name, value in resource.items() if name not in _NEVER[type_]}
    meta = {**resource.get("meta", {}), "profile": [f"{_PROFILE}{type_}"]}
    made: JsonObject = {**kept, "meta": meta}
    if type_ == "Location":
        return {**made, "status": "active"}
    made["active"] = True
    if type_ == "Organization":
        made.setdefault("type", [{"extension": [_ABSENT]}])
        return made
    return _service(made)


def _service(service: JsonObject) -> JsonObject:
    """Exactly one category, of the guide's; our areas and the SDOH categories stay among the types."""
    held = service.get("category", [])
    areas = [
        coding["code"]
        for concept in held
        for coding in concept.get("coding", [])
        if coding.get("system") == SERVICE_AREA
    ]
    mapped = [c for area in areas for c in terms().translate("service-area-to-human-service-category", area)]
    category = {"coding": [mapped[0]]} if mapped else {"extension": [_ABSENT]}
    return {**service, "category": [category], "type": [*service.get("type", []), *held]}
