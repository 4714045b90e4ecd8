"""HSDS organizations, locations and services → Organization, Location, HealthcareService.

Their codes are looked up in codes.py.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from service.fhir.json import JsonObject, Number
from service.fhir.models import ShapeMistake, build
from service.mapping import parts
from service.mapping.agency import categories, fhir_appointment_contact, fhir_capacity
from service.mapping.hsds.codes import codes_of, distinct, kind_of
from service.mapping.hsds.hours import hours
from service.mapping.hsds.listing import Entry, Listing
from service.mapping.hsds.making import Making, Programmes
from service.mapping.names import ASSURED_ON, profile

_EIN: Final = "urn:oid:2.16.840.1.113883.4.4"
_US_CORE_LOCATION: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-location"
_INTERPRETERS: Final = {
    "system": "http://hl7.org/fhir/us/hsds/CodeSystem/HumanServiceCharacteristicCS",
    "code": "Interpret",
    "display": "Interpretation Services",
}
_PHONES: Final = {
    "voice": "phone",
    "fax": "fax",
    "text": "sms",
    "sms": "sms",
    "cell": "phone",
    "pager": "pager",
}
_DEGREES: Final = re.compile(r"-?(0|[1-9]\d{0,2})(\.\d{1,20})?")
_LANGUAGE: Final = re.compile(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")


_TYPES: Final = {"organization": "Organization", "location": "Location", "service": "HealthcareService"}


def programmes(listing: Listing, name: str, today: date) -> Programmes:
    """The whole list named `name` (part of every id and identifier, for ever), as it stands on `today`."""
    task = Making(name, listing, today, Programmes(troubles=list(listing.troubles)))
    makers = {"organization": _organization, "location": _location, "service": _service}
    for table, maker in makers.items():
        for id_, row in listing.rows(table).items():
            task.made.known.add(f"{_TYPES[table]}/{task.id_of(table, id_)}")
            try:
                resource = maker(task, id_, row)
            except ShapeMistake as mistake:
                task.trouble(row.place, f"cannot be written as FHIR: {mistake}")
                continue
            if resource is not None:
                task.made.resources.append((resource, row.place))
    return task.made


def _organization(task: Making, id_: str, row: Entry) -> JsonObject | None:
    if not row["name"]:
        task.trouble(row.place, "an organization without a name is left out")
        return None
    return build(
        "Organization",
        id=task.id_of("organization", id_),
        meta={"profile": [profile("casebridge-agency")]},
        identifier=[
            task.identifier("organization", id_),
            {"system": _EIN, "value": row["tax_id"]} if row["tax_id"] else None,
        ],
        active=True,
        name=row["name"],
        alias=[row["alternate_name"]] if row["alternate_name"] else None,
        telecom=list(_ways(task, row, task.listing.of("phone", "organization_id", id_))),
        contact=[_person(task, each) for each in task.listing.of("contact", "organization_id", id_)],
        partOf=_parent(task, row),
    )


def _parent(task: Making, row: Entry) -> JsonObject | None:
    parent = task.listing.rows("organization").get(row["parent_organization_id"])
    return task.reference("Organization", "organization", parent["id"], parent["name"]) if parent else None


def _person(task: Making, contact: Entry) -> JsonObject:
    said = ", ".join(text for text in (contact["name"], contact["title"], contact["department"]) if text)
    phones = task.listing.of("phone", "contact_id", contact["id"])
    return {"name": {"text": said} if said else None, "telecom": list(_ways(task, contact, phones))}


def _location(task: Making, id_: str, row: Entry) -> JsonObject | None:
    addresses = task.listing.of("address", "location_id", id_)
    address = next((each for each in addresses if each["address_type"] != "postal"), None)
    name = row["name"] or row["alternate_name"] or (address["address_1"] if address else "")
    if not name:
        task.trouble(row.place, "a location without a name or an address is left out")
        return None
    open_, words, troubles = hours(task.listing.of("schedule", "location_id", id_), task.today)
    task.made.troubles += troubles
    steps = [each["description"] for each in task.listing.of("accessibility", "location_id", id_)]
    told = [row["description"], row["transportation"], *steps]
    return build(
        "Location",
        id=task.id_of("location", id_),
        meta={"profile": [_US_CORE_LOCATION]},
        identifier=[task.identifier("location", id_)],
        status="active",
        name=name,
        alias=[row["alternate_name"]] if row["alternate_name"] and row["alternate_name"] != name else None,
        description="\n".join(text for text in told if text) or None,
        telecom=list(_ways(task, row, task.listing.of("phone", "location_id", id_))),
        address=_address(address) if address else None,
        position=_position(task, row),
        managingOrganization=_keeper(task, id_, row),
        hoursOfOperation=[_named(each, "openingTime", "closingTime") for each in open_],
        availabilityExceptions=words or None,
    )


def _address(row: Entry) -> JsonObject:
    return {
        "use": "work",
        "line": [line for line in (row["attention"], row["address_1"], row["address_2"]) if line],
        "city": row["city"] or None,
        "district": row["region"] or None,
        "state": row["state_province"] or None,
        "postalCode": row["postal_code"] or None,
        "country": row["country"] or None,
    }


def _position(task: Making, row: Entry) -> JsonObject | None:
    if not (row["latitude"] or row["longitude"]):
        return None
    said = [row["latitude"], row["longitude"]]
    if (
        not all(_DEGREES.fullmatch(each) for each in said)
        or abs(float(said[0])) > 90
        or abs(float(said[1])) > 180
    ):
        task.trouble(row.place, "latitude and longitude are no place on earth; they are left out")
        return None
    return {"latitude": Number(said[0]), "longitude": Number(said[1])}


def _keeper(task: Making, id_: str, row: Entry) -> JsonObject | None:
    """Whose place it is: said, or the one organization whose services are given there."""
    organizations = task.listing.rows("organization")
    served = [each["service_id"] for each in task.listing.of("service_at_location", "location_id", id_)]
    theirs = {
        task.listing.rows("service")[each]["organization_id"]
        for each in served
        if each in task.listing.rows("service")
    }
    wanted = row["organization_id"] or (next(iter(theirs)) if len(theirs) == 1 else "")
    found = organizations.get(wanted)
    return task.reference("Organization", "organization", wanted, found["name"]) if found else None


def _service(task: Making, id_: str, row: Entry) -> JsonObject | None:
    agency = task.listing.rows("organization").get(row["organization_id"])
    if agency is None or not row["name"]:
        lacks = "a name" if agency else "an organization of this list"
        task.trouble(row.place, f"a service without {lacks} is left out")
        return None
    listing, there = task.listing, task.listing.of("service_at_location", "service_id", id_)
    everywhere = [("service_id", id_), *(("service_at_location_id", each["id"]) for each in there)]
    codings, services = codes_of(task, [id_, *(each["id"] for each in there)])
    open_, words, troubles = hours(
        [s for link in everywhere for s in listing.of("schedule", *link)], task.today
    )
    task.made.troubles += troubles
    contacts = [c for link in everywhere for c in listing.of("contact", *link)]
    return build(
        "HealthcareService",
        id=task.id_of("service", id_),
        meta={"profile": [profile("casebridge-programme")]},
        extension=[fhir_capacity(*_room(task, id_)), _assured(task, row)],
        identifier=[task.identifier("service", id_)],
        active=row["status"].casefold() in ("", "active"),
        providedBy=task.reference("Organization", "organization", agency["id"], agency["name"]),
        category=[{"coding": [each]} for each in distinct(c for one in services for c in categories(one))],
        type=[*map(kind_of, services), *codings],
        name=row["name"],
        comment=_lines(
            row["description"],
            row["alert"],
            _fees(task, id_, row),
            row["wait_time"] and f"Waiting time: {row['wait_time']}",
        ),
        extraDetails=_lines(row["application_process"], *_papers(task, id_)),
        telecom=list(
            _telecom(task, row, [p for link in everywhere for p in listing.of("phone", *link)], contacts)
        ),
        location=[
            task.reference("Location", "location", place["location_id"])
            for place in there
            if place["location_id"] in listing.rows("location")
        ],
        coverageArea=[
            {"display": area["name"] or area["description"]}
            for link in everywhere
            for area in listing.of("service_area", *link)
            if area["name"] or area["description"]
        ],
        eligibility=[{"comment": who}] if (who := _eligible(row)) else None,
        characteristic=[{"coding": [_INTERPRETERS], "text": row["interpretation_services"]}]
        if row["interpretation_services"]
        else None,
        communication=list(_languages(task, listing.of("language", "service_id", id_))),
        availableTime=[_named(each, "availableStartTime", "availableEndTime") for each in open_],
        availabilityExceptions=words or None,
    )


def _named(opening: JsonObject, opens: str, closes: str) -> JsonObject:
    """Weekly hours under the names that Location and HealthcareService have for them."""
    names = {"opens": opens, "closes": closes}
    return {names.get(name, name): value for name, value in opening.items()}


def _lines(*texts: str) -> str | None:
    return "\n".join(text for text in texts if text) or None


def _fees(task: Making, id_: str, row: Entry) -> str:
    costs = [
        " ".join(
            text
            for text in (each["amount"], each["currency"], each["option"], each["amount_description"])
            if text
        )
        for each in task.listing.of("cost_option", "service_id", id_)
    ]
    said = "; ".join(text for text in (row["fees_description"], row["fees"], *costs) if text)
    return f"Costs: {said}" if said else ""


def _papers(task: Making, id_: str) -> Iterator[str]:
    for each in task.listing.of("required_document", "service_id", id_):
        if each["document"] and each["document"].casefold() != "none":
            yield f"Bring: {each['document']}"


def _eligible(row: Entry) -> str | None:
    ages = [
        f"from age {row['minimum_age']}" if row["minimum_age"] else "",
        f"up to age {row['maximum_age']}" if row["maximum_age"] else "",
    ]
    return _lines(row["eligibility_description"], " ".join(each for each in ages if each))


def _room(task: Making, id_: str) -> tuple[str | None, str | None]:
    """Room now: some place free, or none, and what the list says of it. What is not a number says nothing."""
    found = task.listing.of("service_capacity", "service_id", id_)
    counts = [float(each["available"]) for each in found if re.fullmatch(r"\d+(\.\d+)?", each["available"])]
    if not counts:
        return None, None
    return "capacity" if max(counts) > 0 else "no-capacity", _lines(*(each["description"] for each in found))


def _assured(task: Making, row: Entry) -> JsonObject | None:
    """The day somebody last vouched for it: assured_date, else last_modified."""
    for name in ("assured_date", "last_modified"):
        try:
            return {"url": ASSURED_ON, "valueDate": date.fromisoformat(row[name][:10]).isoformat()}
        except ValueError:
            if row[name]:
                task.trouble(row.place, f"{name} is no date (2026-03-09); it is left out")
    return None


def _languages(task: Making, rows: Iterable[Entry]) -> Iterator[JsonObject]:
    for row in rows:
        code = row["code"].replace("_", "-")
        code = code[:1].lower() + code[1:] if "-" in code else code.lower()
        if _LANGUAGE.match(code):
            yield parts.fhir_language(code)
        elif row["name"] or row["code"]:
            task.trouble(
                row.place,
                "a language without a code (BCP 47: en, es) is carried in words, and not searchable",
            )
            yield {"text": row["name"] or row["code"]}


def _telecom(task: Making, row: Entry, phones: list[Entry], contacts: list[Entry]) -> Iterator[JsonObject]:
    """The service's own ways, then its contact persons'; the first telephone is for appointments."""
    ways = list(_ways(task, row, phones))
    for contact in contacts:
        ways += _ways(task, contact, task.listing.of("phone", "contact_id", contact["id"]))
    first = next((each for each in ways if each["system"] == "phone"), None)
    for way in {(each["system"], each["value"]): each for each in ways}.values():
        yield fhir_appointment_contact(way) if way is first else way


def _ways(task: Making, row: Entry, phones: Iterable[Entry]) -> Iterator[JsonObject]:
    for phone in phones:
        extension = f" ext. {phone['extension']}" if phone["extension"] else ""
        if not phone["number"]:
            task.trouble(phone.place, "a telephone without a number is left out")
            continue
        yield {
            "system": _PHONES.get(phone["type"].casefold(), "phone"),
            "value": phone["number"] + extension,
            "use": "work",
        }
    if row["email"]:
        yield {"system": "email", "value": row["email"], "use": "work"}
    for name in ("website", "url"):
        if row[name]:
            yield {"system": "url", "value": row[name], "use": "work"}
