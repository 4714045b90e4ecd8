"""SDC observation extraction and scoring: skipped gives nothing, refused is said, scores add up."""

import pytest

from service.casework.records import read
from service.fhir.json import JsonObject, decode_object
from service.fhir.validate import load
from service.mapping import table
from service.mapping.instruments import instruments
from tests.mapping.context import HERE

LOINC = "http://loinc.org"


def observations(instrument: str, answers: list[JsonObject], **more: object) -> dict[str, JsonObject]:
    value = {
        "client": "leslie-moreno",
        "instrument": instrument,
        "taken": "2026-03-04",
        "answers": answers,
        **more,
    }
    made = table["assessments"].to_fhir(read("assessments", "a", value), HERE).of("Observation")
    return {each["code"]["coding"][0]["code"]: each for each in made}


def chosen(question: str, code: str) -> JsonObject:
    return {"question": question, "choices": [{"system": LOINC, "code": code}]}


ALL_THREE = [
    chosen("audit-c.1", "LA18928-4"),
    chosen("audit-c.2", "LA15695-2"),
    chosen("audit-c.3", "LA18933-4"),
]


def test_every_answer_and_the_score_become_observations() -> None:
    made = observations("audit-c", ALL_THREE)
    assert set(made) == {"68518-0", "68519-8", "68520-6", "75626-2"}
    assert made["75626-2"]["valueInteger"] == 3 + 1 + 1
    assert made["75626-2"]["interpretation"] == [{"text": "positive"}]


def test_a_skipped_question_gives_no_observation_and_no_score() -> None:
    assert set(observations("audit-c", ALL_THREE[:2])) == {"68518-0", "68519-8"}


def test_a_refusal_is_an_observation_without_value() -> None:
    made = observations("audit-c", [*ALL_THREE[:2], {"question": "audit-c.3", "missing": "refused"}])
    assert made["68520-6"]["dataAbsentReason"]["coding"][0]["code"] == "asked-declined"
    assert "75626-2" not in made


def test_several_answers_give_several_observations() -> None:
    two = [{"system": LOINC, "code": code} for code in ("LA30127-7", "LA30124-4")]
    value = {
        "client": "c",
        "instrument": "prapare",
        "taken": "2026-03-04",
        "answers": [{"question": "prapare.93031-3", "choices": two}],
    }
    made = table["assessments"].to_fhir(read("assessments", "a", value), HERE).of("Observation")
    assert len({each["id"] for each in made}) == 2


def test_handing_it_over_again_amends_the_same_observations() -> None:
    first, second = observations("audit-c", ALL_THREE), observations("audit-c", ALL_THREE, status="amended")
    assert [each["id"] for each in first.values()] == [each["id"] for each in second.values()]
    assert {each["status"] for each in second.values()} == {"amended"}


def test_the_reversed_item_of_the_dast_counts_backwards() -> None:
    made = observations("dast-10", [{"question": f"dast-10.{n}", "yes": n == 3} for n in range(1, 11)])
    assert made["82667-7"]["valueInteger"] == 0


def test_a_score_from_elsewhere_is_not_computed_again() -> None:
    made = observations("audit-c", ALL_THREE, scores=[{"name": "audit-c", "value": 7}])
    assert made["75626-2"]["valueInteger"] == 7


@pytest.mark.parametrize("name", sorted(instruments()))
def test_every_instrument_is_a_valid_questionnaire_that_says_its_licence(name: str) -> None:
    form = instruments()[name]
    assert [issue.text for issue in load().validate(form) if issue.fails] == []
    assert form["copyright"]


def test_a_coding_without_a_system_is_of_the_questions_own_list() -> None:
    value = decode_object(
        b'{"client":"c","instrument":"satisfaction","taken":"2026-03-04","answers":['
        + b",".join(
            b'{"question":"satisfaction.%s","choices":[{"code":"agree"}]}' % each
            for each in (b"appropriate", b"respect", b"language", b"again")
        )
        + b"]}"
    )
    made = table["assessments"].to_fhir(read("assessments", "a", value), HERE).of("Observation")
    assert [each["valueInteger"] for each in made] == [16]
