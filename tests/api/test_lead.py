"""Victoria leads, Marcus takes over, Ana stands in: by records, by Patient/$primary-case-manager, by a partner's Task."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from harbor import Town, opened

from service.casework.records import example, write
from service.fhir.json import decode_object, encode
from service.flows.lead.turn import turn_covers

PRIMARY = "https://casebridge.example/fhir/StructureDefinition/primary-case-manager"


@pytest.fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with opened(database_url, tmp_path) as found:
        yield found


async def test_the_first_record_assigns_and_the_lead_began_with_the_episode(town: Town) -> None:
    who = await town.who()
    assert who["caseManager"] == (town.workers or {})["victoria"]
    assert who["since"]["valueInstant"] == "2026-03-02T00:00:00.000Z"
    assert who["workers"]["valueInteger"] == 1
    [event] = await town.events()
    assert (event["kind"], event["client"], event["lead"]["caseManager"]) == (
        "lead-assigned",
        "leslie",
        "victoria",
    )


async def test_the_same_record_again_changes_nothing(town: Town) -> None:
    before = await town.one("EpisodeOfCare")
    await town.client("victoria", intensity="intensive")
    assert await town.one("EpisodeOfCare") == before
    assert await town.kinds() == ["lead-assigned"]


async def test_within_the_agency_a_new_record_moves_the_lead_at_once(town: Town) -> None:
    await town.at(town.now + timedelta(days=30))
    filed = await town.client("ana", intensity="intensive")
    assert not [each for each in filed["notes"] if each["severity"] != "information"]
    episode, team = await town.one("EpisodeOfCare"), await town.one("CareTeam")
    assert episode["careManager"]["reference"] == (town.workers or {})["ana"]
    periods = [
        (each["member"]["identifier"]["value"].split("/")[1], each["period"]) for each in team["participant"]
    ]
    assert periods == [
        ("ana", {"start": "2026-04-08T15:00:00.000Z"}),
        ("victoria", {"start": "2026-03-02T00:00:00.000Z", "end": "2026-04-08T15:00:00.000Z"}),
    ]
    assert [bool(each.get("extension")) for each in team["participant"]] == [True, False]
    assert episode["team"] == [{"reference": f"CareTeam/{team['id']}"}]
    assert await town.kinds() == ["lead-assigned", "lead-transferred"]


async def test_between_agencies_both_confirm_and_one_leads_all_the_while(town: Town) -> None:
    filed = await town.client("marcus", intensity="intensive")
    assert any("goes on leading" in each["text"] for each in filed["notes"])
    who = await town.who()
    assert who["caseManager"] == (town.workers or {})["victoria"]
    task = who["transfer"]
    seen = decode_object((await town.northside.get(f"/fhir/{task}")).content)
    assert (seen["status"], seen["description"][:8]) == ("requested", "Who lead")
    assert (await town.riverbend.get(f"/fhir/{task}")).status_code == 404
    await town.answer(town.harbor, task, "completed", 422)
    await town.at(town.now + timedelta(days=1))
    await town.answer(town.northside, task, "accepted")
    assert (await town.who())["caseManager"] == (town.workers or {})["victoria"]
    await town.at(town.now + timedelta(days=1))
    assert (await town.answer(town.harbor, task, "completed"))["status"] == "completed"
    who = await town.who(town.northside)
    assert (who["caseManager"], who["workers"]["valueInteger"]) == ((town.workers or {})["marcus"], 2)
    assert (await town.one("EpisodeOfCare"))["careManager"]["reference"] == (town.workers or {})["marcus"]
    assert await town.kinds() == [
        "lead-assigned", "lead-transfer-requested", "lead-transfer-accepted", "lead-transferred",
    ]  # fmt: skip
    await town.client("marcus", intensity="intensive")
    await town.answer(town.northside, task, "rejected", 422)


async def test_an_old_record_filed_again_does_not_take_the_lead_back(town: Town) -> None:
    await town.say(town.harbor, caseManager="ana", instead="victoria")
    filed = await town.client("victoria", intensity="intensive")
    assert "ana leads this case" in filed["notes"][-1]["text"]
    assert (await town.one("EpisodeOfCare"))["careManager"]["reference"] == (town.workers or {})["ana"]


async def test_a_record_changed_on_an_old_basis_is_a_conflict(town: Town) -> None:
    """The system believes that Victoria leads and names Marcus; meanwhile Ana leads."""
    await town.say(town.harbor, caseManager="ana", instead="victoria")
    filed = await town.client("marcus", intensity="intensive")
    assert "Task/" in filed["notes"][-1]["text"]
    assert (await town.who())["caseManager"] == (town.workers or {})["ana"]
    event = (await town.events())[-1]
    assert (event["kind"], event["claimed"]["caseManager"]) == ("lead-conflict", "marcus")
    ours = decode_object((await town.harbor.get(f"/fhir/{event['task']}")).content)
    assert ours["owner"]["reference"].startswith("PractitionerRole/"), "Samuel supervises"
    found = await town.northside.get("/fhir/Task", params={"status": "requested"})
    [theirs] = [each["resource"] for each in decode_object(found.content).get("entry", [])]
    assert (theirs["code"]["coding"][0]["code"], theirs["id"] != ours["id"]) == (
        "resolve-lead-conflict",
        True,
    )
    assert decode_object((await town.riverbend.get("/fhir/Task")).content).get("entry", []) == []


async def test_two_assignments_that_race_make_one_lead_and_a_task(town: Town) -> None:
    await town.client(None, status="finished", end="2026-03-08")
    await town.client(None, status="waitlist")
    both = [town.say(town.harbor, caseManager=name) for name in ("victoria", "ana")]
    happened = sorted(each["happened"]["valueCode"] for each in await asyncio.gather(*both))
    assert happened == ["lead-assigned", "lead-conflict"]


async def test_without_consent_nothing_is_asked_and_nothing_is_known(town: Town) -> None:
    revoked = {**write(example("consents")), "id": "one", "client": "leslie", "status": "inactive"}
    await town.file("consents/one", revoked | {
        "revoked": {"at": "2026-03-08T09:00:00-05:00", "by": "client"}})  # fmt: skip
    refused = await town.client("marcus", 422, intensity="intensive")
    assert "consents do not let Northside know" in refused["detail"]
    for client in (town.northside, town.riverbend):
        await town.who(client, 404)
    assert await town.kinds() == ["lead-assigned"]


async def test_a_partner_asks_for_the_lead_and_harbor_agrees(town: Town) -> None:
    await town.client("marcus", intensity="intensive")
    task = (await town.who())["transfer"]
    await town.answer(town.northside, task, "rejected")
    assert (await town.kinds())[-1] == "lead-transfer-rejected"
    said = await town.say(town.northside, caseManager="marcus", reason="She lives with us.")
    assert said["happened"]["valueCode"] == "lead-transfer-requested"
    task = (await town.who())["transfer"]
    await town.answer(town.northside, task, "completed", 422)
    await town.answer(town.harbor, task, "completed")
    assert (await town.who())["caseManager"] == (town.workers or {})["marcus"]
    await town.say(town.riverbend, 404, caseManager="marcus")


async def test_closing_calls_off_what_was_asked_and_the_history_says_when(town: Town) -> None:
    await town.client("marcus", intensity="intensive")
    task = (await town.who())["transfer"]
    await town.at(town.now + timedelta(days=300))
    await town.client("victoria", status="finished", end="2027-01-03")
    assert decode_object((await town.harbor.get(f"/fhir/{task}")).content)["status"] == "cancelled"
    episode = await town.one("EpisodeOfCare")
    past = [(each["status"], each["period"]["start"]) for each in episode["statusHistory"]]
    assert (episode["status"], past) == ("finished", [("active", "2026-03-02")])
    assert "closed" in await town.who()
    await town.answer(town.northside, task, "accepted", 422)


async def test_who_stands_in_is_seen_and_the_lead_returns_by_itself(town: Town) -> None:
    await town.say(
        town.harbor, caseManager="ana", **{"as": "cover", "start": "2026-09-01", "end": "2026-10-01"}
    )
    covering = (await town.one("CareTeam"))["participant"][1]
    assert covering["extension"][0]["valueReference"]["reference"] == (town.workers or {})["victoria"]
    assert await turn_covers(town.service.wiring.context) == 0
    await town.at(datetime(2026, 9, 2, tzinfo=UTC))
    assert await turn_covers(town.service.wiring.context) == 1
    who = await town.who()
    assert who["caseManager"] == (town.workers or {})["victoria"]
    assert who["cover"]["part"][0]["valueReference"]["reference"] == (town.workers or {})["ana"]
    await town.at(datetime(2026, 10, 1, tzinfo=UTC))
    assert (
        await turn_covers(town.service.wiring.context),
        await turn_covers(town.service.wiring.context),
    ) == (1, 0)
    assert "cover" not in await town.who()
    assert (await town.kinds())[1:] == ["cover-began", "cover-ended"]


async def test_a_record_says_who_stands_in_and_reads_back_who_does(town: Town) -> None:
    leave = {"caseManager": "ana", "start": "2026-09-01", "end": "2026-10-01"}
    read = {"caseManager": "ana", "start": "2026-09-01T00:00:00.000Z", "end": "2026-10-01T00:00:00.000Z"}

    async def covers() -> Any:
        record = decode_object((await town.harbor.get("/casework/v1/clients/leslie")).content)
        return record["episode"].get("covers")

    await town.client("victoria", intensity="intensive", covers=[leave])
    assert await covers() == [read]
    assert (await town.one("CareTeam"))["participant"][1]["period"] == {k: read[k] for k in ("start", "end")}
    await town.client("victoria", intensity="intensive", covers=[read])
    assert await covers() == [read], "what was read back and filed again asks for nothing"
    refused = await town.client("victoria", 422, intensity="intensive", covers=[read, {
        "caseManager": "ana", "start": "2026-09-20", "end": "2026-11-01"}])  # fmt: skip
    assert "somebody stands in at that time already" in refused["detail"]
    await town.client("victoria", intensity="intensive")
    assert await covers() is None, "a cover that the record takes back does not take place"
    await town.say(
        town.harbor, caseManager="ana", **{"as": "cover", "start": "2026-09-01", "end": "2026-10-01"}
    )
    assert await covers() == [read], "however it was said"


async def test_a_worker_whose_check_failed_may_not_lead_a_minor(town: Town) -> None:
    await town.file("case-managers/ana", {
        "name": {"family": "Ana"}, "backgroundCheck": {"status": "not-cleared"}, "supervisor": "samuel"})  # fmt: skip
    minor = {"name": {"family": "Bell"}, "birthDate": "2012-01-01", "episode": {"primaryCaseManager": "ana"}}
    refused = await town.file("clients/kim", minor, 422)
    assert refused["errors"][-1]["pointer"] == "/episode/primaryCaseManager"
    minor["episode"]["primaryCaseManager"] = "victoria"  # type: ignore[index]
    filed = await town.file("clients/kim", minor)
    assert [each["text"] for each in filed["notes"] if each["severity"] == "warning"] == [
        "no background check for people like this client is on record for this case manager"
    ]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ([], 400),
        ([{"name": "caseManager", "valueReference": {"reference": "Patient/1"}}], 400),
        ([{"name": "caseManager", "valueReference": {"reference": "PractitionerRole/nobody"}}], 422),
        (
            [{"name": "caseManager", "valueString": "Practitioner/1"}, {"name": "as", "valueCode": "boss"}],
            400,
        ),
        ([{"name": "casemanager", "valueString": "Practitioner/1"}], 400),
    ],
)
async def test_what_cannot_be_understood_is_refused(town: Town, said: list[Any], status: int) -> None:
    body = encode({"resourceType": "Parameters", "parameter": said})
    found = await town.harbor.post(f"/fhir/{town.patient}/$primary-case-manager", content=body)
    assert found.status_code == status, found.text
