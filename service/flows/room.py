"""Is there room where a referral is to go? What the directory says of it is told to who files the referral.

Nothing is held back by it, and nobody is asked: SDOHCC 3.0 capacity status, as the agency or a list says it.
"""

from typing import Any, Final

from service.casework import records as words
from service.casework.records.agency import Agency
from service.casework.records.referral import Referral
from service.fhir.json import decode_object
from service.fhir.outcome import Issue
from service.mapping.agency import room, service_id
from service.mapping.context import MappingContext
from service.store import records, resources

_LACKS: Final = {
    "no-capacity": "has no room now",
    "waitlist": "has a waiting list",
    "additional-assessment-required": "asks for another assessment first",
}


async def told_of_room(connection: Any, referral: Referral, mapping: MappingContext) -> list[Issue]:
    """A warning for each agency asked where no programme that could take the client says it has room."""
    asked = [(agency, f"/offeredTo/{place}") for place, agency in enumerate(referral.offered_to)]
    if referral.recipient:
        place = "/recipientService" if referral.recipient_service else "/recipient"
        asked.append((referral.recipient, place))
    found = [(await _lacking(connection, agency, referral, mapping), place) for agency, place in asked]
    return [Issue("warning", "business-rule", text, place, "no-room") for text, place in found if text]


async def _lacking(connection: Any, agency: str, referral: Referral, mapping: MappingContext) -> str:
    """What the programmes say that could take the client; empty when one has room, or says nothing."""
    services = [referral.recipient_service] if referral.recipient_service else []
    if not services:
        services = await _offering(connection, agency, referral.service, mapping)
    keys = [("HealthcareService", service_id(mapping, agency, each)) for each in services]
    rows = await resources.known(connection, keys, None) if keys else []
    programmes = [decode_object(row.body) for row in rows if row.body]
    rooms = [(each.get("name", "the programme"), *room(each)) for each in programmes]
    if not rooms or any(status not in _LACKS for _, status, _ in rooms):
        return ""
    said = (f"{name} {_LACKS[status]}" + (f": {notes}" if notes else "") for name, status, notes in rooms)
    return "; ".join(said)


async def _offering(connection: Any, agency: str, service: object, mapping: MappingContext) -> list[str]:
    """The agency's services of this code, as its record has them."""
    kept = await records.find(connection, mapping.source.key, "agencies", agency)
    if kept is None or kept.deleted:
        return []
    said = words.read("agencies", agency, decode_object(kept.body))
    assert isinstance(said, Agency)
    return [each.id for each in said.services if each.active and each.service == service]
