"""Agency ⇄ Organization + a Location for each place, an Endpoint for each electronic address, a HealthcareService
for each service offered, an OrganizationAffiliation for each agreement (US Core Organization and Location, SDOHCC)."""

from decimal import Decimal
from typing import Any, Final

from service.casework.records.agency import (
    Agency,
    AgencyEndpoint,
    Agreement,
    Clock,
    OfferedService,
    Opening,
    Place,
)
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.fhir.outcome import Issue
from service.mapping import parts
from service.mapping.context import Mapped, MappingContext, Told, note, one
from service.mapping.identity import (
    identifier,
    own_identifier,
    part_of_path,
    path_of,
    record_id,
    refer,
    referred,
    resource_id,
)
from service.mapping.names import (
    AGENCY_KIND,
    AGREEMENT,
    CAPACITY,
    COVERED_ENTITY,
    FOR_APPOINTMENT,
    PART2_PROGRAM,
    RSS_SERVICE,
    SDOHCC_CODES,
    SERVICE_AREA,
    identifier_system,
    profile,
)
from service.mapping.terms import terms

_PARTNER: Final = identifier_system("partner")
_CATEGORY_MAPS: Final = ("rss-service-to-area", "rss-service-to-sdoh")
_US_CORE_LOCATION: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-location"
_CONNECTION: Final = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"
_CONNECTIONS: Final = {
    "fhir": "hl7-fhir-rest", "direct": "direct-project", "secure-email": "secure-email", "other": "other"
}  # fmt: skip
_ANY_PAYLOAD: Final = {"system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type", "code": "any"}
_TYPE_MAPS: Final = ("rss-service-to-procedure", "rss-service-to-service-type")


def to_fhir(agency: Agency, context: MappingContext) -> Mapped:
    """Endpoints, Organization, Locations, its HealthcareServices, then its agreements."""
    endpoints = [_endpoint(agency, each, context) for each in agency.endpoints]
    places = [_location(agency, place, context) for place in agency.places]
    services = [_service(agency, offered, context) for offered in agency.services]
    agreements = [_affiliation(agency, each, context) for each in agency.agreements]
    made = (*endpoints, _organization(agency, context), *places, *services, *agreements)
    return Mapped(made, tuple(_unmapped(agency)))


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[Agency]:
    """From an Organization with the HealthcareServices it provides."""
    organization = one(resources, "Organization")
    if organization is None:
        raise LookupError("no Organization among the resources")
    kinds = [code for value in organization.get("type", []) if (code := _kind(value))]
    agency = Agency(
        id=record_id(context, "agencies", organization),
        active=organization.get("active", True),
        name=parts.text(organization.get("name")) or "name not given",
        aliases=parts.texts(organization.get("alias")),
        kind=kinds[0] if kinds else None,
        part_of=referred(context, "agencies", organization.get("partOf")),
        identifiers=parts.other_identifiers(
            organization.get("identifier", []), identifier_system("agency"), _PARTNER
        ),
        contacts=parts.several(parts.contact, organization.get("telecom")),
        addresses=parts.several(parts.address, organization.get("address")),
        services=tuple(_offered(r, context) for r in resources if r["resourceType"] == "HealthcareService"),
        places=tuple(_place(r, context) for r in resources if r["resourceType"] == "Location"),
        endpoints=tuple(_read_endpoint(r, context) for r in resources if r["resourceType"] == "Endpoint"),
        agreements=tuple(
            _agreement(r, context) for r in resources if r["resourceType"] == "OrganizationAffiliation"
        ),
        part2_program=parts.extension(organization, PART2_PROGRAM, "valueBoolean"),
        partner=_partner(organization),
        covered_entity=parts.extension(organization, COVERED_ENTITY, "valueBoolean"),
    )
    return Told(agency)


