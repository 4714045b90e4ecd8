"""Who leads cannot be said past the operation: a partner's resource is a claim, ours may not say otherwise than it is."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from harbor import Town, opened

from service.fhir.json import decode_object, encode

ROLE = "https://casebridge.example/fhir/CodeSystem/case-role"


@pytest.fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with opened(database_url, tmp_path) as found:
        yield found


async def put(
    by: httpx.AsyncClient, body: dict[str, Any], expected: int = 0, method: str = "PUT"
) -> dict[str, Any]:
    path = f"/fhir/{body['resourceType']}" + (f"/{body['id']}" if method == "PUT" else "")
    answer = await by.request(
        method, path, content=encode(body), headers={"Content-Type": "application/fhir+json"}
    )
    assert answer.status_code == expected or (not expected and answer.is_success), answer.text
    return decode_object(answer.content)


def episode(town: Town, lead: str, **more: Any) -> dict[str, Any]:
    manager = {"reference": (town.workers or {})[lead]}
    said = {"status": "active", "patient": {"reference": town.patient}, "careManager": manager}
    return {"resourceType": "EpisodeOfCare", **said, **more}


def team(town: Town, lead: str, role: str = "primary-case-manager") -> dict[str, Any]:
    member = {"role": [{"coding": [{"system": ROLE, "code": role}]}],
              "member": {"reference": (town.workers or {})[lead]}}  # fmt: skip
    return {"resourceType": "CareTeam", "status": "active", "subject": {"reference": town.patient},
            "participant": [member]}  # fmt: skip


async def conflicts(by: httpx.AsyncClient) -> list[dict[str, Any]]:
    found = await by.get("/fhir/Task", params={"code": "resolve-lead-conflict"})
    return [each["resource"] for each in decode_object(found.content).get("entry", [])]


@pytest.mark.parametrize("made", [episode, team])
async def test_a_partners_claim_changes_nothing_and_both_supervisors_are_asked_once(
    town: Town,
    made: Any,
) -> None:
    for _ in range(2):
        await put(town.northside, made(town, "marcus"), 201, "POST")
    assert (await town.who())["caseManager"] == (town.workers or {})["victoria"]
    assert (await town.kinds()) == ["lead-assigned", "lead-conflict"]
    assert (await town.events())[-1]["claimed"]["caseManager"] == "marcus"
    assert len(await conflicts(town.harbor)) == 2
    [theirs] = await conflicts(town.northside)
    assert {each["type"]["coding"][0]["code"] for each in theirs["input"]} == {"lead-now", "lead-next"}
    assert await conflicts(town.riverbend) == []


async def test_who_may_not_know_of_the_case_learns_nothing_by_claiming_it(town: Town) -> None:
    mine = {"resourceType": "EpisodeOfCare", "status": "active", "patient": {"reference": town.patient},
            "careManager": {"display": "Dr. Ines Duarte"}}  # fmt: skip
    await put(town.riverbend, mine, 201, "POST")
    assert await conflicts(town.riverbend) == []
    [theirs] = [each for each in await conflicts(town.harbor) if "focus" not in each]
    assert [each["type"]["coding"][0]["code"] for each in theirs["input"]] == ["lead-next"]
    assert (await town.events())[-1]["kind"] == "lead-conflict"


async def test_a_team_member_an_ended_episode_and_an_ordinary_plan_claim_nothing(town: Town) -> None:
    await put(town.northside, team(town, "marcus", "case-manager"), 201, "POST")
    await put(town.northside, episode(town, "marcus", status="finished"), 201, "POST")
    await put(town.northside, episode(town, "victoria"), 201, "POST")
    plan = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": {"reference": town.patient},
            "author": {"reference": (town.workers or {})["marcus"]}}  # fmt: skip
    await put(town.northside, plan, 201, "POST")
    assert await town.kinds() == ["lead-assigned"]


async def test_a_plan_by_somebody_called_the_primary_is_a_claim(town: Town) -> None:
    role = {"resourceType": "PractitionerRole", "practitioner": {"display": "Marcus Bell"},
            "code": [{"coding": [{"system": ROLE, "code": "primary-case-manager"}]}]}  # fmt: skip
    made = await put(town.northside, role, 201, "POST")
    plan = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": {"reference": town.patient},
            "author": {"reference": f"PractitionerRole/{made['id']}"}}  # fmt: skip
    await put(town.northside, plan, 201, "POST")
    assert (await town.kinds())[-1] == "lead-conflict"


async def test_our_own_episode_and_team_never_name_another(town: Town) -> None:
    await town.say(town.harbor, caseManager="ana", instead="victoria")
    held, held_team = await town.one("EpisodeOfCare"), await town.one("CareTeam")
    victoria = {"reference": (town.workers or {})["victoria"]}
    lead, before = held_team["participant"]
    for change in (
        held | {"careManager": victoria},
        held | {"status": "finished"},
        held | {"patient": {"reference": "Patient/somebody-else"}},
        held_team | {"participant": [lead | {"member": before["member"]}, before]},
    ):
        refused = await put(town.harbor, change, 422)
        assert refused["issue"][0]["code"] == "business-rule", refused
    nobody = {key: value for key, value in held.items() if key != "careManager"}
    await put(town.harbor, nobody, 422)
    assert "$primary-case-manager" in (await put(town.harbor, team(town, "marcus"), 422, "POST"))["issue"][0][
        "details"]["text"]  # fmt: skip
    patch = encode([{"op": "replace", "path": "/careManager", "value": victoria}])
    patched = await town.harbor.patch(
        f"/fhir/EpisodeOfCare/{held['id']}", content=patch,
        headers={"Content-Type": "application/json-patch+json"},
    )  # fmt: skip
    assert patched.status_code == 422
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": held | {"careManager": victoria},
         "request": {"method": "PUT", "url": f"EpisodeOfCare/{held['id']}"}}]}  # fmt: skip
    assert (await town.harbor.post("/fhir", content=encode(bundle))).status_code == 422
    assert (await town.harbor.delete(f"/fhir/EpisodeOfCare/{held['id']}")).status_code in (409, 422)
    note = held | {"type": [{"text": "a word that is not about the lead"}]}
    await put(town.harbor, note, 200)
    await town.say(town.harbor, caseManager="marcus")
    held = await town.one_of_ours("EpisodeOfCare")
    refused = await put(town.northside, held | {"careManager": victoria}, 403)
    assert "$primary-case-manager" in refused["issue"][0]["details"]["text"]


async def test_whatever_is_written_at_the_door_one_leads(town: Town) -> None:
    """Claims, writes, assignments and transfers in any order: the episode, the team and the operation agree."""
    dice = random.Random(8)
    for step in range(40):
        name = dice.choice(("victoria", "ana", "marcus"))
        match dice.randrange(6):
            case 0:
                await put(town.northside, dice.choice((episode, team))(town, name), 201, "POST")
            case 1:
                held = await town.one_of_ours("EpisodeOfCare")
                await town.harbor.put(
                    f"/fhir/EpisodeOfCare/{held['id']}",
                    content=encode(held | {"careManager": {"reference": (town.workers or {})[name]}}),
                )
            case 2:
                await town.harbor.post("/fhir/CareTeam", content=encode(team(town, name)))
            case 3:
                await town.harbor.delete(
                    f"/fhir/EpisodeOfCare/{(await town.one_of_ours('EpisodeOfCare'))['id']}"
                )
            case 4:
                leads = (await town.who())["caseManager"]
                instead = next(key for key, value in (town.workers or {}).items() if value == leads)
                if "transfer" not in await town.who():
                    await town.say(town.harbor, caseManager=name, instead=instead)
            case _:
                task = (await town.who()).get("transfer")
                if task:
                    await town.answer(town.northside, task, dice.choice(("completed", "rejected")))
        if step % 10 == 0:
            await town.at(town.now + timedelta(minutes=1))
        lead = (await town.who())["caseManager"]
        held = await town.one_of_ours("EpisodeOfCare")
        assert (held["status"], held["careManager"]["reference"]) == ("active", lead)
        teams = await town.ours("CareTeam")
        named = [
            p
            for each in teams
            for p in each["participant"]
            if p.get("extension", [{}])[0].get("valueBoolean")
        ]
        assert len(named) == min(1, len(teams))
