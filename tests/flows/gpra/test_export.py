"""The file for the funder: a preflight that says why, a ground for every client, and every disclosure on record."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.commands.demo import people
from service.coordination.gpra.tool import Tool
from service.fhir.json import decode_object
from service.flows import grounds
from service.flows.audit.disclosures import listing
from service.flows.gpra.export import Wanted, export, preflight
from service.flows.grounds import Act
from service.kernel.failures import Refused
from tests.coordination.gpra.complete import TOOL, interview
from tests.flows.gpra.scene import GRANT, HARBOR, STATE, Scene, scene

WANTED = Wanted(GRANT, "csat-gpra", STATE)
INTERVIEWS = (("intake", "2026-03-03"), ("six-month", "2026-10-20"), ("discharge", "2027-03-09"))
FOREVER = {"asked by some grants, or of further persons, only"}


def tool() -> Tool:
    assert TOOL is not None
    return TOOL


@pytest.fixture
async def stage(database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(database_url, tmp_path) as made:
        await made.person()
        await made.person("sam-lee")
        await made.held("g1", "intake", "2026-03-03")
        await made.held(
            "g9",
            "intake",
            "2026-03-01",
            DAUseBothDays="",
            more={"client": "sam-lee", "gpraClient": "HRS-000413"},
        )
        made.now = datetime(2026, 10, 21, tzinfo=UTC)
        await made.held("g2", "six-month", "2026-10-20")
        yield made


async def agreed(stage: Scene) -> str:
    until = stage.now + timedelta(days=365)
    act = Act(
        "audit-evaluation",
        STATE,
        types=("QuestionnaireResponse",),
        document="Grant agreement, § 9",
        until=until,
    )
    return str((await grounds.record(stage.context, act))["id"])


async def test_without_a_ground_nothing_leaves_and_the_preflight_says_so(stage: Scene) -> None:
    document, report = await export(stage.context, WANTED)
    assert (report.ready, report.held_back) == (0, 3)
    assert {each.place for each in report.reasons} >= {"consent"}
    assert document == b""
    assert await listing(stage.context, None) == []


async def test_under_an_agreement_for_audit_and_evaluation_what_is_ready_leaves_and_is_accounted_for(
    stage: Scene,
) -> None:
    ground = await agreed(stage)
    document, report = await export(stage.context, WANTED)
    rows = list(csv.DictReader(io.StringIO(document.decode())))
    assert [(row["ClientID"], row["InterviewTypeCode"]) for row in rows] == [
        ("HRS-000412", "1"),
        ("HRS-000412", "2"),
    ]
    assert [(each.client, each.place, each.reason) for each in report.reasons] == [
        ("HRS-000413", "DAUseBothDays", "DAUseBothDays has no answer."),
    ]
    [line] = await listing(stage.context, "leslie-moreno")
    assert (line.recipient, line.basis, line.purpose) == (STATE, "audit-evaluation", "HPRGRP")
    assert line.consents == (f"urn:uuid:{ground}",)
    assert line.description == "QuestionnaireResponse 2 (sent)"
    assert report.notice == "", "the statement of 42 CFR 2.32 goes with what goes by consent"
    assert await listing(stage.context, "sam-lee") == []


async def test_all_318_columns_of_a_complete_client_are_filled_or_explained_in_order_and_read_back(
    stage: Scene,
) -> None:
    await agreed(stage)
    stage.now = datetime(2027, 3, 10, tzinfo=UTC)
    assert (await stage.held("g3", "discharge", "2027-03-09")).is_success
    document, report = await export(stage.context, WANTED)
    header, *rows = csv.reader(io.StringIO(document.decode()))
    assert tuple(header) == tool().columns and len(header) == 318
    unfilled = {
        (each.type, each.place): each.reason for each in report.unfilled if each.client == "HRS-000412"
    }
    for row, (type_, day) in zip(rows, INTERVIEWS, strict=True):
        held = interview(type_, day)
        for column, shown in zip(header, row, strict=True):
            question = tool().of_column(column, held.moment)
            given = held.all.get(question.link) if question else None
            if given is None:
                assert (shown, bool(unfilled[type_, column])) == ("-1", True), (type_, column)
            elif question and question.type == "date":
                assert datetime.strptime(shown, "%m/%d/%Y").date().isoformat() == given, (type_, column)
            else:
                assert (shown, unfilled.get((type_, column))) == (given, None), (type_, column)
    for column in header:
        if all((type_, column) in unfilled for type_, _ in INTERVIEWS):
            whys = {unfilled[type_, column] for type_, _ in INTERVIEWS}
            assert whys & FOREVER or any(why.startswith("skipped") for why in whys), (column, whys)


async def test_on_the_clients_own_consent_the_statement_goes_with_the_file(stage: Scene) -> None:
    for id_, name in (("harbor", HARBOR), ("state", STATE)):
        assert (await stage.put(f"agencies/{id_}", {"name": name, "kind": "government"})).is_success
    consent = people.consent(lambda: stage.now)
    [permission] = consent["permissions"]
    permission = {name: value for name, value in permission.items() if name != "exceptInformation"}
    permission |= {"recipients": [{"agency": "state"}], "information": ["everything"]}
    permission |= {"purposes": ["health-program-reporting"]}
    filed = await stage.put(f"consents/{consent['id']}", {**consent, "permissions": [permission]})
    assert filed.is_success, filed.text
    _, report = await export(stage.context, WANTED)
    assert report.ready == 2, report.reasons
    assert "42 CFR" in report.notice


async def test_the_ground_ends_and_so_does_the_file(stage: Scene) -> None:
    ground = await agreed(stage)
    await grounds.end(stage.context, ground)
    assert (await preflight(stage.context, WANTED)).ready == 0


async def test_unanswered_questions_go_as_missing_when_the_operator_says_so(stage: Scene) -> None:
    await agreed(stage)
    document, report = await export(stage.context, Wanted(GRANT, "csat-gpra", STATE, missing=True))
    assert report.held_back == 0
    rows = {row["ClientID"]: row for row in csv.DictReader(io.StringIO(document.decode()))}
    assert rows["HRS-000413"]["DAUseBothDays"] == "-9"


async def test_a_preflight_discloses_nothing(stage: Scene) -> None:
    await agreed(stage)
    assert (await preflight(stage.context, WANTED)).ready == 2
    assert await listing(stage.context, None) == []


async def test_lines_of_responses_name_the_client_by_the_gpra_id_and_nobody_else(stage: Scene) -> None:
    await agreed(stage)
    document, _ = await export(stage.context, Wanted(GRANT, "csat-gpra", STATE, "ndjson"))
    first, second = map(decode_object, document.splitlines())
    assert first["subject"]["identifier"]["value"] == f"{GRANT}|HRS-000412"
    assert [each["identifier"]["value"].split("|")[2] for each in (first, second)] == ["1", "2"]
    for word in (b"leslie", b"moreno", b"victoria", b"Patient/", b"Practitioner"):
        assert word not in document.lower() if word.islower() else word not in document


async def test_the_batch_goes_the_same_way(stage: Scene) -> None:
    await agreed(stage)
    document, report = await export(stage.context, Wanted(GRANT, "csat-gpra", STATE, "sais"))
    assert report.ready == 2
    assert document.count(b"<Record>") == 2


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (Wanted(GRANT, "csat-gpra", HARBOR), "is no funder here"),
        (Wanted(GRANT, "csat-gpra", "Nobody"), "no enabled partner"),
        (Wanted("TI-000000", "csat-gpra", STATE), "no interviews are on record"),
        (Wanted(GRANT, "suprt-a", STATE), "no interviews with 'suprt-a'"),
        (Wanted(GRANT, "csat-gpra", STATE, "xlsx"), "the format is one of"),
    ],
)
async def test_what_cannot_be_is_refused_saying_why(stage: Scene, wanted: Wanted, why: str) -> None:
    with pytest.raises(Refused) as refused:
        await preflight(stage.context, wanted)
    assert why in refused.value.text


async def test_an_edit_that_came_to_be_broken_keeps_an_interview_back(stage: Scene) -> None:
    await agreed(stage)
    await stage.send("DELETE", "gpra-interviews/g1")
    report = await preflight(stage.context, WANTED)
    assert ("IntakeSeqNum", "There is an intake interview with this sequence number.") in [
        (each.place, each.reason) for each in report.reasons
    ]