def _organization(agency: Agency, context: MappingContext) -> JsonObject:
    return build(
        "Organization",
        id=resource_id(context, "agencies", agency.id, "Organization"),
        meta={"profile": [profile("casebridge-agency")]},
        extension=[
            parts.fhir_extension(PART2_PROGRAM, "valueBoolean", agency.part2_program),
            parts.fhir_extension(COVERED_ENTITY, "valueBoolean", agency.covered_entity),
        ],
        identifier=[
            own_identifier(context, "agencies", agency.id),
            {"system": _PARTNER, "value": agency.partner} if agency.partner else None,
            *map(parts.fhir_other_identifier, agency.identifiers),
        ],
        active=agency.active,
        type=[_fhir_kind(agency.kind)] if agency.kind else None,
        name=agency.name,
        alias=list(agency.aliases),
        telecom=[parts.fhir_contact(c) for c in agency.contacts],
        address=[parts.fhir_address(a) for a in agency.addresses],
        partOf=refer(context, "agencies", agency.part_of) if agency.part_of else None,
        endpoint=[_part_reference(context, agency.id, "Endpoint", each.id) for each in agency.endpoints],
    )


def _part_reference(context: MappingContext, agency: str, type_: str, part: str) -> JsonObject:
    own = resource_id(context, "agencies", agency, f"{type_}:{part}")
    return {
        "reference": f"{type_}/{own}",
        "identifier": identifier(context, f"agency-{type_.lower()}", agency, part),
    }


def _location(agency: Agency, place: Place, context: MappingContext) -> JsonObject:
    here = {"latitude": place.latitude, "longitude": place.longitude}
    return build(
        "Location",
        id=resource_id(context, "agencies", agency.id, f"Location:{place.id}"),
        meta={"profile": [_US_CORE_LOCATION]},
        identifier=[identifier(context, "agency-location", agency.id, place.id)],
        status="active" if place.active else "inactive",
        name=place.name,
        description=place.description,
        telecom=[parts.fhir_contact(c) for c in place.contacts],
        address=parts.fhir_address(place.address) if place.address else None,
        position=here if place.latitude is not None else None,
        managingOrganization=refer(context, "agencies", agency.id, agency.name),
        hoursOfOperation=[_fhir_hours(opening) for opening in place.openings],
        availabilityExceptions=place.hours,
    )


def _fhir_hours(opening: Opening) -> JsonObject:
    return {
        "daysOfWeek": list(opening.days),
        "allDay": opening.all_day,
        "openingTime": opening.opens and f"{opening.opens}:00",
        "closingTime": opening.closes and f"{opening.closes}:00",
    }


def _hours(value: JsonObject) -> Opening | None:
    days: Any = tuple(value.get("daysOfWeek", []))
    opens, closes = _clock(value.get("openingTime")), _clock(value.get("closingTime"))
    if not (days or opens or closes or "allDay" in value):
        return None
    return Opening(days=days, all_day=value.get("allDay"), opens=opens, closes=closes)


def _place(location: JsonObject, context: MappingContext) -> Place:
    path = path_of(context, location.get("identifier", []), "agency-location")
    here = location.get("position", {})
    return Place(
        id=path[-1] if path else location["id"],
        name=parts.text(location.get("name")) or "place not named",
        address=parts.address(location["address"]) if "address" in location else None,
        contacts=parts.several(parts.contact, location.get("telecom")),
        latitude=Decimal(here["latitude"]) if "latitude" in here else None,
        longitude=Decimal(here["longitude"]) if "longitude" in here else None,
        openings=parts.several(_hours, location.get("hoursOfOperation")),
        hours=parts.text(location.get("availabilityExceptions")),
        description=parts.text(location.get("description")),
        active=location.get("status", "active") == "active",
    )


def _endpoint(agency: Agency, endpoint: AgencyEndpoint, context: MappingContext) -> JsonObject:
    return build(
        "Endpoint",
        id=resource_id(context, "agencies", agency.id, f"Endpoint:{endpoint.id}"),
        identifier=[identifier(context, "agency-endpoint", agency.id, endpoint.id)],
        status="active" if endpoint.active else "off",
        connectionType={"system": _CONNECTION, "code": _CONNECTIONS.get(endpoint.kind, endpoint.kind)},
        name=endpoint.name,
        managingOrganization=refer(context, "agencies", agency.id, agency.name),
        payloadType=[{"coding": [_ANY_PAYLOAD]}],
        address=endpoint.address,
    )


