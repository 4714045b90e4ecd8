"""Patient/$coordination-summary: how Leslie's case stands, in one document; no more of it than its reader may see."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from harbor import Town, opened
from visitors import visitor

from service.casework.records import example, write
from service.consent.terms import NOTICE
from service.fhir.json import decode_object, encode
from service.fhir.validate import Validator, load
from service.fhir.xml import from_xml
from service.flows.due.recount import recount

GOAL_CATEGORY = "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"


@pytest.fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with opened(database_url, tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def validator() -> Validator:
    return load()


async def filed(town: Town) -> None:
    """Leslie's case: a plan with a referral, a visit, her own words; Northside's plan for the same need."""
    await town.say(
        town.harbor, caseManager="ana", **{"as": "cover", "start": "2026-09-01", "end": "2026-10-01"}
    )
    told: dict[str, Any] = {kind: write(example(kind)) for kind in ("care-plans", "encounters", "referrals")}
    changes = {"client": "leslie", "author": "victoria", "supports": [], "signatures": []}
    plan = {key: value for key, value in {**told["care-plans"], **changes}.items() if value}
    plan["services"][0]["referral"] = "room"
    await town.file("care-plans/plan", plan | {"id": "plan"})
    visit = {**told["encounters"], "id": "visit", "client": "leslie", "workers": ["victoria"]}
    await town.file(
        "encounters/visit", {k: v for k, v in visit.items() if k not in ("supports", "referrals")}
    )
    await town.file("referrals/room", {
        "client": "leslie", "recipient": "northside", "requester": "victoria", "service": "transitional-housing",
        "requested": "2026-03-09T10:00:00-05:00", "reason": "The lease ends.", "carePlan": "plan"})  # fmt: skip
    await town.file("assessments/own-words", {
        "client": "leslie", "instrument": "client-self-report", "status": "completed", "answeredBy": "client",
        "taken": "2026-03-09T12:00:00-05:00",
        "answers": [{"question": "self.well", "words": "The children sleep through."}]})  # fmt: skip
    interview = {"client": "leslie", "tool": "csat-gpra", "grant": "TI081234", "gpraClient": "HR0001",
                 "version": "2019.1", "type": "intake", "conducted": True,
                 "date": "2026-03-04", "status": "in-progress", "answers": []}  # fmt: skip
    await town.file("gpra-interviews/intake", interview)
    while await recount(town.service.wiring.context):
        pass
    marcus = {"reference": (town.workers or {})["marcus"]}
    goal = await made(town.northside, {
        "resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "Learns to keep a household"},
        "subject": {"reference": town.patient},
        "category": [{"coding": [{"system": GOAL_CATEGORY, "code": "housing-instability"}]}]})  # fmt: skip
    detail = {
        "status": "in-progress",
        "description": "Budgeting course",
        "goal": [{"reference": f"Goal/{goal}"}],
    }
    await made(town.northside, {
        "resourceType": "CarePlan", "status": "active", "intent": "plan", "title": "Moving in",
        "subject": {"reference": town.patient}, "author": marcus, "goal": [{"reference": f"Goal/{goal}"}],
        "activity": [{"detail": detail}]})  # fmt: skip


async def made(by: httpx.AsyncClient, resource: dict[str, Any]) -> str:
    answer = await by.post(f"/fhir/{resource['resourceType']}", content=encode(resource))
    assert answer.status_code == 201, answer.text
    return str(decode_object(answer.content)["id"])


async def summary(town: Town, by: httpx.AsyncClient, status: int = 200) -> dict[str, Any]:
    answer = await by.get(f"/fhir/{town.patient}/$coordination-summary")
    assert answer.status_code == status, answer.text
    return decode_object(answer.content)


def sections(bundle: dict[str, Any]) -> dict[str, dict[str, Any]]:
    def walk(found: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
        for each in found:
            yield each["title"], each
            yield from walk(each.get("section", []))

    return dict(walk(bundle["entry"][0]["resource"].get("section", [])))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            if key == "reference" and isinstance(member, str):
                yield member
            else:
                yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


async def test_it_is_a_document_and_every_reference_leads_to_an_entry(
    town: Town, validator: Validator
) -> None:
    await filed(town)
    bundle = await summary(town, town.harbor)
    assert (bundle["type"], bundle["entry"][0]["resource"]["resourceType"]) == ("document", "Composition")
    urls = {each["fullUrl"].removeprefix(f"{town.service.wiring.context.base}/") for each in bundle["entry"]}
    assert set(references(bundle)) <= urls
    assert len(urls) == len(bundle["entry"])
    assert [f"{i.rule} {i.expression}" for i in validator.validate(bundle) if i.fails] == []


async def test_it_says_who_leads_what_is_planned_asked_due_and_done(town: Town) -> None:
    await filed(town)
    told = sections(await summary(town, town.harbor))
    texts = {title: each.get("text", {}).get("div", "") for title, each in told.items()}
    assert "Victoria" in texts["Team"]
    assert "stands in for Victoria" in texts["Team"]
    assert "Transitional housing" in texts["Open referrals"]
    assert "Call Victoria" in texts["What to heed"]
    assert "<td>4 Mar 2026</td><td>Service planning</td>" in texts["Last contacts"]
    assert "Begin to plan the closing at intake" in texts["What is due"]
    assert "<td>intake</td><td>begun</td>" in texts["GPRA"]
    assert (
        "<td>What is going well?</td><td>The children sleep through.</td>"
        in texts["In the client's own words, 9 Mar 2026"]
    )
    assert "Sober when the kids are home" in texts["Goals and progress"]
    assert {each["code"]["coding"][0]["system"] for each in told.values()} == {"http://loinc.org"}


async def test_two_agencies_plans_are_one_by_need_with_who_does_what(town: Town) -> None:
    await filed(town)
    told = sections(await summary(town, town.harbor))
    need = told["Housing instability"]["text"]["div"]
    assert "A door of our own that locks" in need
    assert "Learns to keep a household" in need
    assert "<td>Northside</td><td>Budgeting course (in progress)</td>" in need
    assert {"Moving in", "A home and a steady week"} <= {
        title for title in ("Moving in", "A home and a steady week") if title in told["Plan: who does what"]["text"]["div"]
    }  # fmt: skip


async def test_a_partner_gets_what_it_may_see_with_the_notice_and_no_hint_of_the_rest(
    town: Town, validator: Validator
) -> None:
    await filed(town)
    ours, theirs = await summary(town, town.harbor), await summary(town, town.northside)
    words = encode(theirs).decode()
    assert NOTICE[:60] in words
    assert "Transitional housing" in words, "it was asked for it"
    assert "Call Victoria" not in words, "the plan was never made known to it"
    assert "kids are home" not in words
    assert "Last contacts" not in sections(theirs)
    assert "What is due" not in sections(theirs)
    confidentiality = theirs["entry"][0]["resource"]["confidentiality"]
    assert (confidentiality, theirs["meta"]["security"][0]["code"]) == ("R", "R")
    assert [f"{i.rule} {i.expression}" for i in validator.validate(theirs) if i.fails] == []
    everything = {each["fullUrl"] for each in ours["entry"]}
    hidden = everything - {each["fullUrl"] for each in theirs["entry"]}
    assert not [url for url in hidden if url.rpartition("/")[2] in words]
    urls = {each["fullUrl"].removeprefix(f"{town.service.wiring.context.base}/") for each in theirs["entry"]}
    assert set(references(theirs)) <= urls


async def test_the_console_shows_the_plan_and_a_sheet_to_print(town: Town) -> None:
    await filed(town)
    id_ = town.patient.partition("/")[2]
    async with visitor(town.service, "case-manager") as victoria:
        client = await victoria.page(f"/console/clients/{id_}")
        sheet = await victoria.page(f"/console/clients/{id_}/summary")
    assert "Plan: who does what" in client
    assert f"/console/clients/{id_}/summary" in client
    for words in (
        "Victoria, Harbor",
        "Budgeting course (in progress)",
        "Begin to plan the closing",
        NOTICE[:40],
    ):
        assert words in sheet


async def test_who_may_not_know_the_client_finds_nothing(town: Town) -> None:
    await filed(town)
    nobody = await town.riverbend.get("/fhir/Patient/nobody/$coordination-summary")
    leslie = await town.riverbend.get(f"/fhir/{town.patient}/$coordination-summary")
    assert (nobody.status_code, leslie.status_code) == (404, 404)
    assert leslie.text.replace(town.patient, "Patient/nobody") == nobody.text


async def test_revoked_it_is_gone_at_once(town: Town) -> None:
    await filed(town)
    await summary(town, town.northside)
    revoked = {**write(example("consents")), "id": "one", "client": "leslie", "status": "inactive"}
    await town.at(town.now + timedelta(minutes=1))
    await town.file("consents/one", revoked | {
        "revoked": {"at": "2026-03-08T09:00:00-05:00", "by": "client"}})  # fmt: skip
    await summary(town, town.northside, 404)


async def test_it_is_posted_for_too_comes_in_xml_and_leaves_an_audit_row(town: Town) -> None:
    await filed(town)
    posted = await town.harbor.post(f"/fhir/{town.patient}/$coordination-summary")
    assert decode_object(posted.content)["type"] == "document"
    xml = await town.harbor.get(
        f"/fhir/{town.patient}/$coordination-summary", headers={"Accept": "application/fhir+xml"}
    )
    assert from_xml(xml.content)["entry"][0]["resource"]["resourceType"] == "Composition"
    found = await town.northside.get(f"/fhir/{town.patient}/$coordination-summary")
    assert found.status_code == 200
    accounting = await town.harbor.get(f"/fhir/{town.patient}/$disclosures")
    assert "coordination-summary" in accounting.text
