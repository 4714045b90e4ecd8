"""Who and what a reference means, among the resources at hand: names for a narrative. Pure."""

from collections.abc import Mapping

from service.fhir.json import Json, JsonObject
from service.fhir.references import local
from service.mapping.saying import name_of

Held = Mapping[str, JsonObject]
"""`Type/id` to the resource."""


def held_by(held: Held, reference: Json) -> JsonObject | None:
    """The resource that a Reference means, where it is at hand."""
    text = reference.get("reference") if isinstance(reference, dict) else None
    key = local(text) if isinstance(text, str) else None
    return held.get("/".join(key)) if key else None


def who(held: Held, reference: Json) -> str:
    """A person or an agency by name: the resource's own, else what the reference displays; empty where neither is."""
    found = held_by(held, reference)
    shown = str(reference.get("display", "")) if isinstance(reference, dict) else ""
    if found is None:
        return shown
    match found["resourceType"]:
        case "PractitionerRole":
            person, agency = who(held, found.get("practitioner")), who(held, found.get("organization"))
            return ", ".join(each for each in (person, agency) if each) or shown
        case "Organization" | "Location" | "HealthcareService":
            return str(found.get("name", shown))
        case "CareTeam":
            return shown or "the team"
        case _:
            return name_of(found) or shown


def agency_of(held: Held, reference: Json) -> str:
    """The agency that somebody acts for, by name; empty where it is not known."""
    found = held_by(held, reference)
    if found is None:
        return ""
    if found["resourceType"] == "PractitionerRole":
        return agency_of(held, found.get("organization"))
    return str(found.get("name", "")) if found["resourceType"] == "Organization" else ""
