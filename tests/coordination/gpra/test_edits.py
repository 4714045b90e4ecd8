"""Every edit rule of the tool is refused with its sentence, and a complete interview breaks none."""

from dataclasses import replace

import pytest

from service.coordination.gpra.edits import MANAGED, Episode, Finding, Interview, findings, unanswered
from service.coordination.gpra.tool import CODES, Question, Tool
from tests.coordination.gpra.complete import TOOL, interview, value

INTAKE, FOLLOW, LEAVE = ("intake", "2026-03-03"), ("six-month", "2026-10-20"), ("discharge", "2027-03-09")
KNOWN: dict[str, str | int] = {
    "intakeDate": "2026-03-03", "opens": "2026-08-03", "closes": "2026-11-03", "gender": 2, "nextSequence": 1, "deceased": 0,
}  # fmt: skip
TODAY = "2027-04-01"


def tool() -> Tool:
    assert TOOL is not None
    return TOOL


def found(held: Interview, **facts: str | int) -> list[Finding]:
    known = {name: value for name, value in {**KNOWN, **facts}.items() if value != ""}
    return findings(tool(), held, Episode(str(known.pop("today", TODAY)), known))


@pytest.mark.parametrize(("type_", "day"), [INTAKE, FOLLOW, LEAVE])
def test_a_complete_interview_breaks_nothing_and_leaves_nothing_unanswered(type_: str, day: str) -> None:
    held = interview(type_, day)
    assert found(held) == []
    assert unanswered(tool(), held) == []


