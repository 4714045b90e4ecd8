"""Who is meant when a consent does not name the agency itself."""

from datetime import UTC, datetime
from typing import Any

from service.consent import terms
from service.consent.classes import COVERED, Entries, circle, classes, covered, mentioned, names
from service.consent.decide import decide
from service.consent.permit import Permit
from service.consent.request import Directory, Request
from tests.consent.people import HARBOR, LESLIE, NOW, POSTURE, consent, item, rule

BASE = "https://harbor.example/fhir"
RIVERBEND = "Organization/riverbend"
PROVIDER = [
    {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": "prov"}]}
]


def entries(*resources: dict[str, Any], now: datetime = NOW) -> Entries:
    by_type: dict[str, list[dict[str, Any]]] = {}
    for each in resources:
        by_type.setdefault(each["resourceType"], []).append(each)
    return Entries(by_type, now, UTC)


def organization(id_: str = "riverbend", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Organization", "id": id_, **more}


def role(id_: str = "okafor-there", who: str = "okafor", at: str = RIVERBEND, **more: Any) -> dict[str, Any]:
    people = {"practitioner": {"reference": f"Practitioner/{who}"}, "organization": {"reference": at}}
    return {"resourceType": "PractitionerRole", "id": id_, **people, **more}


def team(*participants: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "CareTeam",
        "id": "leslies",
        "status": "active",
        "participant": list(participants),
        **more,
    }


def there(member: str, **more: Any) -> dict[str, Any]:
    return {"member": {"reference": member}, **more}


def test_a_consent_to_an_organisation_covers_its_departments_and_not_the_other_way_round() -> None:
    clinic = organization(partOf={"reference": "Organization/campus"})
    campus = organization(
        "campus",
        partOf={"reference": "Organization/health-system"},
        identifier=[{"system": "urn:npi", "value": "9"}],
    )
    top = organization("health-system")
    found = classes(entries(clinic, campus, top), RIVERBEND, BASE)
    assert {"Organization/campus", "Organization/health-system", "urn:npi|9"} <= found
    assert RIVERBEND not in classes(entries(clinic, campus, top), "Organization/campus", BASE)


def test_organisations_that_are_part_of_each_other_are_not_followed_for_ever() -> None:
    clinic = organization(partOf={"reference": "Organization/campus"})
    campus = organization("campus", partOf={"reference": RIVERBEND})
    assert "Organization/campus" in classes(entries(clinic, campus), RIVERBEND, BASE)


def test_an_organisation_is_known_by_its_identifiers_and_its_address_here() -> None:
    found = names(
        entries(organization(identifier=[{"system": "urn:npi", "value": "1"}, {"system": "urn:x"}])),
        RIVERBEND,
        BASE,
    )
    assert found == {RIVERBEND, f"{BASE}/{RIVERBEND}", "urn:npi|1"}


def test_a_person_means_the_agency_she_works_for_now() -> None:
    assert {"PractitionerRole/okafor-there", "Practitioner/okafor"} <= classes(
        entries(organization(), role()), RIVERBEND, BASE
    )
    assert classes(entries(organization(), role(active=False)), RIVERBEND, BASE) == frozenset()
    assert (
        classes(entries(organization(), role(period={"end": "2026-03-10"})), RIVERBEND, BASE) == frozenset()
    )
    assert classes(entries(organization(), role(period={"end": "soon"})), RIVERBEND, BASE) == frozenset()
    assert classes(entries(organization(), role(at="Organization/lakeview")), RIVERBEND, BASE) == frozenset()


def test_a_group_means_its_members_that_are_still_in_it() -> None:
    def group(**more: Any) -> dict[str, Any]:
        entity = {"entity": {"reference": RIVERBEND}}
        return {
            "resourceType": "Group",
            "id": "clinics",
            "active": True,
            "actual": True,
            "member": [{**entity, **more}],
        }

    assert "Group/clinics" in classes(entries(group()), RIVERBEND, BASE)
    assert "Group/clinics" not in classes(entries(group(inactive=True)), RIVERBEND, BASE)
    assert "Group/clinics" not in classes(entries(group(period={"end": "2026-01-01"})), RIVERBEND, BASE)
    assert "Group/clinics" not in classes(entries({**group(), "active": False}), RIVERBEND, BASE)
    assert "Group/clinics" not in classes(entries({**group(), "actual": False}), RIVERBEND, BASE)


def test_a_member_of_the_team_who_works_for_the_agency_puts_it_on_the_team() -> None:
    for participant, others in (
        (there("Organization/riverbend"), ()),
        (there("Practitioner/okafor", onBehalfOf={"reference": RIVERBEND}), ()),
        (there("PractitionerRole/okafor-there"), (role(),)),
        (there("Practitioner/okafor"), (role(),)),
    ):
        found = circle(entries(organization(), *others), RIVERBEND, [team(participant)])
        assert found == {"CareTeam/leslies", terms.TEAM}


def test_a_person_with_two_employers_puts_neither_on_the_team() -> None:
    two = (role(), role("okafor-elsewhere", at="Organization/lakeview"))
    assert (
        circle(entries(organization(), *two), RIVERBEND, [team(there("Practitioner/okafor"))]) == frozenset()
    )


def test_who_has_left_the_team_is_not_on_it() -> None:
    around = entries(organization(type=PROVIDER))
    left = there(RIVERBEND, period={"end": "2026-03-10"})
    for one in (
        team(left),
        team(there(RIVERBEND), status="inactive"),
        team(there(RIVERBEND), period={"end": "2026-03-10"}),
    ):
        assert circle(around, RIVERBEND, [one]) == frozenset()
    assert circle(around, RIVERBEND, [team(there("Organization/lakeview"))]) == frozenset()


def test_treating_providers_are_those_on_the_team_who_treat() -> None:
    on_it = [team(there(RIVERBEND))]
    flag = [{"url": COVERED, "valueBoolean": True}]
    assert terms.TREATING in circle(entries(organization(type=PROVIDER)), RIVERBEND, on_it)
    assert terms.TREATING in circle(entries(organization(extension=flag)), RIVERBEND, on_it)
    assert terms.TREATING not in circle(entries(organization()), RIVERBEND, on_it)
    assert terms.TREATING not in circle(entries(organization(type=PROVIDER)), RIVERBEND, [])


def test_whoever_operates_the_programme_is_a_class_without_being_on_a_team() -> None:
    assert circle(entries(organization()), RIVERBEND, [], operates=True) == {terms.OPERATORS}
    assert circle(entries(organization()), RIVERBEND, []) == frozenset()


def test_only_the_directory_says_who_is_a_covered_entity() -> None:
    assert covered(entries(organization(extension=[{"url": COVERED, "valueBoolean": True}])), RIVERBEND)
    assert not covered(entries(organization(extension=[{"url": COVERED, "valueBoolean": False}])), RIVERBEND)
    assert not covered(entries(), RIVERBEND)


def through(network: str) -> dict[str, Any]:
    """The actor that names an intermediary."""
    codes = [{"code": "IRCP"}, {"code": "intermediary"}]
    return {"role": {"coding": codes}, "reference": {"reference": network}}


PARTICIPANTS = {
    "role": {"coding": [{"code": "IRCP"}]},
    "reference": {"identifier": {"system": terms.RECIPIENT_CLASS, "value": "intermediary-participants"}},
}


def member_of(network: str, **more: Any) -> dict[str, Any]:
    both = {"organization": {"reference": network}, "participatingOrganization": {"reference": RIVERBEND}}
    return {"resourceType": "OrganizationAffiliation", "id": network[-1], **both, **more}


def goes(actors: list[dict[str, Any]], *resources: dict[str, Any], on_team: bool = True) -> bool:
    """Does a consent to these actors let a condition go to Riverbend?"""
    around = entries(organization(type=PROVIDER), *resources)
    teams = [team(there(RIVERBEND))] if on_team else []
    directory = Directory(
        names={RIVERBEND: names(around, RIVERBEND, BASE), HARBOR: frozenset({HARBOR})},
        members={each: frozenset({RIVERBEND}) for each in classes(around, RIVERBEND, BASE)},
        circles={LESLIE: {each: frozenset({RIVERBEND}) for each in circle(around, RIVERBEND, teams)}},
    )
    paper = consent(rule("permit", None, "TREAT", actor=actors))
    request = Request(RIVERBEND, "COC", (item(),), NOW, patient=LESLIE)
    return isinstance(decide(request, [paper], POSTURE, directory), Permit)


def test_an_intermediary_passes_on_to_its_participants_that_treat_this_client() -> None:
    exchange = "Organization/exchange"
    assert goes([through(exchange), PARTICIPANTS], member_of(exchange))
    assert not goes([through(exchange), PARTICIPANTS], member_of(exchange), on_team=False)
    assert not goes([through(exchange), PARTICIPANTS], member_of("Organization/other"))
    assert not goes([through(exchange), PARTICIPANTS], member_of(exchange, active=False))
    assert not goes([through(exchange), PARTICIPANTS])


def test_an_intermediary_alone_opens_nothing_to_its_participants() -> None:
    assert not goes([through("Organization/exchange")], member_of("Organization/exchange"))


def test_participants_of_no_intermediary_are_nobody() -> None:
    assert not goes([PARTICIPANTS], member_of("Organization/exchange"))


def test_every_actor_at_any_depth_is_looked_up() -> None:
    inner = rule("deny", "Practitioner/okafor")
    assert mentioned(
        [consent(rule("permit", "Organization/a PractitionerRole/b", "TREAT", but=[inner]))]
    ) == {
        "Organization/a",
        "PractitionerRole/b",
        "Practitioner/okafor",
    }
    assert mentioned([consent(None), consent({"actor": "nobody", "provision": [7]})]) == frozenset()


def test_treating_one_client_is_not_treating_another() -> None:
    directory = Directory(circles={"Patient/other": {terms.TREATING: frozenset({RIVERBEND})}})
    treating = {"identifier": {"system": terms.RECIPIENT_CLASS, "value": "treating-providers"}}
    paper = consent(rule("permit", None, "TREAT", actor=[{**PARTICIPANTS, "reference": treating}]))
    request = Request(RIVERBEND, "COC", (item(),), NOW, patient=LESLIE)
    assert not isinstance(decide(request, [paper], POSTURE, directory), Permit)
    own = Directory(circles={LESLIE: {terms.TREATING: frozenset({RIVERBEND})}})
    assert isinstance(decide(request, [paper], POSTURE, own), Permit)
