"""The likeliest mistakes of an integration engineer, and what they are told."""

from collections.abc import Callable
from typing import Any

import pytest

from service.fhir.validate import Validator

Good = Callable[[str], dict[str, Any]]
MISTAKES: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("wrong status code", "request", {"status": "activ"}, ['ServiceRequest.status: the code "activ"', "one of active, completed", 'did you mean "active"?', "servicerequest.html"]),
    ("missing subject", "request", {"subject": None}, ["ServiceRequest.subject", "required, found none", "servicerequest.html"]),
    ("date with slashes", "patient", {"birthDate": "05/31/1980"}, ["Patient.birthDate", "'99/99/9999'", "2024-05-31", "#date"]),
    ("wrong system URL", "observation", {"code": {"coding": [{"system": "https://loinc.org/", "code": "8867-4"}]}}, ["Observation.code.coding[0].system", "https://loinc.org/", "expected http://loinc.org"]),
    ("reference to the wrong type", "request", {"subject": {"reference": "Practitioner/1"}}, ["ServiceRequest.subject.reference", "found a reference to Practitioner", "expected Device, Group, Location, Patient"]),
    ("misspelt element", "patient", {"brithDate": "1980"}, ['no element "brithDate"', 'did you mean "birthDate"?']),
    ("decimal as string", "observation", {"valueQuantity": {"value": "7"}}, ["Observation.value.ofType(Quantity).value", "a JSON number, not a string"]),
    ("empty array", "patient", {"telecom": []}, ["Patient.telecom", "must not be empty", "json.html"]),
    ("wrong profile URL", "patient", {"meta": {"profile": ["https://example.org/guide/persn"]}}, ["not known here", "did you mean https://example.org/guide/person?"]),
    ("required slice missing", "observation", {"meta": {"profile": ["https://example.org/guide/by-value"]}, "component": [{"code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]}}]}, ["the slice Observation.component:systolic is required", "found none", "https://example.org/guide/by-value"]),
    ("choice without type", "observation", {"value": "x"}, ["the type belongs into the name: valueQuantity"]),
    ("object for array", "patient", {"name": {"family": "x"}}, ["Patient.name", "found an object, expected an array"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "told"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_likely_mistake_is_explained(
    name: str, change: dict[str, Any], told: list[str], validator: Validator, good: Good
) -> None:
    resource = {key: value for key, value in {**good(name), **change}.items() if value is not None}
    texts = [issue.text for issue in validator.validate(resource) if issue.severity != "information"]
    assert any(all(part in text for part in told) for text in texts), texts
