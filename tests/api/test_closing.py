"""The case ends: providers are told as consent allows, referrals end or go on, nobody asks afterwards who may not."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from harbor import Town, opened

from service.casework.records import example, write
from service.fhir.json import decode_object, encode

CLOSED = {
    "client": "leslie", "status": "closed", "closed": "2026-03-09", "reason": "goals-met", "by": "victoria",
    "summary": "Leslie has her own flat.",
}  # fmt: skip


@pytest.fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with opened(database_url, tmp_path) as found:
        yield found


async def referred(town: Town, *names: str) -> None:
    await town.file("agencies/riverbend", {"name": "Riverbend", "kind": "health-care"})
    for name in names:
        recipient = "riverbend" if name == "doctor" else "northside"
        await town.file(f"referrals/{name}", {
            "client": "leslie", "recipient": recipient, "requester": "victoria", "service": "transitional-housing",
            "requested": "2026-03-09T10:00:00-05:00", "reason": "The lease ends."})  # fmt: skip


async def close(town: Town, **more: Any) -> dict[str, Any]:
    return await town.file("closings/end", {**CLOSED, **more})


async def over(town: Town) -> None:
    """The closing is filed, and the client's record says that the case is finished."""
    await town.client("victoria", status="finished", end="2026-03-09", intensity="intensive")
    await town.at(town.now + timedelta(days=1))


async def notices(town: Town, by: Any = None) -> list[dict[str, Any]]:
    found = await (by or town.harbor).get("/fhir/Communication", params={"patient": town.patient})
    return [each["resource"] for each in decode_object(found.content).get("entry", [])]


async def tasks(town: Town, code: str) -> list[dict[str, Any]]:
    found = await town.harbor.get("/fhir/Task", params={"code": code})
    return [each["resource"] for each in decode_object(found.content).get("entry", [])]


async def told(town: Town) -> list[str]:
    found = decode_object((await town.harbor.get("/casework/v1/events")).content)["events"]
    return [each["kind"] for each in found if each["kind"].startswith("closing")]


async def test_who_may_be_told_is_and_who_may_not_is_not_and_the_primary_decides(town: Town) -> None:
    await referred(town, "room", "doctor")
    filed = await close(town, links=["room", "doctor"])
    stands = {each["recipient"][0]["reference"]: each for each in await notices(town)}
    assert sorted(each["status"] for each in stands.values()) == ["in-progress", "not-done"]
    [theirs] = await notices(town, town.northside)
    assert theirs["payload"][0]["contentString"] == (
        "Case management of this client ends. What we asked of you goes on without us."
    )
    assert await notices(town, town.riverbend) == []
    [task] = await tasks(town, "tell-provider")
    assert (task["priority"], task["owner"]["reference"]) == ("urgent", (town.workers or {})["victoria"])
    assert task["focus"]["reference"].startswith("Communication/")
    assert any("Riverbend is not told" in each["text"] for each in filed["notes"])
    assert await told(town) == ["closing-not-told"]


async def test_the_same_closing_filed_again_tells_and_asks_nothing_again(town: Town) -> None:
    await referred(town, "room", "doctor")
    await close(town, links=["room", "doctor"])
    before = await notices(town)
    await close(town, links=["room", "doctor"])
    assert await notices(town) == before
    assert (len(await tasks(town, "tell-provider")), await told(town)) == (1, ["closing-not-told"])


async def test_what_was_told_is_kept_in_the_words_in_which_it_was_told(town: Town) -> None:
    await referred(town, "room", "bus")
    for _ in range(2):
        await close(town, links=["room"], ends=["bus"])
    [theirs] = await notices(town, town.northside)
    assert "the rest ends with it" in theirs["payload"][0]["contentString"]


async def test_a_provider_told_in_person_settles_the_task(town: Town) -> None:
    await referred(town, "doctor")
    notice = {"id": "r", "agency": "riverbend"}
    await close(town, links=["doctor"], notices=[notice])
    [task] = await tasks(town, "tell-provider")
    assert task["status"] == "requested"
    await close(town, links=["doctor"], notices=[notice | {"told": "2026-03-09T12:00:00-05:00"}])
    [task] = await tasks(town, "tell-provider")
    assert task["status"] == "completed"
    [only] = await notices(town)
    assert only["status"] == "completed"


async def test_referrals_end_or_go_on_as_the_record_says_and_the_rest_is_asked_about(town: Town) -> None:
    await referred(town, "room", "bus", "lift")
    filed = await close(town, links=["room"], ends=["bus"])
    status = {}
    for name in ("room", "bus", "lift"):
        shown = decode_object((await town.harbor.get(f"/casework/v1/referrals/{name}")).content)
        status[name] = shown["status"]
    assert status == {"room": "requested", "bus": "cancelled", "lift": "requested"}
    [asked] = [each for each in filed["notes"] if each["pointer"] == "/ends"]
    assert "lift is still open" in asked["text"]
    [theirs] = await notices(town, town.northside)
    assert "the rest ends with it" in theirs["payload"][0]["contentString"]


