"""The CSAT GPRA 2019 tool as data: what the script writes, its columns, its Questionnaire."""

import runpy
from pathlib import Path

import pytest

from service.casework.records import read
from service.coordination.gpra.tool import read_tool
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.validate import check_answers, load
from service.mapping.gpra_interview import to_fhir
from service.mapping.instruments import instruments
from tests.coordination.gpra.complete import TOOL, interview, record
from tests.mapping.context import HERE

ROOT = Path(__file__).resolve().parents[3]
WRITTEN = (
    "gpra/csat-gpra-2019.1/asked.csv",
    "gpra/Measure-gpra-outcomes.json",
    *(f"instruments/Questionnaire-{n}.json" for n in ("csat-gpra", "suprt-a", "suprt-c")),
)
INTERVIEWS = (("intake", "2026-03-03"), ("six-month", "2026-10-20"), ("discharge", "2027-03-09"))


def form() -> JsonObject:
    return instruments()["csat-gpra"]


def response(type_: str, day: str, **other: str) -> JsonObject:
    held = read("gpra-interviews", "x", record(interview(type_, day, **other), "x"))
    return decode_object(encode(to_fhir(held, HERE).resources[0]))


def test_the_script_writes_what_is_here() -> None:
    before = [(ROOT / "fhir_profiles" / name).read_bytes() for name in WRITTEN]
    runpy.run_path(str(ROOT / "scripts" / "build_gpra.py"), run_name="__main__")
    assert [(ROOT / "fhir_profiles" / name).read_bytes() for name in WRITTEN] == before


def test_the_download_has_318_data_columns_each_once() -> None:
    assert TOOL is not None
    assert len(TOOL.columns) == len(set(TOOL.columns)) == 318
    assert TOOL.columns[:7] == (
        "GrantNo", "ClientID", "ClientType", "InterviewTypeCode", "IntakeSeqNum", "InterviewDate", "ICD10CodeOne",
    )  # fmt: skip


def test_every_item_of_the_form_is_a_question_and_the_diagnoses_are_the_76_of_the_form() -> None:
    assert TOOL is not None
    numbers = {each.no for each in TOOL.questions}
    assert len(numbers) == 347
    assert len(TOOL.by_link["ICD10CodeOne"].options) == 77


def test_a_tool_without_a_table_is_not_known() -> None:
    assert read_tool("suprt-a", "2025.0") is None
    assert read_tool("../csat-gpra", "2019.1") is None


@pytest.mark.parametrize("name", ["csat-gpra", "suprt-a", "suprt-c"])
def test_the_questionnaires_are_valid(name: str) -> None:
    assert [each.text for each in load().validate(instruments()[name]) if each.fails] == []


@pytest.mark.parametrize(("type_", "day"), INTERVIEWS)
def test_a_complete_interview_answers_the_questionnaire(type_: str, day: str) -> None:
    assert [each.text for each in check_answers(response(type_, day), form())] == []


def test_the_questionnaire_itself_refuses_what_its_skips_and_constraints_forbid() -> None:
    bad = response("intake", "2026-03-03", SexUnprot="7", Children="0", ChildrenNr="2")
    assert {each.rule for each in check_answers(bad, form())} >= {"unprotected-contacts", "qr-enableWhen"}


def test_what_the_record_says_by_its_own_members_is_answered_once() -> None:
    told = response("six-month", "2026-10-20")
    [management] = [each for each in told["item"] if each["linkId"] == "A"]
    answers = {each["linkId"]: each["answer"][0] for each in management["item"]}
    assert answers["ClientID"] == {"valueString": "HRS-000412"}
    assert answers["InterviewDate"] == {"valueDate": "2026-10-20"}
    assert answers["InterviewTypeCode"] == {"valueCoding": {"code": "2"}}
