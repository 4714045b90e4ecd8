"""A contact with the client that a resource plans: an Encounter, an Appointment, a message, a Task. Pure."""

from collections.abc import Iterator
from typing import Final

from service.coordination.aftercare import Contact
from service.fhir.json import Json, JsonObject
from service.fhir.references import local
from service.mapping import parts
from service.mapping.names import CLOSING, CONTACT_MODE, identifier_system

PLANS: Final = {
    "Encounter": frozenset({"planned"}),
    "Appointment": frozenset({"proposed", "pending", "booked", "waitlist"}),
    "Communication": frozenset({"preparation", "in-progress"}),
    "CommunicationRequest": frozenset({"draft", "active"}),
    "Task": frozenset({"draft", "requested", "ready"}),
}
"""Type → the statuses in which it is still to come."""
_SMS: Final = "SMSWRIT"


def planned_contact(resource: JsonObject) -> Contact | None:
    """What is planned with the client; None for what is over, is not with the client, or forbids contact itself."""
    type_ = resource["resourceType"]
    if resource.get("status") not in PLANS.get(type_, ()) or resource.get("doNotPerform"):
        return None
    if type_ != "Encounter" and not whom(resource):
        return None
    if any(parts.code_in(each, CLOSING) == "follow-up-contact" for each in resource.get("category", [])):
        return None  # the permission itself
    return Contact(_by_text(resource), frozenset(_workers(resource)))


def whom(resource: JsonObject) -> str:
    """The client that it is for, to read, to do or to come to (`Patient/…`); empty where it is for nobody."""
    named = [*_objects(resource.get("recipient")), *_objects(resource.get("owner"))]
    named += [each.get("actor", {}) for each in _objects(resource.get("participant"))]
    found = (local(str(each.get("reference", ""))) for each in named)
    return next(("/".join(key) for key in found if key and key[0] == "Patient"), "")


def _by_text(resource: JsonObject) -> bool:
    concepts = [*_objects(resource.get("medium")), *_objects(resource.get("type"))]
    codes = {str(coding.get("code")) for each in concepts for coding in each.get("coding", [])}
    modes = {parts.code_in(each, CONTACT_MODE) for each in concepts}
    return "text" in modes or _SMS in codes


def _workers(resource: JsonObject) -> Iterator[str]:
    """Records' ids of the case managers that it names."""
    named = [*_objects(resource.get("participant")), {"individual": resource.get("sender", {})}]
    for each in named:
        held = (each.get("individual") or each.get("actor") or {}).get("identifier", {})
        if held.get("system") == identifier_system("case-manager"):
            yield str(held.get("value", "")).partition("/")[2]


def _objects(value: Json) -> list[JsonObject]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]
