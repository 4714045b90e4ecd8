"""What a partner is shown of our records: only with consent, labelled, and only its own part is its to change."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from parts import Service

from service.casework.records import kinds
from service.fhir.json import decode_object, encode

JSON = {"Content-Type": "application/json"}


class Scene:
    """Harbor has referred Leslie to Northside, which comes to us to look (no FHIR server of its own)."""

    def __init__(self, harbor: httpx.AsyncClient, northside: httpx.AsyncClient, task: str) -> None:
        self.harbor, self.northside, self.task = harbor, northside, task

    async def read(self) -> dict[str, Any]:
        answer = await self.northside.get(f"/fhir/{self.task}")
        assert answer.status_code == 200, answer.text
        return decode_object(answer.content)

    async def put(self, task: dict[str, Any]) -> httpx.Response:
        return await self.northside.put(f"/fhir/{self.task}", content=encode(task))


def record(kind: str, **changes: Any) -> dict[str, Any]:
    return {**kinds[kind].example, **changes}


async def file(client: httpx.AsyncClient, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.put(f"/casework/v1/{kind}/{body['id']}", content=encode(body), headers=JSON)
    assert answer.status_code in (200, 201), answer.text
    return decode_object(answer.content)


@pytest.fixture
async def scene(service: Service) -> AsyncIterator[Scene]:
    await service.partner("Harbor Recovery Services", "casework")
    await service.partner("Northside Housing Partnership", "referral-recipient")
    async with (
        await service.client("Harbor Recovery Services") as harbor,
        await service.client("Northside Housing Partnership") as northside,
    ):
        await file(harbor, "agencies", {"id": "harbor", "name": "Harbor Recovery Services"})
        await file(harbor, "agencies", record("agencies"))
        await file(harbor, "clients", record("clients"))
        await file(harbor, "consents", record("consents", expires="2099-12-31"))
        filed = await file(harbor, "referrals", record("referrals"))
        task = next(each for each in filed["resources"] if each.startswith("Task/"))
        yield Scene(harbor, northside, task)


async def test_what_is_shown_carries_the_part_2_labels_and_the_notice(scene: Scene) -> None:
    security = (await scene.read())["meta"]["security"]
    codes = [label["code"] for label in security]
    assert {"R", "42CFRPart2", "NORDSCLCD", "PERSISTLABEL"} <= set(codes)
    assert len([label for label in security if label["system"].endswith("v3-Confidentiality")]) == 1
    assert "42 CFR part 2" in encode(security).decode()


async def test_the_performer_reads_moves_and_reads_again(scene: Scene) -> None:
    answer = await scene.put({**await scene.read(), "status": "accepted"})
    assert answer.status_code == 200, answer.text
    assert (await scene.read())["status"] == "accepted"
    events = decode_object((await scene.harbor.get("/casework/v1/events")).content)["events"]
    assert [event["kind"] for event in events] == ["lead-assigned", "referral-accepted"]
    assert events[0]["client"] == "leslie-moreno"


async def test_what_was_shown_and_comes_back_does_not_become_ours(scene: Scene) -> None:
    await scene.put({**await scene.read(), "status": "accepted"})
    ours = decode_object((await scene.harbor.get(f"/fhir/{scene.task}")).content)
    assert "security" not in ours["meta"]
    assert "fulfill" in encode(ours["code"]).decode()


@pytest.mark.parametrize(
    "change", [{"description": "another thing"}, {"intent": "plan"}, {"priority": "stat"}]
)
async def test_the_performer_changes_nothing_of_the_requesters(scene: Scene, change: dict[str, Any]) -> None:
    answer = await scene.put({**await scene.read(), **change})
    assert answer.status_code == 422, answer.text
    assert f"Task.{next(iter(change))}" in answer.text


async def test_an_illegal_move_is_refused_with_the_legal_ones(scene: Scene) -> None:
    answer = await scene.put({**await scene.read(), "status": "on-hold"})
    assert answer.status_code == 422
    assert "accepted" in answer.text


async def test_a_rejection_needs_its_reason(scene: Scene) -> None:
    shown = await scene.read()
    assert (await scene.put({**shown, "status": "rejected"})).status_code == 422
    answer = await scene.put({**shown, "status": "rejected", "statusReason": {"text": "no room before May"}})
    assert answer.status_code == 200, answer.text


async def test_when_consent_ends_the_referral_does_not_exist_any_more(scene: Scene) -> None:
    shown = await scene.read()
    revoked = record(
        "consents", expires="2099-12-31", status="inactive", revoked={"at": "2026-10-01T10:00:00-05:00"}
    )
    await file(scene.harbor, "consents", revoked)
    assert (await scene.northside.get(f"/fhir/{scene.task}")).status_code == 404
    assert (await scene.put({**shown, "status": "accepted"})).status_code == 404
    found = decode_object((await scene.northside.get("/fhir/Task")).content)
    assert found.get("entry", []) == []


async def test_what_no_referral_made_known_stays_unknown(scene: Scene) -> None:
    harbor, northside = scene.harbor, scene.northside
    goal = b'{"resourceType":"Goal","lifecycleStatus":"active","description":{"text":"x"},"subject":{"reference":"Patient/1"}}'
    made = decode_object((await harbor.post("/fhir/Goal", content=goal)).content)
    assert (await northside.get(f"/fhir/Goal/{made['id']}")).status_code == 404
