"""Who works no longer leaves nobody alone: somebody is asked to name another lead, or to find another service."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from harbor import Town, opened

from service.fhir.json import decode_object
from service.flows import onboard_partner
from service.flows.due.recount import recount


@pytest.fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with opened(database_url, tmp_path) as found:
        yield found


async def counted(town: Town, **later: float) -> None:
    """A minute later, or so much, the worker has looked."""
    town.now += timedelta(**later) if later else timedelta(minutes=1)
    token = await onboard_partner.mint_token(town.service.wiring.context, "Harbor")
    town.harbor.headers["Authorization"] = f"Bearer {token}"
    while await recount(town.service.wiring.context):
        pass


async def asked(town: Town, code: str) -> list[dict[str, Any]]:
    found = decode_object((await town.harbor.get("/fhir/Task", params={"_count": "200"})).content)
    tasks = [each["resource"] for each in found.get("entry", [])]
    return [task for task in tasks if task.get("code", {}).get("coding", [{}])[0].get("code") == code]


async def told(town: Town, kind: str) -> list[dict[str, Any]]:
    found = decode_object((await town.harbor.get("/casework/v1/events", params={"limit": "1000"})).content)
    return [each for each in found["events"] if each["kind"] == kind]


async def moved_to_marcus(town: Town) -> None:
    await town.client("marcus", intensity="intensive")
    await town.answer(town.northside, (await town.who())["transfer"], "completed")
    await counted(town)


async def test_a_closed_agency_goes_on_being_named_until_harbor_names_another(town: Town) -> None:
    await moved_to_marcus(town)
    await onboard_partner.disable(town.service.wiring.context, "Northside")
    for _ in range(2):
        await counted(town)
        [task] = await asked(town, "assign-primary")
        [event] = await told(town, "lead-left-alone")
        assert (event["task"], event["client"], event["owner"]) == (f"Task/{task['id']}", "leslie", "samuel")
        assert (task["status"], task["priority"]) == ("requested", "urgent")
        assert (await town.who())["caseManager"] == (town.workers or {})["marcus"]
    assert {each["owner"]["reference"] for each in await asked(town, "complete-assessment")} == {
        task["owner"]["reference"]
    }
    said = await town.say(town.harbor, caseManager="ana", instead="marcus")
    assert said["happened"]["valueCode"] == "lead-transferred"
    await counted(town)
    [task] = await asked(town, "assign-primary")
    assert task["status"] == "completed"
    assert {each["owner"]["reference"] for each in await asked(town, "complete-assessment")} == {
        (town.workers or {})["ana"]
    }


async def test_an_agency_that_its_record_says_is_closed_may_not_lead_and_one_that_opens_again_may(
    town: Town,
) -> None:
    await moved_to_marcus(town)
    northside = {"name": "Northside", "kind": "housing"}
    await town.file("agencies/northside", {**northside, "active": False})
    await counted(town)
    await town.say(town.harbor, caseManager="ana", instead="marcus")
    await town.say(town.harbor, 422, caseManager="marcus", instead="ana")
    await counted(town)
    await town.file("agencies/northside", northside)
    await counted(town)
    assert [each["status"] for each in await asked(town, "assign-primary")] == ["completed"]
    assert len(await told(town, "lead-left-alone")) == 1
    await town.say(town.harbor, caseManager="marcus", instead="ana")
    assert "transfer" in await town.who()


async def test_a_case_manager_who_leaves_is_replaced_by_the_supervisors_word(town: Town) -> None:
    await counted(town)
    await town.file("case-managers/victoria", {
        "name": {"family": "Victoria"}, "supervisor": "samuel", "active": False})  # fmt: skip
    await counted(town)
    [event] = await told(town, "lead-left-alone")
    assert (event["lead"]["caseManager"], event["owner"]) == ("victoria", "samuel")
    await town.client("ana", intensity="intensive")
    await counted(town)
    [task] = await asked(town, "assign-primary")
    assert task["status"] == "completed"


async def test_a_transfer_to_an_agency_that_closes_is_called_off_and_its_cover_ends(town: Town) -> None:
    await counted(town)
    await town.say(town.harbor, caseManager="marcus", **{
        "as": "cover", "start": "2026-03-10", "end": "2026-04-01"})  # fmt: skip
    await counted(town, days=2)
    await town.client("marcus", intensity="intensive")
    task = (await town.who())["transfer"]
    await counted(town)
    await onboard_partner.disable(town.service.wiring.context, "Northside")
    await counted(town)
    who = await town.who()
    assert (who["caseManager"], "transfer" in who, "cover" in who) == (
        (town.workers or {})["victoria"],
        False,
        False,
    )
    assert decode_object((await town.harbor.get(f"/fhir/{task}")).content)["status"] == "cancelled"
    assert await asked(town, "assign-primary") == []


@pytest.mark.parametrize("ends", ["withdrawn", "closed"])
async def test_a_referral_at_a_closed_agency_is_somebodys_to_replace_until_it_is_over(
    town: Town, ends: str
) -> None:
    referral = {
        "client": "leslie",
        "recipient": "northside",
        "service": "transitional-housing",
        "requested": "2026-03-09",
    }
    await town.file("referrals/room", referral)
    await counted(town)
    await onboard_partner.disable(town.service.wiring.context, "Northside")
    for _ in range(2):
        await counted(town)
        [task] = await asked(town, "find-other-service")
        [event] = await told(town, "referral-left-alone")
        assert (event["referral"], event["partner"], event["owner"]) == ("room", "Northside", "victoria")
        assert task["owner"]["reference"] == (town.workers or {})["victoria"]
    if ends == "withdrawn":
        await town.file(
            "referrals/room", {**referral, "status": "cancelled", "statusReason": "They are closed."}
        )
    else:
        await town.client(None, status="finished", end="2026-03-09")
    await counted(town)
    [task] = await asked(town, "find-other-service")
    assert task["status"] == "completed"
