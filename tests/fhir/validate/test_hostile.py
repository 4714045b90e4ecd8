"""Whatever is thrown at the validator, it answers with findings, soon, and repeats nothing private."""

import copy
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from service.fhir.json import decode
from service.fhir.validate import Validator

Good = Callable[[str], dict[str, Any]]
NAMES = [
    "patient",
    "observation",
    "request",
    "task",
    "bundle",
    "questionnaire",
    "binary",
    "timing",
    "parameters",
]
SHAPES: list[Any] = [None, True, 0, -1, decode(b"1e400"), decode(b"1.50"), "", " ", "x" * 300, "#", "\u0000", [], [[]], [None], [{}], {}, {"": None}, {"a": {"b": []}}, {"resourceType": 3}, {"resourceType": "Patient"}, {"extension": [{"url": []}]}, {"url": {}, "reference": []}, {"coding": 3, "code": {}, "system": []}]  # fmt: skip


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here] if here else []
    if isinstance(value, dict):
        for key, member in value.items():
            found += paths(member, (*here, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            found += paths(member, (*here, index))
    return found


def put(resource: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(resource)
    owner = changed
    for part in path[:-1]:
        owner = owner[part]
    owner[path[-1]] = copy.deepcopy(value)
    return changed


@pytest.mark.parametrize("name", NAMES)
def test_any_shape_anywhere_is_answered_with_findings(name: str, validator: Validator, good: Good) -> None:
    resource = good(name)
    for path in paths(resource):
        for shape in SHAPES:
            for issue in validator.validate(put(resource, path, shape)):
                assert issue.text and issue.rule


@pytest.mark.parametrize("profile", ["values", "by-value", "by-pattern", "by-profile"])
def test_any_shape_under_a_profile_is_answered_with_findings(
    profile: str, validator: Validator, good: Good
) -> None:
    resource = good("observation")
    chance = random.Random(7)
    for path in paths(resource):
        for shape in chance.sample(SHAPES, 8):
            validator.validate(put(resource, path, shape), [f"https://example.org/guide/{profile}"])


@pytest.mark.parametrize(
    "shape", [None, 3, "x", [], [{}], {}, {"resourceType": None}, {"resourceType": []}, {1: 2}]
)
def test_what_is_no_resource_is_said_to_be_none(shape: Any, validator: Validator) -> None:
    issues = validator.validate(shape)
    assert [issue.rule for issue in issues if issue.fails] in (["resource"], ["resourceType"])


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", **{f"unknown{n}": 1 for n in range(20_000)}},
        {"resourceType": "Patient", "name": [{"use": "wrong"}] * 20_000},
        {"resourceType": "Patient", "extension": [{"url": "a"}] * 20_000},
        {"resourceType": "Patient", "contained": [{"resourceType": "Patient", "id": f"p{n}", "generalPractitioner": [{"reference": f"#p{n - 1}"}]} for n in range(3_000)]},
        {"resourceType": "Observation", "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": f"c{n}"}]} for n in range(5_000)]},
        {"resourceType": "Patient", "text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>" + "<p>" * 200_000}},
        {"resourceType": "Patient", "text": {"status": "generated", "div": '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;&x;">]><div xmlns="http://www.w3.org/1999/xhtml">&z;</div>'}},
    ],
    ids=["unknown", "codes", "extensions", "contained", "unknown codes", "deep narrative", "entities"],
)  # fmt: skip
def test_a_large_hostile_resource_costs_little(resource: Any, validator: Validator) -> None:
    started = time.perf_counter()
    issues = validator.validate(resource)
    assert any(issue.fails for issue in issues)
    assert len(issues) <= 2000
    assert time.perf_counter() - started < 10


def test_profiles_that_ask_for_each_other_end(validator: Validator) -> None:
    layers = [
        {"resourceType": "Observation", "id": f"l{n}", "status": "final", "code": {"text": "c"}, "derivedFrom": [{"reference": f"#l{n + 1}"}, {"reference": f"#l{(n + 2) % 30}"}]}
        for n in range(29)
    ]  # fmt: skip
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "c"},
        "derivedFrom": [{"reference": "#l0"}],
        "contained": layers,
    }
    validator.validate(resource, ["https://example.org/guide/by-profile"])


def test_what_a_person_wrote_is_never_repeated(validator: Validator, good: Good) -> None:
    secret = "SECRETWORDS"
    patient = good("patient")
    patient["name"][0].update(family=[secret], given=secret, text={"x": secret})
    patient["birthDate"] = f"{secret}-01"
    patient["address"][0]["line"] = [secret * 200_000]
    patient["text"]["div"] = (
        f'<div xmlns="http://www.w3.org/1999/xhtml"><script>{secret}</script><b {secret}="{secret}">'
    )
    patient["telecom"][0]["value"] = {"a": secret}
    patient["identifier"][0]["value"] = [secret]
    texts = " ".join(issue.text + issue.expression for issue in validator.validate(patient))
    assert secret not in texts