async def test_an_unexpected_exit_is_urgent_until_the_client_is_linked(town: Town) -> None:
    await referred(town, "shelter")
    await close(town, unexpected=True, reason="client-left")
    [task] = await tasks(town, "find-other-service")
    assert (task["status"], task["priority"]) == ("requested", "urgent")
    await close(town, unexpected=True, reason="client-left", links=["shelter"])
    [task] = await tasks(town, "find-other-service")
    assert task["status"] == "completed"
    assert "closing-unexpected" in await told(town)


async def test_a_closing_that_is_taken_back_asks_nothing_any_more(town: Town) -> None:
    await close(town, unexpected=True, reason="client-left")
    await town.file("closings/end", {"client": "leslie", "status": "planned", "plannedFor": "2027-03-15"})
    [task] = await tasks(town, "find-other-service")
    assert task["status"] == "cancelled"


async def test_a_closing_that_is_deleted_asks_nothing_any_more(town: Town) -> None:
    await close(town, unexpected=True, reason="client-left")
    assert (await town.harbor.delete("/casework/v1/closings/end")).status_code in (200, 204)
    [task] = await tasks(town, "find-other-service")
    assert task["status"] == "cancelled"


def visit(mode: str = "home", **more: Any) -> dict[str, Any]:
    return {"client": "leslie", "status": "planned", "mode": mode, "direct": True,
            "start": "2026-09-01T10:00:00-05:00", "workers": ["victoria"], **more}  # fmt: skip


@pytest.mark.parametrize(
    ("permission", "planned", "why"),
    [
        (None, visit(), "no permission"),
        (
            {"permitted": "prohibited", "reason": "domestic-violence-risk"},
            visit("text"),
            "not to be contacted",
        ),
        ({"permitted": "prohibited", "reason": "involuntary"}, visit(), "not to be contacted"),
        ({"permitted": "text-only"}, visit("phone"), "text message only"),
        ({"permitted": "text-only"}, visit("text"), ""),
        (
            {"permitted": "through-case-manager", "by": "victoria"},
            visit(workers=["ana"]),
            "case manager only",
        ),
        ({"permitted": "through-case-manager", "by": "victoria"}, visit(), ""),
        ({"permitted": "allowed"}, visit(), ""),
    ],
)
async def test_after_closing_only_what_the_client_permits_is_planned(
    town: Town, permission: dict[str, Any] | None, planned: dict[str, Any], why: str
) -> None:
    await close(town, **({"followUp": permission} if permission else {}))
    await over(town)
    filed = await town.file("encounters/after", planned, 422 if why else 0)
    assert why in str(filed.get("detail", "")), filed
    done = {**planned, "status": "finished"}
    await town.file("encounters/after", done)


async def test_the_same_holds_at_the_fhir_door_and_a_partner_plans_for_itself(town: Town) -> None:
    await close(town, followUp={"permitted": "prohibited", "reason": "client-declined"})
    await over(town)
    client = {"reference": town.patient}
    message = {
        "resourceType": "CommunicationRequest",
        "status": "active",
        "subject": client,
        "recipient": [client],
    }
    refused = await town.harbor.post("/fhir/CommunicationRequest", content=encode(message))
    assert (refused.status_code, "not to be contacted" in refused.text) == (422, True)
    task = {"resourceType": "Task", "status": "requested", "intent": "order", "for": client, "owner": client}
    assert (await town.harbor.post("/fhir/Task", content=encode(task))).status_code == 422
    visit = {"resourceType": "Appointment", "status": "booked", "start": "2026-09-01T10:00:00Z",
             "end": "2026-09-01T11:00:00Z", "participant": [{"actor": client, "status": "accepted"}]}  # fmt: skip
    assert (await town.harbor.post("/fhir/Appointment", content=encode(visit))).status_code == 422
    forbids = await town.harbor.post(
        "/fhir/CommunicationRequest", content=encode(message | {"doNotPerform": True})
    )
    assert forbids.status_code == 201
    theirs = await town.northside.post("/fhir/CommunicationRequest", content=encode(message))
    assert theirs.status_code == 201


async def test_a_case_opened_again_has_a_lead_and_its_client_is_met(town: Town) -> None:
    await close(town, followUp={"permitted": "prohibited", "reason": "client-declined"})
    await over(town)
    await town.file("encounters/again", visit(), 422)
    await town.client("ana", start="2026-03-10", intensity="intensive")
    assert (await town.who())["caseManager"] == (town.workers or {})["ana"]
    await town.file("encounters/again", visit())
    episode = await town.one_of_ours("EpisodeOfCare")
    assert [each["status"] for each in episode["statusHistory"]] == ["active", "finished"]


async def test_revoked_before_the_closing_nobody_is_told(town: Town) -> None:
    await referred(town, "room")
    revoked = {**write(example("consents")), "id": "one", "client": "leslie", "status": "inactive"}
    await town.at(town.now + timedelta(minutes=1))
    await town.file("consents/one", revoked | {
        "revoked": {"at": "2026-03-08T09:00:00-05:00", "by": "client"}})  # fmt: skip
    await close(town, links=["room"])
    assert [each["status"] for each in await notices(town)] == ["not-done"]
    assert await notices(town, town.northside) == []
