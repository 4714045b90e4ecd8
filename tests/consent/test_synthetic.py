"""What goes on the ground `synthetic`: words of ours about nobody, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from service.consent.decide import decide_self_test
from service.consent.release import NotCleared, release
from service.consent.synthetic import SelfTest
from service.fhir.audited import DISCLOSED

HERE = "https://casebridge.example/fhir/Organization"
NUMBER = "019373a0-1f2b-7c3d-8e4f-5a6b7c8d9e0f"
TEST = SelfTest(NUMBER, f"{HERE}/harbor", f"{HERE}/northside", datetime(2026, 11, 22, 9, tzinfo=UTC))


def test_it_is_cleared_on_a_ground_that_is_no_disclosure() -> None:
    permit = decide_self_test(TEST, "Organization/northside")
    assert (permit.basis, permit.purpose, permit.recipient) == (
        "synthetic",
        "HTEST",
        "Organization/northside",
    )
    assert permit.basis not in DISCLOSED


def test_another_clients_resource_does_not_go_on_it() -> None:
    permit = decide_self_test(TEST, "Organization/northside")
    leslie = {"resourceType": "Patient", "id": "leslie", "name": [{"family": "Voss"}]}
    with pytest.raises(NotCleared):
        release(permit, {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": leslie}]})


def test_a_word_added_afterwards_does_not_go_on_it() -> None:
    permit = decide_self_test(TEST, "Organization/northside")
    patient = {**permit.cleared[0].item.resource, "telecom": [{"value": "+1-555-0100"}]}
    with pytest.raises(NotCleared):
        release(permit, patient)


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": "Leslie Voss"},
        {"requester": "Leslie Voss"},
        {"owner": f"{HERE}/northside\nLeslie"},
        {"first": ("Leslie Voss", "")},
        {"first": ("requested", "Leslie")},
    ],
)
def test_nothing_of_anybodys_hides_in_what_it_is_given(wrong: dict) -> None:
    with pytest.raises(ValueError, match="self-test"):
        replace(TEST, **wrong)


def test_it_is_marked_as_a_test_in_code_and_in_words() -> None:
    patient, request, task = TEST.resources()
    for each in (patient, request, task):
        assert each["meta"]["tag"][0]["code"] == "HTEST"
    assert "no person stands behind this" in task["description"]
    assert "no person stands behind this" in request["code"]["text"]


def test_bser_partners_get_the_status_they_begin_with() -> None:
    task = replace(TEST, first=("received", "2.0")).resources()[2]
    assert (task["status"], task["businessStatus"]) == ("received", {"coding": [{"code": "2.0"}]})
