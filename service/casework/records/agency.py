"""The agency and what it offers: services, areas, hours, capacity, how to get in (#28, #52)."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from service.casework.records.answers import Amount
from service.casework.records.words import (
    Address,
    AgencyId,
    Contact,
    LanguageCode,
    OtherIdentifier,
    RecordId,
    Several,
    Slug,
    Span,
    Text,
    Uri,
    Written,
    distinct,
    speaks,
)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]

Latitude = Annotated[Amount, Field(ge=-90, le=90)]
Longitude = Annotated[Amount, Field(ge=-180, le=180)]


class Opening(Written):
    """When a service is open: weekdays with from and until, or all day."""

    days: Several[Weekday] = ()
    all_day: bool | None = None
    opens: Clock | None = None
    closes: Clock | None = None
    _says = speaks("days", "all_day", "opens", "closes")


class Place(Written):
    """Where the agency works (#20): a house one can go to, or the area a mobile team comes from."""

    id: RecordId
    """Your own id of the place, unique within the agency."""
    name: Text
    address: Address | None = None
    contacts: Several[Contact] = ()
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    openings: Several[Opening] = ()
    hours: Text | None = None
    """Opening hours in words, exceptions too."""
    description: Text | None = None
    """How to get there and get in: `step-free from the yard`."""
    active: bool = True

    @model_validator(mode="after")
    def _whole_position(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("a position has latitude and longitude")
        return self


class AgencyEndpoint(Written):
    """Where the agency can be reached electronically (#52). What is sent there is decided by its registration
    as a partner, not here."""

    id: RecordId
    """Your own id of it, unique within the agency."""
    kind: Literal["fhir", "direct", "secure-email", "other"] = "fhir"
    address: Uri
    name: Text | None = None
    active: bool = True


class Agreement(Written):
    """A formal arrangement with another agency (#28: each of the nine areas is provided or arranged; #32: a
    consulting agreement with the psychiatrist's practice)."""

    id: RecordId
    """Your own id of it, unique within the agency."""
    agency: AgencyId
    """The other side: who provides, refers or consults."""
    kind: Slug = "referral"
    """`referral`, `consulting`, `network`, `on-call`, `outcome-data`."""
    areas: Several[Slug] = ()
    """Service areas it covers: `housing`, `crisis`, `psychiatric`, …"""
    period: Span | None = None
    active: bool = True


class OfferedService(Written):
    """One service an agency offers and how a client gets it (#52)."""

    id: RecordId
    """Your own id of the service, unique within the agency."""
    service: Slug
    """A code of our service list: `transitional-housing`, `child-care`, `job-training`, …"""
    name: Text
    """What people ask for."""
    description: Text | None = None
    areas: Several[Text] = ()
    """The places it serves, in words."""
    openings: Several[Opening] = ()
    hours: Text | None = None
    """Opening hours in words, exceptions too."""
    capacity: Literal["capacity", "no-capacity", "waitlist", "additional-assessment-required"] | None = None
    """Whether there is room now (#44, #45)."""
    capacity_notes: Text | None = None
    """How many wait, and for how long: `about 15 wait, four to six weeks`. Names nobody."""
    eligibility: Text | None = None
    how_to_access: Text | None = None
    places: Several[RecordId] = ()
    """Ids of the agency's places where it is given (#20)."""
    contacts: Several[Contact] = ()
    languages: Several[LanguageCode] = ()
    active: bool = True

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.capacity_notes and not self.capacity:
            raise ValueError("capacityNotes say more about the capacity, which is not said")
        return self


class Agency(Written):
    """An organisation clients are referred to or come from."""

    id: RecordId
    active: bool = True
    name: Text
    aliases: Several[Text] = ()
    kind: Slug | None = None
    """`case-management`, `housing`, `clinic`, `employment`, `child-care`, `funder`, …"""
    part_of: AgencyId | None = None
    identifiers: Several[OtherIdentifier] = ()
    contacts: Several[Contact] = ()
    addresses: Several[Address] = ()
    services: Several[OfferedService] = ()
    """(#28, #52)"""
    places: Several[Place] = ()
    """(#20)"""
    endpoints: Several[AgencyEndpoint] = ()
    agreements: Several[Agreement] = ()
    """(#28, #32)"""
    partner: Text | None = None
    """The name under which it is registered as a partner (`casebridge partner add NAME`), if it is one; an
    agency whose id or name equals a partner's name needs no word."""
    part2_program: bool | None = None
    """A 42 CFR Part 2 programme: the fact of participation is itself protected."""
    covered_entity: bool | None = None
    """A HIPAA covered entity or business associate (§2.33: may redisclose under HIPAA)."""

    _apart = distinct(services="id", places="id", endpoints="id", agreements="id")

    @model_validator(mode="after")
    def _lives_nowhere(self) -> Self:
        if "home" in {*(way.use for way in self.contacts), *(place.use for place in self.addresses)}:
            raise ValueError("an agency has no contact or address of use home")
        return self


EXAMPLE: Final[dict[str, Any]] = {
    "id": "northside",
    "name": "Northside Housing Partnership",
    "kind": "housing",
    "contacts": [{"kind": "phone", "value": "+1-555-0130", "use": "work"}],
    "addresses": [
        {
            "lines": ["200 Station Road"],
            "city": "Harborview",
            "state": "OH",
            "postalCode": "43215",
            "use": "work",
        }
    ],
    "services": [
        {
            "id": "rooms",
            "service": "transitional-housing",
            "name": "Transitional rooms for families",
            "capacity": "capacity",
            "areas": ["Harborview"],
            "openings": [{"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "17:00"}],
            "howToAccess": "A referral from a case manager; rooms are shown on Wednesdays.",
            "places": ["station-road"],
            "contacts": [{"kind": "phone", "value": "+1-555-0131", "use": "work"}],
            "languages": ["en", "es"],
        },
    ],
    "places": [
        {
            "id": "station-road",
            "name": "House at Station Road",
            "address": {
                "lines": ["200 Station Road"],
                "city": "Harborview",
                "state": "OH",
                "postalCode": "43215",
            },
            "description": "Step-free from the yard; ring at the blue door.",
        }
    ],
    "endpoints": [{"id": "fhir", "address": "https://fhir.northside.example/r4", "name": "Referrals"}],
    "agreements": [
        {"id": "harbor", "agency": "harbor", "areas": ["housing"], "period": {"start": "2025-01-01"}}
    ],
    "part2Program": False,
    "coveredEntity": False,
}
