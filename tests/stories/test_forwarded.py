"""County asks Harbor, Harbor passes it on to Northside and Lakeview: every move is true at all four places."""

from pathlib import Path
from typing import Any

import pytest
from town import Town, eventually, town

from service.commands.demo import people
from service.commands.demo.people import COUNTY, HARBOR, LAKEVIEW, NORTHSIDE
from service.kernel.clock import system_clock
from service.simulator.process import Plan


def both(consent: dict[str, Any]) -> dict[str, Any]:
    [permission] = consent["permissions"]
    return {
        **consent,
        "permissions": [{**permission, "recipients": [{"agency": "northside"}, {"agency": "lakeview"}]}],
    }


async def asked(here: Town) -> tuple[dict[str, Any], str]:
    """What County sent, and under which id Harbor knows it."""
    await here.file_everybody()
    await here.file("consents", "leslie-consent-2026", both(people.consent(system_clock)))
    wish = {**people.call(), "owner": {"reference": here.organizations[HARBOR]}}
    sent = await here.agencies[COUNTY].refer(wish)
    return sent, (await here.until("referral-received", partner=COUNTY))["referral"]


def passed_on(whole: str, id_: str, agency: str) -> dict[str, Any]:
    record = {**people.housing(system_clock), "id": id_, "recipient": agency, "forwards": whole}
    record.pop("recipientService")
    return record


async def told(here: Town, kind: str, referral: str) -> None:
    await here.until_told(kind, referral)


async def knows(here: Town, sent: dict[str, Any], status: str) -> dict[str, Any]:
    county = here.agencies[COUNTY]

    def own() -> dict[str, Any]:
        return county.store.current("Task", sent["task"].removeprefix("Task/")).resource

    await eventually(lambda: own()["status"] == status)
    return own()


async def test_what_two_agencies_do_rolls_up_to_the_one_who_asked(database_url: str, tmp_path: Path):
    plans = Plan(COUNTY, pace=0.05), Plan(NORTHSIDE, pace=0.05), Plan(LAKEVIEW, pace=0.05)
    async with town(database_url, tmp_path, *plans) as here:
        sent, whole = await asked(here)
        for id_, agency in (("a-room", "northside"), ("a-job", "lakeview")):
            filed = await here.file("referrals", id_, passed_on(whole, id_, agency))
            task, request = [
                await here.fhir(next(each for each in filed["resources"] if each.startswith(kind)))
                for kind in ("Task/", "ServiceRequest/")
            ]
            assert task["partOf"] == [{"reference": f"Task/{whole}"}]
            assert request["intent"] == "filler-order"
            received = await here.fhir(f"Task/{whole}")
            assert received["focus"] in request["basedOn"]
        for id_ in ("a-room", "a-job", whole):
            await told(here, "referral-completed", id_)

        own = await knows(here, sent, "completed")
        assert len(own["output"]) == 2, "what both agencies did"
        steps = [each["kind"] for each in here.events if each.get("referral") == whole]
        assert steps[0] == "referral-received"
        assert [each for each in steps if each == "referral-completed"] == ["referral-completed"]
        assert sent["seen"][-1] == "completed"


async def test_the_case_manager_asks_another_agency_when_the_first_refuses(database_url: str, tmp_path: Path):
    plans = Plan(COUNTY, pace=0.05), Plan(NORTHSIDE, "reject", pace=0.05), Plan(LAKEVIEW, pace=0.05)
    async with town(database_url, tmp_path, *plans) as here:
        sent, whole = await asked(here)
        await here.file("referrals", "first", passed_on(whole, "first", "northside"))
        await told(here, "referral-unplaced", whole)
        assert (await here.fhir(f"Task/{whole}"))["status"] == "requested", (
            "a refusal is not passed on by itself"
        )

        await here.file("referrals", "second", passed_on(whole, "second", "lakeview"))
        await told(here, "referral-completed", whole)
        await knows(here, sent, "completed")


