"""Transactions at the simulated agency, as partners' servers are expected to treat ours."""

import pytest

from service.simulator.search import search
from service.simulator.store import Refusal, Store
from service.simulator.transaction import transaction


def entry(method: str, url: str, resource: dict, full_url: str = "", **request: str) -> dict:
    return {"fullUrl": full_url, "resource": resource, "request": {"method": method, "url": url, **request}}


def bundle(*entries: dict) -> dict:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def identified(type_: str, value: str, **more: object) -> dict:
    return {"resourceType": type_, "identifier": [{"system": "http://s", "value": value}], **more}


def referral() -> dict:
    patient = identified("Patient", "p|1")
    task = identified("Task", "t1", status="requested", **{"for": {"reference": "urn:uuid:p"}})
    return bundle(
        entry("POST", "Patient", patient, "urn:uuid:p", ifNoneExist=r"identifier=http://s|p\|1"),
        entry("POST", "Task", task, "urn:uuid:t", ifNoneExist="identifier=http://s|t1"),
    )


def test_references_between_entries_become_the_ids_they_got():
    store = Store()
    answer, made = transaction(store, referral())
    patient, task = made
    assert task.resource["for"]["reference"] == patient.reference
    assert [each["response"]["status"] for each in answer["entry"]] == ["201 Created", "201 Created"]


def test_the_same_transaction_again_makes_nothing():
    store = Store()
    transaction(store, referral())
    answer, made = transaction(store, referral())
    assert made == []
    assert [each["response"]["status"] for each in answer["entry"]] == ["200 OK", "200 OK"]


def test_an_update_finds_its_resource_by_identifier():
    store = Store()
    transaction(store, referral())
    changed = identified("Task", "t1", status="cancelled")
    transaction(store, bundle(entry("PUT", "Task?identifier=http://s|t1", changed)))
    [task] = store.all("Task")
    assert (task.number, task.resource["status"]) == (2, "cancelled")


def test_an_update_of_another_version_is_refused():
    store = Store()
    _, (_, task) = transaction(store, referral())
    stale = entry("PUT", task.reference, {**identified("Task", "t1"), "id": task.id}, ifMatch='W/"7"')
    with pytest.raises(Refusal) as refused:
        transaction(store, bundle(stale))
    assert refused.value.status == 412


def test_a_condition_that_means_several_is_refused():
    store = Store()
    for _ in range(2):
        transaction(store, bundle(entry("POST", "Patient", identified("Patient", "1"))))
    with pytest.raises(Refusal) as refused:
        again = entry("POST", "Patient", identified("Patient", "1"), ifNoneExist="identifier=http://s|1")
        transaction(store, bundle(again))
    assert refused.value.status == 412


@pytest.mark.parametrize(
    "wrong",
    [
        {"resourceType": "Bundle", "type": "batch"},
        bundle({"resource": identified("Task", "1")}),
        bundle(entry("POST", "Patient", identified("Task", "1"))),
        bundle(entry("DELETE", "Task/1", identified("Task", "1"))),
    ],
)
def test_what_is_no_transaction_of_ours_is_refused(wrong: dict):
    with pytest.raises(Refusal):
        transaction(Store(), wrong)


def found(store: Store, **query: str) -> int:
    return len(search(store, "Task", list(query.items())))


def test_tasks_are_found_by_what_pollers_ask_for():
    store = Store()
    _, (patient, task) = transaction(store, referral())
    assert found(store, identifier="http://s|t1") == found(store, identifier="t1") == 1
    assert found(store, identifier="http://other|t1") == 0
    assert found(store, status="accepted,requested") == 1
    assert found(store, status="accepted") == 0
    assert found(store, patient=patient.reference) == found(store, patient=patient.id) == 1
    assert found(store, _id=task.id) == 1
    assert found(store, _lastUpdated="gt2020-01-01") == 1
    assert found(store, _lastUpdated=f"gt{task.at}") == 0
    assert found(store, _lastUpdated=f"ge{task.at}") == 1


def test_an_unknown_parameter_is_refused():
    store = Store()
    transaction(store, referral())
    with pytest.raises(Refusal):
        found(store, colour="red")
