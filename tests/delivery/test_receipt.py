"""Where the partner keeps the Task."""

import pytest

from service.delivery.receipt import found_task, task_location
from service.fhir.json import encode

BASE = "https://northside.example/fhir"


def answered(*entries: object) -> bytes:
    return encode({"resourceType": "Bundle", "type": "transaction-response", "entry": list(entries)})


@pytest.mark.parametrize(
    "location", ["Task/9", "Task/9/_history/1", f"{BASE}/Task/9", "/fhir/Task/9", f"{BASE}/Task/9/_history/1"]
)
def test_a_location_is_taken_however_it_is_written(location: str) -> None:
    other = {"response": {"status": "201", "location": "Patient/1/_history/1"}}
    assert task_location(answered(other, {"response": {"location": location}}), BASE) == f"{BASE}/Task/9"


def test_without_a_location_the_returned_resource_tells() -> None:
    assert (
        task_location(answered({"resource": {"resourceType": "Task", "id": "9"}}), BASE) == f"{BASE}/Task/9"
    )


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b'{"entry":{}}', b'{"entry":[{"response":{"location":7}}]}']
)
def test_what_says_nothing_says_none(body: bytes) -> None:
    assert task_location(body, BASE) is None
    assert found_task(body, BASE) is None