async def test_that_all_refused_is_told_once_for_each_agency_asked_anew(database_url: str, tmp_path: Path):
    plans = Plan(COUNTY, pace=0.05), Plan(NORTHSIDE, "reject", pace=0.05), Plan(LAKEVIEW, "reject", pace=0.05)
    async with town(database_url, tmp_path, *plans) as here:
        _, whole = await asked(here)

        async def rested() -> bool:
            return await here.sql("SELECT 1 FROM loop WHERE stirred IS NOT NULL") == []

        async def told_so_far() -> int:
            """After a look that nothing but the looking itself asked for."""
            await eventually(rested)
            await here.sql("UPDATE loop SET stirred = now() - interval '1 second'")
            await eventually(rested)
            await here.hear()
            return [each["kind"] for each in here.events].count("referral-unplaced")

        await here.file("referrals", "first", passed_on(whole, "first", "northside"))
        await here.until("referral-unplaced", referral=whole)
        assert await told_so_far() == 1
        await here.file("referrals", "second", passed_on(whole, "second", "lakeview"))
        await here.until("referral-unplaced", referral=whole)
        assert await told_so_far() == 2


async def test_when_the_asker_withdraws_what_was_passed_on_is_called_off(database_url: str, tmp_path: Path):
    plans = Plan(COUNTY, pace=0.05), Plan(NORTHSIDE, pace=600)
    async with town(database_url, tmp_path, *plans) as here:
        _sent, whole = await asked(here)
        await here.file("referrals", "a-room", passed_on(whole, "a-room", "northside"))
        await told(here, "referral-delivered", "a-room")
        county = here.agencies[COUNTY]
        task = (await county.casebridge.ask("GET", f"/fhir/Task/{whole}")).body
        reason = {"text": "Leslie has found a place herself."}
        answer = await county.casebridge.ask(
            "PUT", f"/fhir/Task/{whole}", {**task, "status": "cancelled", "statusReason": reason}
        )
        assert answer.ok, answer.sentence

        await told(here, "referral-cancelled", "a-room")
        northside = here.agencies[NORTHSIDE]
        await eventually(
            lambda: [each.resource["status"] for each in northside.store.all("Task")] == ["cancelled"]
        )


async def test_only_a_referral_that_came_in_can_be_passed_on(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(NORTHSIDE), worker=False) as here:
        await here.file_everybody()
        answer = await here.casework.ask(
            "PUT", "/casework/v1/referrals/a-room", passed_on("nobody-asked", "a-room", "northside")
        )
        assert answer.status == 422
        assert answer.body["errors"][0]["pointer"] == "/forwards"


REFERRALS = "SELECT id, version FROM resource WHERE type = 'Task' AND id IN (SELECT id FROM loop) ORDER BY id"
"""Not the Tasks of what is due, which the worker moves in its own time."""


@pytest.mark.parametrize("gone", ["cancelled", "completed"])
async def test_nothing_moves_twice_when_the_whole_is_looked_at_again(
    database_url: str, tmp_path: Path, gone: str
):
    """The step is decided from what is stored: a second look finds nothing to do."""
    plans = Plan(COUNTY, pace=0.05), Plan(NORTHSIDE, pace=0.05 if gone == "completed" else 600)
    async with town(database_url, tmp_path, *plans) as here:
        _, whole = await asked(here)
        await here.file("referrals", "a-room", passed_on(whole, "a-room", "northside"))
        if gone == "cancelled":
            await told(here, "referral-delivered", "a-room")
            await here.file("referrals", whole, {"status": "cancelled", "reason": "Leslie moved away."})
        await told(here, f"referral-{gone}", "a-room")
        await told(here, f"referral-{gone}", whole)
        versions = await here.sql(REFERRALS)
        await here.sql("UPDATE loop SET stirred = now() - interval '1 second'")

        async def rested() -> bool:
            return await here.sql("SELECT 1 FROM loop WHERE stirred IS NOT NULL") == []

        await eventually(rested)
        assert await here.sql(REFERRALS) == versions