def _read_endpoint(held: JsonObject, context: MappingContext) -> AgencyEndpoint:
    path = path_of(context, held.get("identifier", []), "agency-endpoint")
    kinds: Any = {code: kind for kind, code in _CONNECTIONS.items()}
    return AgencyEndpoint(
        id=path[-1] if path else held["id"],
        kind=kinds.get(held.get("connectionType", {}).get("code"), "other"),
        address=held["address"],
        name=parts.text(held.get("name")),
        active=held.get("status") in ("active", "test"),
    )


def _affiliation(agency: Agency, agreement: Agreement, context: MappingContext) -> JsonObject:
    return build(
        "OrganizationAffiliation",
        id=resource_id(context, "agencies", agency.id, f"OrganizationAffiliation:{agreement.id}"),
        identifier=[identifier(context, "agency-agreement", agency.id, agreement.id)],
        active=agreement.active,
        period=parts.fhir_span(agreement.period),
        organization=refer(context, "agencies", agency.id, agency.name),
        participatingOrganization=refer(context, "agencies", agreement.agency),
        code=[{"coding": [terms().coding(AGREEMENT, agreement.kind)]}],
        specialty=[{"coding": [terms().coding(SERVICE_AREA, area)]} for area in agreement.areas],
    )


def _agreement(affiliation: JsonObject, context: MappingContext) -> Agreement:
    path = path_of(context, affiliation.get("identifier", []), "agency-agreement")
    kinds = (parts.code_in(code, AGREEMENT) for code in affiliation.get("code", []))
    areas = (parts.code_in(value, SERVICE_AREA) for value in affiliation.get("specialty", []))
    return Agreement(
        id=path[-1] if path else affiliation["id"],
        agency=referred(context, "agencies", affiliation.get("participatingOrganization")) or "own",
        kind=next((kind for kind in kinds if kind), "referral"),
        areas=tuple(area for area in areas if area),
        period=parts.span(affiliation.get("period")),
        active=affiliation.get("active", True),
    )


def _fhir_kind(kind: str) -> JsonObject:
    coding = terms().coding(AGENCY_KIND, kind)
    standard = terms().translate("agency-kind-to-organization-type", kind)
    return {"coding": [*standard, coding], "text": coding.get("display", kind)}


def _kind(value: JsonObject) -> str | None:
    return parts.code_in(value, AGENCY_KIND)


def _partner(organization: JsonObject) -> str | None:
    held = organization.get("identifier", [])
    return next((parts.text(i.get("value")) for i in held if i.get("system") == _PARTNER), None)


def service_id(context: MappingContext, agency_id: str, offered_id: str) -> str:
    """The id of the HealthcareService that stands for one service of an agency."""
    return resource_id(context, "agencies", agency_id, f"service:{offered_id}")


def categories(service: str) -> list[JsonObject]:
    """The codings of the service areas and SDOH categories that a code of our service list belongs to."""
    return [c for name in _CATEGORY_MAPS for c in terms().translate(name, service)]


def standard_types(service: str) -> list[JsonObject]:
    """The codings that say in standard systems what a code of our service list says."""
    return [c for name in _TYPE_MAPS for c in terms().translate(name, service)]


def _service(agency: Agency, offered: OfferedService, context: MappingContext) -> JsonObject:
    coding = terms().coding(RSS_SERVICE, offered.service)
    return build(
        "HealthcareService",
        id=service_id(context, agency.id, offered.id),
        meta={"profile": [profile("casebridge-programme")]},
        extension=[fhir_capacity(offered.capacity, offered.capacity_notes)],
        identifier=[identifier(context, "service", agency.id, offered.id)],
        active=offered.active,
        providedBy=refer(context, "agencies", agency.id, agency.name),
        category=[{"coding": [c]} for c in categories(offered.service)],
        type=[
            {
                "coding": [*standard_types(offered.service), coding],
                "text": coding.get("display", offered.service),
            }
        ],
        name=offered.name,
        comment=offered.description,
        extraDetails=offered.how_to_access,
        telecom=[fhir_appointment_contact(parts.fhir_contact(c)) for c in offered.contacts],
        location=[_part_reference(context, agency.id, "Location", place) for place in offered.places],
        coverageArea=[{"display": area} for area in offered.areas],
        eligibility=[{"comment": offered.eligibility}] if offered.eligibility else None,
        communication=[parts.fhir_language(code) for code in offered.languages],
        availableTime=[_fhir_opening(opening) for opening in offered.openings],
        availabilityExceptions=offered.hours,
    )


