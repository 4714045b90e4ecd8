"""What a consent record permits, as the consent engine reads the Consents it becomes."""

import dataclasses

from service.casework.records import example, read, write
from service.casework.records.consent import ConsentRecord
from service.casework.records.referral import Referral
from service.consent.decide import decide
from service.consent.label import label
from service.consent.permit import Deny, Permit
from service.consent.request import Posture, Request
from service.fhir.json import JsonObject
from service.mapping import replace, table
from service.mapping.context import Directory
from tests.mapping import context
from tests.mapping.context import HARBOR

NORTHSIDE = "northside"
HERE = dataclasses.replace(context.HERE, directory=Directory({("agencies", "harbor"): HARBOR}))
"""Harbor has a record of itself, as every consent that names it as discloser needs."""


def consents(record: ConsentRecord) -> tuple[JsonObject, ...]:
    return table["consents"].to_fhir(record, HERE).resources


def asked(recipient: str, referral: Referral, permitted: tuple[JsonObject, ...]) -> Permit | Deny:
    [patient] = table["clients"].to_fhir(example("clients"), HERE).of("Patient")
    document = (patient, *table["referrals"].to_fhir(referral, HERE).resources)
    organization = table["agencies"].to_fhir(example("agencies"), HERE).of("Organization")[0]["id"]
    request = Request(
        recipient=f"Organization/{organization}",
        purpose="COC",
        resources=tuple(label(each, part2_source=True, categories={}) for each in document),
        now=HERE.now,
        patient=f"Patient/{patient['id']}",
    )
    return decide(request, permitted, Posture(part2_program=True, organization=HARBOR))


def referral(**changes: object) -> Referral:
    record = read("referrals", "a-referral", {**write(example("referrals")), "id": "a-referral", **changes})
    assert isinstance(record, Referral)
    return record


def test_a_permission_for_what_housing_needs_lets_the_housing_referral_go() -> None:
    assert isinstance(asked(NORTHSIDE, referral(), consents(example("consents"))), Permit)


def test_it_does_not_let_a_referral_to_treatment_go() -> None:
    treatment = referral(
        service="substance-use-treatment", recipientService="rooms", need={"category": "stress"}
    )
    assert isinstance(asked(NORTHSIDE, treatment, consents(example("consents"))), Deny)


def test_a_consent_for_housing_lets_the_housing_task_go_and_no_other() -> None:
    permitted = consents(example("consents"))
    organization = table["agencies"].to_fhir(example("agencies"), HERE).of("Organization")[0]["id"]
    housing = table["referrals"].to_fhir(referral(), HERE).of("Task")
    rides = (
        table["referrals"]
        .to_fhir(
            referral(service="transportation", recipientService="rooms", need={"category": "stress"}), HERE
        )
        .of("Task")
    )
    due = ({**rides[0], "id": "due", "reasonCode": {"text": "Quarterly review"}},)

    def may(tasks: tuple[JsonObject, ...]) -> bool:
        request = Request(
            recipient=f"Organization/{organization}",
            purpose="COC",
            resources=tuple(label(each, part2_source=True, categories={}) for each in tasks),
            now=HERE.now,
            patient=tasks[0]["for"]["reference"],
        )
        return isinstance(
            decide(request, permitted, Posture(part2_program=True, organization=HARBOR)), Permit
        )

    assert [may(housing), may(rides), may(due)] == [True, False, False]


def test_without_consent_nothing_goes() -> None:
    assert isinstance(asked(NORTHSIDE, referral(), ()), Deny)


def test_an_unsigned_consent_permits_nothing() -> None:
    unsigned = example("consents").model_copy(update={"signature": None, "status": "proposed"})
    assert isinstance(asked(NORTHSIDE, referral(), consents(unsigned)), Deny)


def test_a_permission_dropped_from_the_record_is_withdrawn() -> None:
    before = example("consents")
    after = before.model_copy(update={"permissions": before.permissions[1:]})
    now = replace("consents", after, before, HERE)
    assert isinstance(asked(NORTHSIDE, referral(), now.resources), Deny)


def test_withdrawal_names_every_resource_the_record_had_become() -> None:
    before = example("consents")
    after = before.model_copy(update={"permissions": before.permissions[:1]})
    made = replace("consents", after, before, HERE).resources
    assert [r["status"] for r in made] == ["active", "entered-in-error"]
