"""What concerns a subscription: topic, filters, and the resource before and after."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.search.holds import Held, held
from service.fhir.subscriptions.topics import concerns, find, topics, understood

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BASE = "https://here.example/fhir"
TASK = find("https://casebridge.example/fhir/SubscriptionTopic/task")
SDOHCC = find("http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic/Task")
REQUESTS = find("http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic/Servicerequest")
assert TASK and SDOHCC and REQUESTS


def task(**more: Any) -> Held:
    whole = {"resourceType": "Task", "id": "t1", "status": "requested", "intent": "order", **more}
    return held(whole, "t1", NOW, BASE)


def met(
    *filters: tuple[str, str], topic: Any = TASK, before: Held | None = None, after: Held | None = None
) -> Any:
    return concerns(topic, understood(topic, filters, NOW, BASE), before, after, BASE)


def test_each_interaction_has_its_word() -> None:
    assert met(after=task()) == "create"
    assert met(before=task(), after=task(status="accepted")) == "update"
    assert met(before=task()) == "delete"
    assert met() is None


def test_a_topic_is_triggered_by_its_interactions_alone() -> None:
    request = held({"resourceType": "ServiceRequest", "status": "active"}, "r", NOW, BASE)
    assert met(topic=REQUESTS, after=request) is None, "the guide's topic knows no create"
    assert met(topic=REQUESTS, before=request, after=request) == "update"


def test_a_topic_s_own_criteria_hold_for_what_is_there_now() -> None:
    assert met(topic=SDOHCC, after=task(status="draft")) is None
    assert met(topic=SDOHCC, after=task(intent="plan")) is None
    assert met(topic=SDOHCC, before=task(status="draft"), after=task()) == "update"


@pytest.mark.parametrize(
    ("name", "value", "meets"),
    [
        ("status", "requested", True), ("status", "accepted,requested", True), ("status", "accepted", False),
        ("status:not", "requested", False), ("status:not", "accepted", True),
        ("owner", "Organization/o1", True), ("owner", BASE + "/Organization/o1", True), ("owner", "Organization/o2", False),
        ("owner:missing", "false", True), ("owner:missing", "true", False), ("requester", "Organization/o1", False),
        ("patient", "p1", True), ("patient", "Patient/p1", True), ("patient", "Patient/p2", False),
        ("identifier", "urn:s|1", True), ("identifier", "1", True), ("identifier", "urn:t|1", False),
        ("_id", "t1", True), ("_id", "t2", False),
        ("_lastUpdated", "ge2026-11-22", True), ("_lastUpdated", "gt2026-11-22T12:00:00Z", False),
        ("_lastUpdated", "lt2026-11-22", False), ("_lastUpdated", "2026", True),
    ],
)  # fmt: skip
def test_a_filter_means_what_it_means_in_a_search(name: str, value: str, meets: bool) -> None:
    one = task(
        owner={"reference": "Organization/o1"}, identifier=[{"system": "urn:s", "value": "1"}],
        **{"for": {"reference": "Patient/p1"}},
    )  # fmt: skip
    assert bool(met((name, value), after=one)) is meets


STATUSES = ("draft", "requested", "accepted", "rejected", "in-progress", "completed")


@given(st.lists(st.sampled_from(STATUSES), max_size=4), st.sampled_from(STATUSES), st.sampled_from(STATUSES))
def test_several_filters_are_a_conjunction_of_each_alone(wanted: list[str], before: str, after: str) -> None:
    filters = [("status:not", each) for each in wanted]
    old, new = task(status=before), task(status=after)

    assert bool(met(*filters, before=old, after=new)) == all(
        met(each, before=old, after=new) for each in filters
    )
    assert bool(met(*filters, before=old, after=new)) == (after not in wanted)


def test_every_topic_has_its_criteria_and_filters_understood() -> None:
    assert {topic.type for topic in topics().values()} == {
        "Task", "ServiceRequest", "CarePlan", "CareTeam", "Encounter", "QuestionnaireResponse",
    }  # fmt: skip
    assert find(TASK.url + "|" + TASK.version) == TASK
    assert find(TASK.url + "|0") is None
