"""A case manager's answer is the next version of the Task; what the performer said is never undone."""

from service.casework.records import example, read_answer
from service.fhir.json import JsonObject
from service.fhir.validate import load
from service.mapping import table
from service.mapping.answer import answered, keep_progress
from tests.mapping.context import HERE


def task(**changes: object) -> JsonObject:
    [made] = table["referrals"].to_fhir(example("referrals"), HERE).of("Task")
    return {**made, **changes}


def test_a_rejection_carries_its_reason() -> None:
    after = answered(task(), read_answer({"status": "rejected", "reason": "No room before May."}), HERE)
    assert after["status"] == "rejected"
    assert after["statusReason"] == {"text": "No room before May."}


def test_an_old_reason_does_not_stay_with_a_new_status() -> None:
    waiting = task(status="on-hold", statusReason={"text": "waiting list"})
    assert "statusReason" not in answered(waiting, read_answer({"status": "in-progress"}), HERE)


def test_outcomes_are_added_to_what_is_there() -> None:
    before = task(output=[{"type": {"text": "earlier"}, "valueString": "seen"}])
    after = answered(before, read_answer({"status": "completed", "outcome": {"enrolment": "enrolled"}}), HERE)
    assert [next(iter(each["type"].get("coding", [{}]))).get("code") for each in after["output"]] == [
        None, "program-enrollment", "additional-content",
    ]  # fmt: skip


def test_a_record_handed_over_again_keeps_what_the_performer_said() -> None:
    current = task(status="accepted", owner={"reference": "Organization/claimed"})
    kept = keep_progress(task(priority="stat"), current)
    assert (kept["status"], kept["owner"], kept["priority"]) == ("accepted", current["owner"], "stat")


def test_a_withdrawn_record_speaks_for_itself() -> None:
    assert keep_progress(task(status="cancelled"), task(status="accepted"))["status"] == "cancelled"


def test_the_next_version_is_a_valid_task() -> None:
    answer = {
        "status": "completed",
        "outcome": "Moved in",
        "note": "Key given",
        "caseManager": "victoria-chen",
    }
    after = answered(task(), read_answer(answer), HERE)
    assert [issue.text for issue in load().validate(after) if issue.fails] == []
