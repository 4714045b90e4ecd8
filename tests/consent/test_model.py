"""How papers are read: both dialects, dates of every precision, what makes a paper unfit."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.consent.label import label
from service.consent.model import read
from service.consent.spans import period, span
from tests.consent.people import ALCOHOL, CATEGORIES, LESLIE, NORTHSIDE, consent, rule


def policy(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code}]}


@pytest.mark.parametrize(
    ("root", "code", "kind", "silent"),
    [
        ("permit", None, "permit", False),
        ("deny", None, "deny", False),
        ("permit", "OPTOUT", "permit", False),
        ("deny", "OPTIN", "deny", False),
        (None, "OPTIN", "permit", False),
        (None, "OPTOUT", "deny", False),
        (None, "EMRGONLY", "deny", False),
        (None, None, "deny", True),
        ("maybe", "OPTIN", "deny", False),
    ],
)
def test_the_base_rule_is_the_roots_type_else_the_policy_else_denial(
    root: str | None, code: str | None, kind: str, silent: bool
) -> None:
    read_ = read(consent(rule(root), policyRule=policy(code) if code else None))
    assert (read_.root.kind, read_.silent) == (kind, silent)


def test_an_opt_in_whose_exceptions_are_permits_permits_only_those() -> None:
    """R4 example smartonfhir: OPTIN with a nested permit for one class."""
    read_ = read(consent(rule(None, but=[rule("permit", NORTHSIDE)]), policyRule=policy("OPTIN")))
    assert (read_.root.kind, read_.silent) == ("deny", True)


def test_an_opt_in_with_denials_as_exceptions_is_an_opt_in() -> None:
    """And one with both kinds of exception, since one of them would say nothing otherwise."""
    for but in ([rule("deny", NORTHSIDE)], [rule("deny", NORTHSIDE), rule("permit")]):
        read_ = read(consent(rule(None, but=but), policyRule=policy("OPTIN")))
        assert (read_.root.kind, read_.silent) == ("permit", False)


def test_an_untyped_exception_is_a_denial() -> None:
    assert read(consent(rule("permit", but=[rule(None)]))).root.nested[0].kind == "deny"


@pytest.mark.parametrize(
    ("change", "defect"),
    [
        ({"patient": None}, "no-patient"),
        ({"dateTime": "soon"}, "no-date"),
        ({"sourceAttachment": None}, "no-signature"),
        ({"provision": rule("permit", NORTHSIDE)}, "no-purpose"),
        ({"provision": rule("permit", None, "TREAT")}, "no-recipient"),
        ({"provision": rule("permit", NORTHSIDE, "TREAT HLEGAL")}, "proceedings-mixed"),
        ({"modifierExtension": [{"url": "x"}]}, "not-understood"),
    ],
)
def test_what_2_31_requires_is_missed(change: dict[str, Any], defect: str) -> None:
    whole = consent(rule("permit", NORTHSIDE, "TREAT"))
    assert read(whole).defects == frozenset()
    assert (
        defect
        in read({key: value for key, value in {**whole, **change}.items() if value is not None}).defects
    )


@given(
    st.recursive(
        st.none() | st.text(max_size=3) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "type",
                        "actor",
                        "provision",
                        "purpose",
                        "period",
                        "code",
                        "coding",
                        "class",
                        "role",
                        "reference",
                        "data",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_shape_of_json_breaks_the_reader(value: Any) -> None:
    read(
        {
            "resourceType": "Consent",
            "provision": value,
            "patient": value,
            "scope": value,
            "policyRule": value,
            "dateTime": value,
        }
    )


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2026-01-01T00:00", "2027-01-01T00:00"),
        ("2026-02", "2026-02-01T00:00", "2026-03-01T00:00"),
        ("2026-12-31", "2026-12-31T00:00", "2027-01-01T00:00"),
        ("2026-03-05T10:00:00Z", "2026-03-05T10:00", "2026-03-05T10:00:01"),
        ("2026-03-05T10:00:00-06:00", "2026-03-05T16:00", "2026-03-05T16:00:01"),
    ],
)
def test_a_date_is_all_the_time_it_names(text: str, start: str, end: str) -> None:
    read_ = span(text)
    assert read_ is not None
    assert (read_.start, read_.end) == tuple(
        datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (start, end)
    )


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-02-30", "0000", "next week", "2026-03-05T10:00:00", 7, None, "9999-12-31"]
)
def test_what_is_no_date_is_no_date(text: object) -> None:
    assert span(text) is None or text == "9999-12-31"


def test_a_day_is_the_agencys_day() -> None:
    day = span("2026-03-08", ZoneInfo("America/Chicago"))
    assert day is not None
    assert day.start == datetime(2026, 3, 8, 6, tzinfo=UTC)
    assert day.end == datetime(2026, 3, 9, 5, tzinfo=UTC), "the clocks change that night"


def test_a_period_with_an_unreadable_bound_is_unreadable() -> None:
    assert period({"start": "2026", "end": "later"}) is None
    assert period({}) is not None


# labels


def test_everything_of_a_part_2_programme_is_part_2_and_restricted() -> None:
    labels = label({"resourceType": "Encounter", "id": "1"}, part2_source=True, categories={}).labels
    assert (labels.part2, labels.confidentiality) == (True, "R")


def test_codes_at_any_depth_and_in_contained_resources_reveal() -> None:
    deep = {
        "resourceType": "CarePlan",
        "id": "1",
        "contained": [{"resourceType": "Condition", "code": {"coding": [ALCOHOL]}}],
    }
    assert label(deep, part2_source=False, categories=CATEGORIES).labels.marks == {"SUD"}


def test_a_type_nobody_has_classed_is_taken_for_a_clients() -> None:
    assert label({"resourceType": "Basic", "id": "1"}, part2_source=False, categories={}).nature == "client"
    assert (
        label({"resourceType": "OperationOutcome"}, part2_source=False, categories={}).nature == "definition"
    )
    assert label({"resourceType": "Organization"}, part2_source=False, categories={}).nature == "directory"


def test_handling_instructions_are_kept_and_other_labels_are_not_taken_for_them() -> None:
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    security = [{"system": act, "code": one} for one in ("NOREUSE", "MH", "42CFRPart2")]
    got = label(
        {"resourceType": "Condition", "id": "1", "meta": {"security": security}},
        part2_source=False,
        categories={},
    )
    assert got.labels.handling == ((act, "NOREUSE"),)
    assert got.labels.marks == {"MH"}


def test_a_span_contains_what_has_the_same_bounds_and_nothing_open_beyond_them() -> None:
    year, month, open_end = span("2026"), span("2026-12"), period({"start": "2026-05"})
    assert year
    assert month
    assert open_end
    assert year.contains(month)
    assert year.contains(year)
    assert not month.contains(year)
    assert not year.contains(open_end)
    assert open_end.contains(month)
    assert year.meets(open_end)
    assert not span("2025").meets(month)  # type: ignore[union-attr]


def test_received_labels_raise_but_never_lower() -> None:
    confidentiality = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    low = {
        "resourceType": "Condition",
        "id": "1",
        "meta": {"security": [{"system": confidentiality, "code": "U"}]},
    }
    high = {
        "resourceType": "Condition",
        "id": "1",
        "meta": {"security": [{"system": confidentiality, "code": "V"}]},
    }
    assert label(low, part2_source=True, categories={}).labels.confidentiality == "R"
    assert label(high, part2_source=False, categories={}).labels.confidentiality == "V"


def test_a_received_part_2_label_makes_it_part_2_here() -> None:
    security = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "42CFRPart2"}]
    got = label(
        {"resourceType": "Condition", "id": "1", "meta": {"security": security}},
        part2_source=False,
        categories={},
    )
    assert got.labels.part2


def test_the_client_is_found_where_the_type_names_it() -> None:
    assert (
        label(
            {"resourceType": "Task", "id": "1", "for": {"reference": LESLIE}},
            part2_source=True,
            categories={},
        ).patient
        == LESLIE
    )
    assert (
        label({"resourceType": "Patient", "id": "leslie"}, part2_source=True, categories={}).patient == LESLIE
    )
