"""A resource in a line, whatever is in it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.json import decode, encode
from service.fhir.row import Row
from service.flows.console.telling import line, name_of, said, telecom_of
from service.kernel.clock import system_clock

GOLDEN = sorted(Path("tests/golden").rglob("*.fhir.json"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab-:T2", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["text", "coding", "display", "code", "start", "end", "name", "member", "value", "status"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def row(resource: dict[str, object]) -> Row:
    return Row(
        str(resource.get("resourceType", "Task")), "x", 1, system_clock(), False, "", None, encode(resource)
    )


def test_every_golden_resource_is_told_in_a_line() -> None:
    told = []
    for path in GOLDEN:
        whole = decode(path.read_bytes())
        resources = whole if isinstance(whole, list) else [whole]
        told += [line(row(each)) for each in resources]
    assert len(told) > 100
    assert sum(bool(each.what) for each in told) > len(told) / 2


@given(
    st.dictionaries(
        st.sampled_from(
            ["code", "type", "name", "participant", "note", "telecom", "period", "status", "valueQuantity"]
        ),
        JSON,
    )
)
def test_no_shape_breaks_a_line(resource: dict[str, object]) -> None:
    line(row(resource))
    name_of(resource)
    telecom_of(resource)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"text": "Own words", "coding": [{"display": "Theirs"}]}, "Own words"),
        ({"coding": [{"code": "x"}, {"display": "Theirs"}]}, "Theirs"),
        ({"start": "2026-03-02T09:00:00Z"}, "since 2026-03-02"),
        ({"end": "2026-03-09"}, "until 2026-03-09"),
        ({"start": "2026-03-02", "end": "2026-03-09"}, "2026-03-02 – 2026-03-09"),
        ([{"display": "a"}, {}, {"reference": "Patient/x"}], "a, Patient/x"),
        (17, ""),
    ],
)  # fmt: skip
def test_elements_in_words(value: object, words: str) -> None:
    assert said(value) == words


def test_a_person_is_called_by_the_usual_name() -> None:
    names = [
        {"use": "old", "family": "Before"},
        {"use": "usual", "given": ["Les"], "family": "Moreno"},
        {"text": "L. M."},
    ]
    assert name_of({"name": names}) == "Les Moreno"
    assert name_of({}) == ""
