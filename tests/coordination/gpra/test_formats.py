"""The files: 318 columns filled or explained, in order, and read back; the batch document with its sections."""

import csv
import io
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from service.coordination.gpra.formats import NEVER, SAIS, explanation, sais, spars, values
from service.coordination.gpra.tool import Tool
from tests.coordination.gpra.complete import TOOL, interview

INTERVIEWS = [("intake", "2026-03-03"), ("six-month", "2026-10-20"), ("discharge", "2027-03-09")]


def tool() -> Tool:
    assert TOOL is not None
    return TOOL


@pytest.mark.parametrize(("type_", "day"), INTERVIEWS)
def test_every_column_of_a_complete_client_is_filled_and_what_is_no_answer_is_explained(
    type_: str, day: str
) -> None:
    held = interview(type_, day)
    filled = values(tool(), held)
    assert list(filled) == list(tool().columns)
    assert len(filled) == 318
    assert all(filled.values())
    for column, value in filled.items():
        why = explanation(tool(), held, column)
        assert (why in ("answered",)) == (value not in ("-1", "-9")), (column, value, why)
        assert why != "not answered"


def test_every_answered_column_is_filled_at_some_interview_of_a_complete_client() -> None:
    told = [values(tool(), interview(*each)) for each in INTERVIEWS]
    never = {column for column in tool().columns if all(each[column] == "-1" for each in told)}
    for column in never:
        whys = {explanation(tool(), interview(*each), column) for each in INTERVIEWS}
        assert any(why.startswith(("skipped", "asked by some", "not asked at")) for why in whys), column
    assert len(never) < 45, sorted(never)


def test_the_download_is_read_back_as_it_was_answered() -> None:
    held = [interview(*each) for each in INTERVIEWS]
    rows = list(csv.DictReader(io.StringIO(spars(tool(), held))))
    assert [tuple(row) for row in rows] == [tool().columns] * 3
    for row, one in zip(rows, held, strict=True):
        for link, given in one.all.items():
            question = tool().by_link[link]
            if question.column and question.type == "date":
                year, month, day = given.split("-")
                assert row[question.column] == f"{month}/{day}/{year}"
            elif question.column:
                assert row[question.column] == given


def test_planned_and_received_services_share_their_columns() -> None:
    intake, leave = (values(tool(), interview(*each)) for each in (INTERVIEWS[0], INTERVIEWS[2]))
    assert (intake["SvcOutreach"], leave["SvcOutreach"]) == ("1", "5")
    assert values(tool(), interview(*INTERVIEWS[1]))["SvcOutreach"] == "-1"


def test_the_missing_codes_say_why_there_is_no_answer() -> None:
    held = interview("intake", "2026-03-03", DAUseBothDays="", SexContacts="-7", NrCrimes="-8", Children="0")
    told = values(tool(), held)
    assert [told[name] for name in ("DAUseBothDays", "SexContacts", "NrCrimes", "ChildrenNr")] == [
        "-9",
        "-7",
        "-8",
        "-1",
    ]
    whys = [
        explanation(tool(), held, name) for name in ("DAUseBothDays", "SexContacts", "NrCrimes", "ChildrenNr")
    ]
    assert whys == ["not answered", "refused", "not known", "skipped: it needs Children=1"]


def test_words_never_begin_a_formula() -> None:
    held = interview("intake", "2026-03-03", OtherIllegalDrugsSpec="=cmd()")
    [row] = csv.DictReader(io.StringIO(spars(tool(), [held])))
    assert row["OtherIllegalDrugsSpec"] == "'=cmd()"


def name(element: ElementTree.Element) -> str:
    return element.tag.removeprefix(f"{{{SAIS}}}")


def test_the_batch_has_a_record_an_interview_with_the_sections_of_its_kind() -> None:
    skipped = replace(interview("six-month", "2026-11-03", conducted=False), sequence=2)
    held = [*(interview(*each) for each in INTERVIEWS), skipped]
    document = ElementTree.fromstring(sais(tool(), held))
    control, *records = list(document)
    assert {name(each): each.text for each in control} == {
        "SCHEMA_VERSION": "1.0", "RECORD_COUNT": "4", "PROCESS_STATUS": "0",
    }  # fmt: skip
    head = ["RecordType", "RecordSeqNo", "GranteeSourceID", "RecordMgmt"]
    asked = [
        "DrugandAlcohol", "FamilyandLiving", "EducationEmploymentIncome", "CrimeandCriminalJusticeStatus",
        "MentalandPhysicalHealth", "SocialConnectedness",
    ]  # fmt: skip
    assert [[name(each) for each in record] for record in records] == [
        [*head, "SectionA", *asked],
        [*head, *asked, "FollowUpStatus"],
        [*head, *asked, "DischargeStatus", "ServicesReceived"],
        [*head, "FollowUpStatus"],
    ]


def test_the_batch_is_read_back_as_it_was_answered() -> None:
    for held in (interview(*each) for each in INTERVIEWS):
        [record] = ElementTree.fromstring(sais(tool(), [held])).findall(f"{{{SAIS}}}Record")
        told = {"/".join(path): text for path, text in walked(record, ())}
        for question in tool().questions:
            given = held.all.get(question.link)
            plain = question.xml and "*" not in question.xml and " " not in question.xml
            if given is not None and plain:
                assert told[question.xml] == given, question.link


def walked(element: ElementTree.Element, path: tuple[str, ...]):  # type: ignore[no-untyped-def]
    for each in element:
        yield from walked(each, (*path, name(each)))
        if not len(each):
            yield (*path, name(each)), each.text or ""


def test_the_batch_says_the_month_of_birth_and_relatives_where_its_schema_has_them() -> None:
    [record] = ElementTree.fromstring(sais(tool(), [interview()])).findall(f"{{{SAIS}}}Record")
    told = {"/".join(path): text for path, text in walked(record, ())}
    assert told["SectionA/BirthDate"] == "199107"
    assert told["SectionA/Veteran"] == "-99"
    assert told["SectionA/SerMemRelationshipList/SerMemRelationship1/TypeCode"] == "1"
    assert list(told)[3:8] == [
        f"RecordMgmt/{each}"
        for each in ("ClientID", "GrantID", "InterviewTypeCode", "ClientType", "InterviewDate")
    ]


def test_an_interview_not_conducted_has_the_date_that_the_batch_wants() -> None:
    text = sais(tool(), [interview("six-month", "2026-11-03", conducted=False)])
    assert f"<InterviewDate>{NEVER}</InterviewDate>" in text
    assert "<FollowUpStatusCode>31</FollowUpStatusCode>" in text
    assert "<ConductedInterview>0</ConductedInterview>" in text
