from datetime import UTC, datetime
from decimal import Decimal

import pytest

from service.fhir.catalogue import catalogue
from service.fhir.search.escapes import plain, split
from service.fhir.search.parse import parse
from service.fhir.search.query import Amount, Chain, Dates, Has, Keys, Numbers, OneOf, Query, Sort, Strings
from service.kernel.failures import Refused

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BASE = "https://casebridge.example/fhir"


def asked(type_: str, text: str, lenient: bool = False) -> Query:
    pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in text.split("&"))]
    return parse((type_,), pairs, now=NOW, base=BASE, served=tuple(catalogue), lenient=lenient)


def refusals(type_: str, text: str, lenient: bool = False) -> list[str]:
    with pytest.raises(Refused) as caught:
        asked(type_, text, lenient)
    return [issue.text for issue in caught.value.issues]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a,b", ["a", "b"]),
        (r"a\,b,c", ["a,b", "c"]),
        (r"a\\,b", ["a\\", "b"]),
        ("", [""]),
        (",", ["", ""]),
        ("a\\", ["a\\"]),
    ],
)
def test_commas_split_unless_escaped(text: str, parts: list[str]) -> None:
    assert [plain(part) for part in split(text, ",")] == parts


def test_alternatives_are_one_condition_and_repetitions_are_two() -> None:
    query = asked("Task", "status=requested,accepted&status=x")
    assert query.where == (
        Keys(("Task.status=requested", "Task.status=accepted")), Keys(("Task.status=x",)),
    )  # fmt: skip


def test_an_id_alone_may_be_of_any_type_that_the_parameter_targets() -> None:
    [condition] = asked("ServiceRequest", "subject=7").where
    assert isinstance(condition, Keys)
    assert set(condition.any_of) == {
        f"ServiceRequest.subject={t}/7" for t in ("Device", "Group", "Location", "Patient")
    }


def test_an_absolute_reference_to_ourselves_is_a_relative_one() -> None:
    [condition] = asked("Task", f"patient={BASE}/Patient/7").where
    assert condition == Keys(("Task.patient=Patient/7",), selective=True)


def test_a_type_modifier_completes_an_id_and_excludes_other_types() -> None:
    assert asked("Task", "subject:Patient=7").where == (Keys(("Task.subject=Patient/7",), selective=True),)
    assert asked("Task", "subject:Patient=Group/7").where == (OneOf(()),)


def test_a_chain_and_a_has_hold_the_conditions_of_the_other_end() -> None:
    [chain, has] = asked("Patient", "organization.name=food&_has:Task:patient:status=accepted").where
    assert chain == Chain("Patient.organization", "Organization", (Strings("name", ("food",)),))
    assert has == Has("Task", "Task.patient", (Keys(("Task.status=accepted",)),))


def test_a_number_stands_for_the_interval_of_its_precision() -> None:
    [condition] = asked("Observation", "value-quantity=5.40|http://u|mg").where
    amount = Amount("eq", Decimal("5.40"), Decimal("5.395"), Decimal("5.405"), "http://u|mg")
    assert condition == Numbers("value-quantity", (amount,))


def test_ap_reaches_a_tenth_of_the_distance_from_now() -> None:
    [condition] = asked("Patient", "birthdate=ap2026-02-19").where
    assert isinstance(condition, Dates)
    assert condition.any_of[0].low == datetime(2026, 2, 18, tzinfo=UTC)
    assert condition.any_of[0].high == datetime(2026, 2, 21, tzinfo=UTC)


def test_sort_has_several_keys_in_both_directions() -> None:
    query = asked("Task", "_sort=-authored-on,_id")
    assert query.sort == (Sort("date", "authored-on", True, True), Sort("id"))


def test_count_is_capped_and_zero_means_count_only() -> None:
    assert asked("Task", "_count=99999").count == 1000
    assert asked("Task", "_count=0").summary == "count"


@pytest.mark.parametrize(
    "text",
    [
        "status:exact=x", "authored-on=soon", "_sort=near", "code:above=x", "patient:missing=maybe",
        "status=", "status=a,", "code=|", "code=a|b|c", "_include=Task", "_include=Task:status",
        "status.x=1", "_has:Task=1", "code:in=http://nowhere.example/vs", "_total=many", "_summary=some",
        "_elements=nope", "_id:not=1", "_lastUpdated:missing=true", "_contained=true",
        "part-of.part-of.part-of.part-of.status=x", "focus.subject.subject.name=x", "code:of-type=a|b",
        "subject:Nobody=1",
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_with_a_sentence(text: str) -> None:
    [said] = refusals("Task", text)
    assert said


def test_unknown_parameters_warn_when_lenient_but_wrong_ones_do_not() -> None:
    query = asked("Task", "foo=1&status=x&focus:ServiceRequest.bar=2", lenient=True)
    assert [name for name, _ in query.accepted] == ["status"]
    assert len(query.warnings) == 2
    assert len(refusals("Task", "foo=1&status:exact=x", lenient=True)) == 1


def test_a_message_never_repeats_a_value() -> None:
    assert not any(
        "SECRET" in text for text in refusals("Task", "authored-on=SECRET&code=SECRET|a|b&_count=SECRET")
    )


def test_chains_enter_only_what_the_token_covers() -> None:
    with pytest.raises(Refused) as caught:
        parse(
            ("Task",), [("patient.name", "x")], now=NOW, base=BASE, served=tuple(catalogue),
            reachable=lambda type_: type_ == "Task",
        )  # fmt: skip
    assert caught.value.reason == "forbidden"


def test_too_many_alternatives_are_too_costly() -> None:
    assert "alternatives" in refusals("Task", "_id=" + ",".join("1" * 2) + ",1" * 3000)[0]


@pytest.mark.parametrize(
    "number", ["1e999999999", "-1e999999999", "lt1e-999999999", "0e999999999", "1e31", "x"]
)
def test_a_number_beyond_every_measure_is_refused_in_words(number: str) -> None:
    assert "needs a number" in refusals("Observation", f"value-quantity={number}")[0]