NO_DRUGS = {"DAUseAlcoholDays": "0", "DAUseIllegDrugsDays": "0"}
NONE_RECEIVED = {"SvcCaseManagementReceived": "0"}
BROKEN: list[tuple[str, tuple[str, str], dict[str, str], dict[str, str | int]]] = [
    ("date-not-future", INTAKE, {}, {"today": "2026-03-02"}),
    ("follow-up-after-intake", FOLLOW, {}, {"intakeDate": "2026-10-20"}),
    ("discharge-not-before-intake", LEAVE, {}, {"intakeDate": "2027-03-10"}),
    ("intake-known", FOLLOW, {}, {"intakeDate": ""}),
    ("intake-sequence", INTAKE, {}, {"nextSequence": 2}),
    ("diagnoses-unique", INTAKE, {"ICD10CodeTwo": "F10.20"}, {}),
    ("diagnosis-none-alone", INTAKE, {"ICD10CodeTwo": "-7"}, {}),
    ("diagnosis-ranks-unique", INTAKE, {"ICD10CodeTwoCategory": "1"}, {}),
    ("diagnosis-given", INTAKE, dict.fromkeys(("ICD10CodeOne", "ICD10CodeTwo", "ICD10CodeThree"), ""), {}),
    ("planned-detox", INTAKE, {"SvcFreeStandingRes": "1"}, {}),
    ("birth-year", INTAKE, {"BirthYear": "1926"}, {}),
    ("never-deployed", INTAKE, {"NeverDeployed": "1"}, {}),
    ("one-relative", INTAKE, {"FamilyActiveDuty": "1", "ServiceMemRelationship2": "1"}, {}),
    ("several-relatives", INTAKE, {"ServiceMemRelationship2": ""}, {}),
    ("alcohol-parts", INTAKE, {"DAUseAlcoholIntox5Days": "15"}, {}),
    ("both-at-most-alcohol", INTAKE, {"DAUseAlcoholDays": "9", "DAUseAlcoholIntox5Days": "3"}, {}),
    ("both-at-most-drugs", INTAKE, {"DAUseBothDays": "16"}, {}),
    ("both-at-least", INTAKE, {"DAUseBothDays": "4"}, {}),
    ("drugs-at-least-each", INTAKE, {"CocaineCrackDays": "16"}, {}),
    ("drugs-at-most-sum", INTAKE, {}, {}),
    ("injection-route", INTAKE, {"InjectedDrugs": "0", "CocaineCrackRoute": "5"}, {}),
    ("jail-institution", INTAKE, {"ArrestedConfineDays": "16"}, {}),
    ("impact-no-use", INTAKE, NO_DRUGS, {}),
    ("pregnant-male", INTAKE, {"GenderCode": "1"}, {"gender": 1}),
    ("pregnant-male", FOLLOW, {}, {"gender": 1}),
    ("custody-at-most-children", INTAKE, {"ChildrenCustodyNr": "3"}, {}),
    ("custody-lost-at-most-children", INTAKE, {"ChildrenCustodyLost": "3"}, {}),
    ("drug-arrests", INTAKE, {"ArrestedDrugDays": "3"}, {}),
    ("crimes-at-least-drug-days", INTAKE, {"NrCrimes": "14"}, {}),
    ("unprotected-contacts", INTAKE, {"SexUnprot": "7"}, {}),
    ("unprotected-hiv", INTAKE, {"SexUnprotHIVAids": "5"}, {}),
    ("unprotected-injecting", INTAKE, {"SexUnprotInjDrugUser": "5"}, {}),
    ("unprotected-high", INTAKE, {"SexUnprotHigh": "5"}, {}),
    ("follow-up-conducted", FOLLOW, {"FLWPStatus": "21"}, {}),
    ("follow-up-status", FOLLOW, {"FLWPStatus": ""}, {}),
    ("follow-up-in-window", FOLLOW, {}, {"closes": "2026-10-19"}),
    ("follow-up-in-window", FOLLOW, {}, {"opens": "2026-10-21"}),
    ("follow-up-outside-window", FOLLOW, {"FLWPStatus": "12"}, {}),
    ("discharge-date-not-future", LEAVE, {"DischargeDate": "2027-04-02"}, {}),
    ("discharge-date-after-intake", LEAVE, {"DischargeDate": "2026-03-02"}, {}),
    ("termination-reason", LEAVE, {"DischargeStatusTermReason": ""}, {}),
    ("deceased-administrative", LEAVE, {}, {"deceased": 1}),
    ("received-detox", LEAVE, {"SvcFreeStandingResReceived": "2"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("key", "which", "other", "facts"), BROKEN)
def test_an_interview_that_breaks_an_edit_is_refused_with_its_sentence(
    key: str, which: tuple[str, str], other: dict[str, str], facts: dict[str, str | int]
) -> None:
    held = interview(*which, **other)
    if key == "drugs-at-most-sum":
        days = {each.link: "0" for each in tool().groups["drugDays"]}
        held = replace(
            held, values={**held.values, **days, "CocaineCrackDays": "5", "MarijuanaHashDays": "5"}
        )
    [edit] = [each for each in tool().edits if each.key == key]
    assert (key, edit.when, edit.sentence) in [
        (each.key, each.when, each.sentence) for each in found(held, **facts)
    ]


def only(type_: str, day: str, group: str, value: str) -> Interview:
    held = interview(type_, day)
    return replace(held, values={**held.values, **{each.link: value for each in tool().groups[group]}})


def keys(held: Interview) -> set[str]:
    return {each.key for each in found(held)}


def test_a_modality_is_planned_a_modality_and_a_service_are_received() -> None:
    assert "planned-modality" in keys(only(*INTAKE, "plannedModalities", "0"))
    assert "received-modality" in keys(only(*LEAVE, "receivedModalities", "0"))
    assert "received-service" in keys(only(*LEAVE, "receivedServices", "0"))


def test_the_key_of_an_interview_is_as_the_form_wants_it() -> None:
    held = interview(*INTAKE)
    assert "client-id-length" in keys(replace(held, client="X" * 16))
    assert "grant-length" in keys(replace(held, grant="TI-02654300"))
    assert "intake-conducted" in keys(replace(held, conducted=False))
    assert "date-whole" in keys(replace(held, day="2026-03"))


def test_every_edit_has_a_case_here() -> None:
    elsewhere = {
        "planned-modality", "received-modality", "received-service", "client-id-length", "grant-length",
        "intake-conducted", "date-whole",
    }  # fmt: skip
    assert {each.key for each in tool().edits} == {key for key, *_ in BROKEN} | elsewhere


@pytest.mark.parametrize(
    ("other", "key"),
    [
        ({"DAUseAlcoholDays": "31"}, "answer"),
        ({"LivingWhere": "9"}, "answer"),
        ({"SvcOutreach": "2"}, "answer"),
        ({"FLWPStatusSpec": "moved"}, "not-asked-here"),
        ({"Children": "0", "ChildrenNr": "2"}, "skipped"),
        ({"IntakeSeqNum": "4"}, "own-member"),
        ({"FavouriteColour": "4"}, "unknown-question"),
    ],
)
def test_an_answer_that_does_not_fit_its_question_is_refused(other: dict[str, str], key: str) -> None:
    assert key in keys(interview(*INTAKE, **other))


SKIPS = [each for each in tool().questions if each.skip]
RANGES = [
    each
    for each in tool().questions
    if each.type == "integer" and each.high is not None and each.link not in MANAGED
]
WHEN = {"I": INTAKE, "F": FOLLOW, "D": LEAVE}


def bare(question: Question, **values: str) -> Interview:
    """An interview at which the question is asked, with these answers alone."""
    type_, day = WHEN[min(question.interviews, key="IFD".index)]
    status = "11" if type_ == "six-month" else ""
    return Interview("TI-026543", "HRS-000412", type_, 1, day, True, status, values)


@pytest.mark.parametrize("question", SKIPS, ids=lambda each: each.link)
def test_an_answer_behind_a_skip_that_does_not_lead_to_it_is_refused_saying_what_it_needs(
    question: Question,
) -> None:
    given = {question.link: value(question) or "said"}
    said = [each.sentence for each in found(bare(question, **given)) if each.key == "skipped"]
    assert said == [f"{question.link} is not asked: it would need {question.skip}."]


@pytest.mark.parametrize("question", RANGES, ids=lambda each: each.link)
def test_a_number_beyond_its_range_is_refused_naming_the_range(question: Question) -> None:
    low, high = question.low or 0, question.high or 0
    for number, fits in ((high, True), (high + 1, False), (low, True), (low - 1, False)):
        said = [
            each.sentence
            for each in found(bare(question, **{question.link: str(number)}))
            if each.key == "answer"
        ]
        expected = (
            []
            if fits or str(number) in CODES
            else [f"{question.link} is a whole number from {low} to {high}."]
        )
        assert said == expected, number


def test_an_interview_that_was_not_conducted_has_only_what_staff_know() -> None:
    assert keys(interview(*FOLLOW, conducted=False)) == set()
    assert "not-conducted" in keys(interview(*FOLLOW, conducted=False, DAUseAlcoholDays="3"))


def test_what_was_refused_or_is_not_known_breaks_no_edit() -> None:
    assert keys(interview(*INTAKE, SexContacts="-7")) == set()
    assert keys(interview(*INTAKE, NrCrimes="-8")) == set()


def test_what_is_asked_and_has_no_answer_is_named() -> None:
    assert [each.link for each in unanswered(tool(), interview(*INTAKE, DAUseBothDays=""))] == [
        "DAUseBothDays"
    ]
