"""Value sets are sets of codes, or honestly undecided."""

from typing import Any

import pytest

from service.fhir.validate import Validator
from service.fhir.validate.definitions import Definitions
from service.fhir.validate.systems import proper_system
from service.fhir.validate.terms import (
    bounds_of_compose,
    codes_of_compose,
    codes_of_expansion,
    codes_of_filter,
)

STATUS = "http://hl7.org/fhir/ValueSet/task-status"


def composed(compose: Any) -> Any:
    known = {"s": {"s": ["a", "b", "c"]}}
    return codes_of_compose({"compose": compose}, known.get, {"v": {"s": ["b", "x"]}}.get)


def test_concepts_systems_and_other_value_sets_are_joined() -> None:
    assert composed({"include": [{"system": "s"}, {"system": "t", "concept": [{"code": "z"}]}]}) == {
        "s": ["a", "b", "c"],
        "t": ["z"],
    }
    assert composed({"include": [{"valueSet": ["v"]}]}) == {"s": ["b", "x"]}


def test_within_one_include_all_must_agree() -> None:
    assert composed({"include": [{"system": "s", "valueSet": ["v"]}]}) == {"s": ["b"]}


def test_what_is_excluded_is_out() -> None:
    assert composed(
        {"include": [{"system": "s"}], "exclude": [{"system": "s", "concept": [{"code": "a"}]}]}
    ) == {"s": ["b", "c"]}


@pytest.mark.parametrize(
    "include", [{"system": "unknown"}, {"system": "s", "filter": [{}]}, {"valueSet": ["unknown"]}]
)
def test_what_cannot_be_known_is_undecided(include: Any) -> None:
    assert composed({"include": [include]}) is None


def bounds(compose: Any) -> Any:
    known = {"s": {"s": ["a", "b", "c"]}}
    return bounds_of_compose({"compose": compose}, known.get, {"v": {"s": ["b", "x"], "t": None}}.get)


def test_only_the_system_that_cannot_be_known_is_undecided() -> None:
    assert bounds({"include": [{"system": "s"}, {"system": "unknown"}]}) == {
        "s": ["a", "b", "c"],
        "unknown": None,
    }
    assert bounds({"include": [{"system": "s"}, {"valueSet": ["v"]}]}) == {
        "s": ["a", "b", "c", "x"],
        "t": None,
    }
    assert bounds({"include": [{"system": "s"}, {"valueSet": ["nobody knows"]}]}) is None


def test_an_undecided_exclusion_leaves_its_system_undecided() -> None:
    assert bounds({"include": [{"system": "s"}], "exclude": [{"system": "s", "filter": [{}]}]}) == {"s": None}
    assert bounds({"include": [{"system": "s"}], "exclude": [{"system": "t"}]}) == {"s": ["a", "b", "c"]}


def test_what_another_set_may_hold_limits_what_an_include_may() -> None:
    assert bounds({"include": [{"system": "t", "valueSet": ["v"]}]}) == {"t": None}
    assert bounds({"include": [{"system": "q", "valueSet": ["v"]}]}) == {}
    assert bounds({"include": [{"system": "s", "valueSet": ["nobody knows"]}]}) == {"s": None}


COLOURS = {"content": "complete", "concept": [
    {"code": "dark", "concept": [{"code": "black", "property": [{"code": "web", "valueBoolean": True}]}]},
    {"code": "light", "property": [{"code": "kind", "valueCode": "vague"}]},
]}  # fmt: skip


@pytest.mark.parametrize(
    ("property_", "op", "value", "codes"),
    [("concept", "is-a", "dark", ["dark", "black"]), ("concept", "descendent-of", "dark", ["black"]), ("concept", "is-not-a", "dark", ["light"]), ("code", "in", "dark,light", ["dark", "light"]), ("code", "not-in", "dark", ["black", "light"]), ("code", "=", "dark", ["dark"]), ("kind", "=", "vague", ["light"]), ("web", "=", "true", ["black"]), ("display", "regex", "x", None)],
)  # fmt: skip
def test_filters_on_a_system_held_in_full_are_decided(
    property_: str, op: str, value: str, codes: Any
) -> None:
    assert codes_of_filter(COLOURS, [{"property": property_, "op": op, "value": value}]) == codes
    assert codes_of_filter({**COLOURS, "content": "fragment"}, []) is None


def test_a_cut_expansion_is_undecided() -> None:
    assert codes_of_expansion({"expansion": {"total": 5, "contains": [{"system": "s", "code": "a"}]}}) is None


def test_membership_of_codes_codings_and_concepts() -> None:
    known = Definitions()
    coding = {"system": "http://hl7.org/fhir/task-status", "code": "draft"}
    assert known.member_of("draft", STATUS)
    assert known.member_of(coding, STATUS)
    assert known.member_of({"coding": [{"code": "x"}, coding]}, STATUS)
    assert known.member_of({"code": "draft"}, STATUS) is False
    ucum = "http://hl7.org/fhir/ValueSet/ucum-units"
    assert known.member_of("mg", ucum) is None
    assert known.member_of({"system": "http://unitsofmeasure.org", "code": "mg"}, ucum) is None
    assert known.member_of({"system": "http://loinc.org", "code": "mg"}, ucum) is False
    assert known.member_of("x", "https://example.org/unknown") is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [("https://loinc.org/", "http://loinc.org"), ("http://loinc.org", ""), ("urn:oid:2.16.840.1.113883.6.96", "http://snomed.info/sct"), ("https://terminology.hl7.org/CodeSystem/v3-ActCode", "http://terminology.hl7.org/CodeSystem/v3-ActCode"), ("https://example.org", "")],
)  # fmt: skip
def test_near_misses_of_systems_are_recognised(written: str, meant: str) -> None:
    assert proper_system(written) == meant


def test_the_largest_value_set_limits_codes_and_demands_none(validator: Validator) -> None:
    def rules(language: Any) -> list[str]:
        note = {"number": 1, "text": "x", "language": language}
        claim = {"resourceType": "ClaimResponse", "processNote": [note]}
        return [
            issue.expression for issue in validator.validate(claim) if issue.rule == "binding" and issue.fails
        ]

    assert rules({"text": "Navajo, spoken slowly"}) == []
    assert rules({"coding": [{"system": "urn:ietf:bcp:47", "code": "nv"}]}) == []
