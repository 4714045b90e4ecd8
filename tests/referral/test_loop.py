"""What a changed Task means for the people who wait for it."""

from typing import Any

import pytest

from service.referral.loop import (
    CloseRequest,
    Output,
    claimable,
    direction,
    duties,
    event_for,
    judge,
    outputs,
    party,
    sides,
)  # fmt: skip

HARBOR, NORTHSIDE = "Organization/harbor", "Organization/northside"


def task(status: str, reason: str = "", **more: Any) -> dict[str, Any]:
    body = {
        "resourceType": "Task",
        "status": status,
        "focus": {"reference": "ServiceRequest/1"},
        "requester": {"reference": HARBOR},
        "owner": {"reference": NORTHSIDE},
        **more,
    }
    return {**body, "statusReason": {"text": reason}} if reason else body


def kinds(before: dict[str, Any] | None, after: dict[str, Any], **more: Any) -> list[str]:
    return [event.kind for event in event_for(before, after, more.pop("direction", "outbound"), **more)]


def test_a_new_task_from_a_partner_is_a_referral_received() -> None:
    assert kinds(None, task("requested"), direction="inbound") == ["referral-received"]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("requested", "accepted", "referral-accepted"),
        ("requested", "rejected", "referral-rejected"),
        ("accepted", "in-progress", "referral-in-progress"),
        ("in-progress", "on-hold", "referral-on-hold"),
        ("on-hold", "completed", "referral-completed"),
        ("in-progress", "cancelled", "referral-cancelled"),
        ("in-progress", "failed", "referral-failed"),
        ("accepted", "entered-in-error", "referral-withdrawn"),
    ],
)
def test_each_move_has_its_word(before: str, after: str, kind: str) -> None:
    assert kinds(task(before), task(after)) == [kind]


def test_what_nobody_saw_is_told_in_order_and_marked_as_inferred() -> None:
    events = event_for(task("requested"), task("completed"), "outbound")
    assert [(event.kind, event.inferred) for event in events] == [
        ("referral-accepted", True),
        ("referral-completed", False),
    ]


def test_the_reason_and_the_business_status_come_along() -> None:
    after = task(
        "rejected",
        "no place before May",
        businessStatus={"coding": [{"code": "full", "display": "No capacity"}]},
    )
    (event,) = event_for(task("requested"), after, "outbound")
    assert (event.reason, event.business_status, event.business_text) == (
        "no place before May",
        "full",
        "No capacity",
    )


def test_a_bser_code_is_told_in_words() -> None:
    before = task("accepted", businessStatus={"coding": [{"code": "3.0"}]})
    after = task("in-progress", businessStatus={"coding": [{"code": "5.1.1"}]})
    (event,) = event_for(before, after, "outbound", "bser")
    assert (event.kind, event.business_text) == ("referral-scheduled", "scheduled")


def test_only_new_outputs_are_told() -> None:
    first = {
        "type": {"coding": [{"code": "resulting-activity"}]},
        "valueReference": {"reference": "Procedure/1"},
    }
    second = {
        "type": {"coding": [{"code": "resulting-activity"}]},
        "valueCodeableConcept": {"text": "rent help"},
    }
    (event,) = event_for(
        task("in-progress", output=[first]), task("completed", output=[first, second]), "outbound"
    )
    assert event.outputs == (Output("resulting-activity", text="rent help"),)
    assert kinds(task("in-progress"), task("in-progress", output=[first])) == ["referral-updated"]


def test_nothing_changed_is_nothing_told() -> None:
    assert kinds(task("accepted"), task("accepted")) == []


def test_an_impossible_change_is_still_told() -> None:
    assert kinds(task("rejected"), task("completed")) == ["referral-completed"]


@pytest.mark.parametrize(
    ("status", "owed"),
    [("completed", "completed"), ("rejected", "revoked"), ("failed", "revoked"), ("cancelled", "revoked")],
)
def test_the_requester_owes_its_request_an_end(status: str, owed: str) -> None:
    assert duties(task("accepted"), task(status), "outbound") == (CloseRequest("ServiceRequest/1", owed),)
    assert duties(task("accepted"), task(status), "inbound") == ()
    assert duties(task(status), task(status), "outbound") == ()


def test_who_stands_where() -> None:
    ours = frozenset({HARBOR})
    assert direction(task("requested"), ours) == "outbound"
    assert direction(task("requested"), frozenset({NORTHSIDE})) == "inbound"
    assert direction(task("requested"), frozenset({HARBOR, NORTHSIDE})) == "internal"
    assert direction(task("requested"), frozenset({"Organization/x"})) is None
    assert party(task("requested"), frozenset({NORTHSIDE})) == "target"


def test_an_open_task_may_be_claimed_until_somebody_has() -> None:
    open_task = {key: value for key, value in task("requested").items() if key != "owner"}
    assert claimable(open_task)
    assert not claimable(task("requested"))


def test_a_side_may_be_named_by_identifier() -> None:
    named = task("requested", owner={"identifier": {"system": "urn:npi", "value": "1"}})
    assert sides(named).target == "urn:npi|1"


def test_two_tasks_are_judged_with_the_reason_of_the_second() -> None:
    assert "reason" in getattr(judge("sdohcc", task("requested"), task("rejected"), "target"), "text", "")
    assert not hasattr(judge("sdohcc", task("requested"), task("rejected", "full"), "target"), "text")


@pytest.mark.parametrize(
    "odd",
    [
        {"output": [7, None, {}]},
        {"businessStatus": "x"},
        {"statusReason": []},
        {"owner": None},
        {"output": None},
        {"status": 7},
    ],
)
def test_odd_shapes_break_nothing(odd: dict[str, Any]) -> None:
    event_for(task("requested"), {**task("accepted"), **odd}, "inbound")
    outputs({**task("accepted"), **odd})
