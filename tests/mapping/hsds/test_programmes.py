"""An Open Referral list becomes organizations, places and programmes; its troubles are named by file and line."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from service.fhir.json import decode, encode
from service.fhir.validate import load
from service.flows.programmes.reading import read_path
from service.mapping.hsds.listing import Listing
from service.mapping.hsds.programmes import Programmes, programmes
from service.mapping.hsds.told import told

COUNTY = Path(__file__).parent / "county"
TODAY = date(2026, 3, 9)


@pytest.fixture(scope="module")
def county() -> Programmes:
    return programmes(read_path(COUNTY), "county", TODAY)


def named(made: Programmes, name: str) -> dict[str, Any]:
    return next(resource for resource, _ in made.resources if resource.get("name") == name)


def test_a_programme_says_who_where_when_for_whom_and_how_to_get_in(county: Programmes) -> None:
    rooms = named(county, "Rooms for families")
    assert rooms["providedBy"]["display"] == "Northside Housing Partnership"
    assert rooms["location"][0]["reference"] == f"Location/{named(county, 'House at Station Road')['id']}"
    assert rooms["availableTime"] == [
        {
            "daysOfWeek": ["mon", "tue", "wed", "thu", "fri"],
            "availableStartTime": "09:00:00",
            "availableEndTime": "17:00:00",
        }
    ]
    assert rooms["availabilityExceptions"] == "monthly 1sa: 10:00 to 12:00", (
        "what weekdays cannot say; what is over is left out"
    )
    assert rooms["eligibility"] == [{"comment": "Families with children\nfrom age 18"}]
    assert rooms["extraDetails"] == "A referral from a case manager"
    assert rooms["comment"].splitlines()[-2:] == ["Costs: Free", "Waiting time: Two weeks"]
    assert [each["coding"][0]["code"] for each in rooms["communication"]] == ["en", "es"]
    assert rooms["coverageArea"] == [{"display": "Franklin County"}]
    assert rooms["telecom"][0]["value"] == "+1-555-0131 ext. 4"


def test_a_term_of_a_taxonomy_becomes_a_service_and_its_area_by_a_map(county: Programmes) -> None:
    rooms = named(county, "Rooms for families")
    codes = [coding["code"] for concept in rooms["category"] + rooms["type"] for coding in concept["coding"]]
    assert "housing" in codes
    assert "transitional-housing" in codes
    assert {"system": "https://county.example/taxonomy", "code": "H-20"} in rooms["type"][-1]["coding"]


def test_a_term_that_no_map_knows_is_carried_and_reported(county: Programmes) -> None:
    assert county.unmapped == {"https://county.example/taxonomy Z-1 (Equine therapy)": 1}
    assert named(county, "Forklift course")["type"][-1]["text"] == "Equine therapy"


def test_what_the_list_keeps_private_is_in_nothing_we_make(county: Programmes) -> None:
    text = encode([resource for resource, _ in county.resources]).decode()
    for word in ("Ida Berg", "+1-555-0139", "someone@northside.example", "A grant"):
        assert word not in text
    assert "Sam Ortiz" in text


def test_a_service_that_is_over_is_inactive_and_room_is_what_the_list_says(county: Programmes) -> None:
    assert named(county, "Autumn course 2025")["active"] is False
    rooms, course = named(county, "Rooms for families"), named(county, "Forklift course")
    said = [
        each["extension"][0]["extension"][0]["valueCodeableConcept"]["coding"][0]["code"]
        for each in (rooms, course)
    ]
    assert said == ["capacity", "no-capacity"]


def test_every_trouble_has_its_file_and_line(county: Programmes) -> None:
    assert [(each.place, each.words) for each in county.troubles] == [
        ("horses.csv", "is no table of HSDS 3.0; it is left out"),
        ("organization.csv:4", "an organization without a name is left out"),
        ("location.csv:3", "latitude and longitude are no place on earth; they are left out"),
        ("schedule.csv:6", "opens_at is no time of day (09:00); it is left out"),
        ("phone.csv:5", "a telephone without a number is left out"),
        (
            "language.csv:4",
            "a language without a code (BCP 47: en, es) is carried in words, and not searchable",
        ),
        ("service.csv:6", "a service without an organization of this list is left out"),
    ]


def test_what_it_becomes_is_valid(county: Programmes) -> None:
    validator = load()
    for resource, place in county.resources:
        whole = decode(encode(resource))
        assert [issue.text for issue in validator.validate(whole) if issue.fails] == [], place


def test_a_document_with_everything_nested_says_the_same_as_tables() -> None:
    listing = Listing()
    term = {
        "id": "x",
        "code": "H-20",
        "name": "Transitional Housing",
        "taxonomy_detail": {"id": "t", "uri": "https://county.example/taxonomy"},
    }
    place = {"id": "l", "name": "House", "addresses": [{"id": "a", "address_1": "200 Station Road"}]}
    service = {
        "id": "s", "name": "Rooms", "organization": {"id": "o", "name": "Northside"},
        "service_at_locations": [{"id": "sal", "location": place, "schedules": [{"id": "h", "byday": "MO", "opens_at": "09:00"}]}],
        "attributes": [{"id": "b", "taxonomy_term": term}], "languages": [{"id": "g", "code": "es"}],
        "phones": [{"id": "p", "number": "+1-555-0131"}],
    }  # fmt: skip
    listing.document("service", service, "page.json/0")
    made = programmes(listing, "county", TODAY)
    assert made.troubles == []
    rooms = named(made, "Rooms")
    assert rooms["availableTime"] == [{"daysOfWeek": ["mon"], "availableStartTime": "09:00:00"}]
    assert rooms["location"][0]["identifier"]["value"] == "county/l"
    assert rooms["category"][0]["coding"][0]["code"] == "housing"
    assert named(made, "House")["address"]["line"] == ["200 Station Road"]
    assert named(made, "House")["managingOrganization"]["display"] == "Northside"


def test_the_same_list_under_another_name_is_another_list() -> None:
    listing = read_path(COUNTY)
    one, other = programmes(listing, "county", TODAY), programmes(listing, "state", TODAY)
    assert not one.known & other.known


def test_as_hsds_fhir_a_service_has_one_category_and_an_inactive_one_is_not_listed(
    county: Programmes,
) -> None:
    rooms = told(named(county, "Rooms for families"))
    assert rooms is not None
    assert rooms["meta"]["profile"] == [
        "http://hl7.org/fhir/us/hsds/StructureDefinition/hsds-HealthcareService"
    ]
    assert [each["coding"][0]["code"] for each in rooms["category"]] == ["other"]
    assert told(named(county, "Autumn course 2025")) is None
    agency = told(named(county, "Northside Housing Partnership"))
    assert agency is not None
    assert agency["type"] == [
        {
            "extension": [
                {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
            ]
        }
    ]