def fhir_appointment_contact(contact: JsonObject) -> JsonObject:
    """A ContactPoint at which appointments are made (SDOHCC)."""
    held = [*contact.get("extension", []), {"url": FOR_APPOINTMENT, "valueBoolean": True}]
    return {**contact, "extension": held}


def fhir_capacity(capacity: str | None, notes: str | None = None) -> JsonObject | None:
    """The SDOHCC extension for room, waiting list or none, and what is said of it."""
    if capacity is None:
        return None
    value = {"coding": [{"system": SDOHCC_CODES, "code": capacity}]}
    said: list[JsonObject] = [{"url": "capacityStatus", "valueCodeableConcept": value}]
    if notes:
        said.append({"url": "capacityNotes", "valueString": notes})
    return {"url": CAPACITY, "extension": said}


def room(service: JsonObject) -> tuple[Any, str | None]:
    """Whether a HealthcareService has room (an SDOHCC capacity status, None for not said), and what is said of it."""
    held: JsonObject = next((e for e in service.get("extension", []) if e.get("url") == CAPACITY), {})
    status = parts.code_in(parts.extension(held, "capacityStatus", "valueCodeableConcept"), SDOHCC_CODES)
    return status, parts.text(parts.extension(held, "capacityNotes", "valueString")) if status else None


def _fhir_opening(opening: Opening) -> JsonObject:
    return {
        "daysOfWeek": list(opening.days),
        "allDay": opening.all_day,
        "availableStartTime": opening.opens and f"{opening.opens}:00",
        "availableEndTime": opening.closes and f"{opening.closes}:00",
    }


def _opening(value: JsonObject) -> Opening:
    days: Any = tuple(value.get("daysOfWeek", []))
    opens, closes = (value.get(f"available{end}Time") for end in ("Start", "End"))
    return Opening(days=days, all_day=value.get("allDay"), opens=_clock(opens), closes=_clock(closes))


def _clock(time: str | None) -> Clock | None:
    return time[:5] if time else None


def _offered(service: JsonObject, context: MappingContext) -> OfferedService:
    path = path_of(context, service.get("identifier", []), "service")
    codings = [c for value in service.get("type", []) for c in value.get("coding", [])]
    local = next((c["code"] for c in codings if c.get("system") == RSS_SERVICE), None)
    known = (terms().untranslate(name, codings) for name in _TYPE_MAPS)
    capacity, notes = room(service)
    return OfferedService(
        id=path[-1] if path else service["id"],
        service=local or next((code for code in known if code), "other"),
        name=parts.text(service.get("name")) or "service not named",
        description=parts.text(service.get("comment")),
        areas=parts.texts([area.get("display") for area in service.get("coverageArea", [])]),
        openings=tuple(map(_opening, service.get("availableTime", []))),
        hours=parts.text(service.get("availabilityExceptions")),
        capacity=capacity,
        capacity_notes=notes,
        eligibility=parts.text((service.get("eligibility") or [{}])[0].get("comment")),
        how_to_access=parts.text(service.get("extraDetails")),
        places=tuple(
            found[-1]
            for place in service.get("location", [])
            if (found := part_of_path(context, place, "agency-location"))
        ),
        contacts=parts.several(parts.contact, service.get("telecom")),
        languages=parts.several(parts.language_code, service.get("communication")),
        active=service.get("active", True),
    )


def _unmapped(agency: Agency) -> list[Issue]:
    unknown = [o.service for o in agency.services if terms().display(RSS_SERVICE, o.service) is None]
    return [note(f"{code} is not in the service list", rule="unmapped-code") for code in unknown]
