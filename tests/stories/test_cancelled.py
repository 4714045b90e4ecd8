"""A case manager withdraws a referral that is out: what happens then is as the partner's dialect has it."""

from pathlib import Path
from typing import Any

import pytest
from town import Town, eventually, town

from service.commands.demo import people
from service.commands.demo.people import COUNTY, HARBOR, HOUSING, NORTHSIDE
from service.fhir.json import JsonObject
from service.kernel.clock import system_clock
from service.simulator.process import Plan
from service.simulator.staff import AGREED, REFUSED
from service.simulator.store import Refusal

CANCEL = {"status": "cancelled", "reason": "Leslie has found a place herself."}


async def begun(here: Town) -> None:
    """The referral is out, and the agency works on it."""
    await here.file_everybody()
    await here.file("referrals", HOUSING, people.housing(system_clock))
    await here.until("referral-delivered", referral=HOUSING)


def theirs(here: Town) -> list[JsonObject]:
    return [each.resource for each in here.agencies[NORTHSIDE].store.all("Task")]


async def test_in_bser_a_cancellation_is_asked_for_and_confirmed(database_url: str, tmp_path: Path) -> None:
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "linger", pace=0.1, dialect="bser")) as here:
        await begun(here)
        await here.until_told("referral-scheduled", HOUSING)

        await here.file("referrals", HOUSING, CANCEL)
        await here.file("referrals", HOUSING, CANCEL)

        told = await here.until_told("referral-cancelled", HOUSING)
        assert told["reason"] == AGREED
        kinds = [each["kind"] for each in here.events]
        assert kinds.count("referral-cancellation-requested") == 1
        assert theirs(here)[0]["businessStatus"]["coding"][0]["code"] == "6.0"


async def test_in_bser_who_goes_on_all_the_same_has_refused(database_url: str, tmp_path: Path) -> None:
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "insist", pace=0.1, dialect="bser")) as here:
        await begun(here)
        await here.until_told("referral-scheduled", HOUSING)

        await here.file("referrals", HOUSING, CANCEL)

        await here.until_told("referral-completed", HOUSING)
        kinds = [each["kind"] for each in here.events]
        assert kinds[-2:] == ["referral-cancellation-refused", "referral-completed"]
        assert theirs(here)[0]["businessStatus"]["coding"][0]["code"] == "7.0"


@pytest.mark.parametrize("at", ["referral-delivered", "referral-in-progress"])
async def test_in_sdohcc_it_is_cancelled_at_once(database_url: str, tmp_path: Path, at: str) -> None:
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "linger", pace=0.1)) as here:
        await begun(here)
        await here.until_told(at, HOUSING)

        await here.file("referrals", HOUSING, CANCEL)

        told = await here.until_told("referral-cancelled", HOUSING)
        assert told["reason"] == CANCEL["reason"]
        await eventually(lambda: theirs(here)[0]["status"] == "cancelled")
        assert theirs(here)[0]["statusReason"]["text"] == CANCEL["reason"]


@pytest.mark.parametrize("dialect", ["sdohcc", "bser"])
async def test_the_record_itself_may_say_it(database_url: str, tmp_path: Path, dialect: Any) -> None:
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "linger", pace=0.1, dialect=dialect)) as here:
        await begun(here)
        record = {**people.housing(system_clock), "status": "cancelled", "statusReason": CANCEL["reason"]}

        await here.file("referrals", HOUSING, record)
        await here.file("referrals", HOUSING, record)

        await here.until_told("referral-cancelled", HOUSING)
        await here.file("referrals", HOUSING, record)
        await eventually(lambda: theirs(here)[0]["status"] == "cancelled")


async def test_in_cow_before_the_work_begins_it_is_cancelled_at_once(
    database_url: str, tmp_path: Path
) -> None:
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "linger", pace=600, dialect="cow")) as here:
        await begun(here)

        await here.file("referrals", HOUSING, CANCEL)

        await here.until_told("referral-cancelled", HOUSING)
        await eventually(lambda: [each["status"] for each in theirs(here)] == ["cancelled"])


@pytest.mark.parametrize("light", [False, True])
async def test_in_cow_work_under_way_is_cancelled_by_an_abort_task(
    database_url: str, tmp_path: Path, light: bool
) -> None:
    plan = Plan(NORTHSIDE, "linger", pace=0.1, dialect="cow", light=light)
    async with town(database_url, tmp_path, plan) as here:
        await here.file_everybody()
        filed = await here.file("referrals", HOUSING, people.housing(system_clock))
        await here.until_told("referral-in-progress", HOUSING)

        await here.file("referrals", HOUSING, CANCEL)
        await here.file("referrals", HOUSING, CANCEL)
        record = {**people.housing(system_clock), "status": "cancelled", "statusReason": CANCEL["reason"]}
        await here.file("referrals", HOUSING, record)

        asked = await here.until_told("referral-cancellation-requested", HOUSING)
        assert asked["reason"] == CANCEL["reason"]
        told = await here.until_told("referral-cancelled", HOUSING)
        assert told["reason"] == AGREED
        kinds = [each["kind"] for each in here.events]
        assert kinds.count("referral-cancellation-requested") == 1, "asked once, however often it is said"
        [abort] = await aborts(here)
        assert abort["status"] == "completed"
        task = next(each for each in filed["resources"] if each.startswith("Task/"))
        assert abort["focus"]["reference"] == task
        if not light:
            copies = {each["code"]["coding"][0]["code"]: each for each in theirs(here)}
            its = copies["fulfill"]["id"]
            assert copies["abort"]["focus"]["reference"].endswith(f"Task/{its}"), "about their own copy"


@pytest.mark.parametrize("light", [False, True])
async def test_in_cow_a_refused_cancellation_is_told_with_its_reason(
    database_url: str, tmp_path: Path, light: bool
) -> None:
    plan = Plan(NORTHSIDE, "insist", pace=0.2, dialect="cow", light=light)
    async with town(database_url, tmp_path, plan) as here:
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))
        await here.until_told("referral-in-progress", HOUSING)

        await here.file("referrals", HOUSING, CANCEL)

        told = await here.until_told("referral-cancellation-refused", HOUSING)
        assert told["reason"] == REFUSED
        await here.until_told("referral-completed", HOUSING)
        [abort] = await aborts(here)
        assert (abort["status"], abort["statusReason"]["text"]) == ("rejected", REFUSED)


async def aborts(here: Town) -> list[JsonObject]:
    found = await here.fhir("Task?code=abort")
    return [each["resource"] for each in found.get("entry", [])]


@pytest.mark.parametrize("begun_already", [False, True])
async def test_in_cow_who_asked_us_asks_us_to_stop(
    database_url: str, tmp_path: Path, begun_already: bool
) -> None:
    async with town(database_url, tmp_path, Plan(COUNTY, pace=0.1, dialect="cow")) as here:
        county = here.agencies[COUNTY]
        sent = await county.refer({**people.call(), "owner": {"reference": here.organizations[HARBOR]}})
        received = (await here.until("referral-received", partner=COUNTY))["referral"]
        for status in ("accepted", "in-progress") if begun_already else ():
            await here.file("referrals", received, {"status": status})

        asked = await county.withdraw(sent, "Her sister takes her in.")

        if not begun_already:
            assert (await here.until_told("referral-cancelled", received))["reason"]
            return
        told = await here.until_told("referral-cancellation-requested", received)
        assert told["reason"] == "Her sister takes her in."
        await here.file("referrals", received, {"status": "cancelled", "reason": "We stop."})
        await eventually(
            lambda: county.store.current("Task", sent["task"][5:]).resource["status"] == "cancelled"
        )
        [abort] = await aborts(here)
        assert (abort["id"], abort["status"]) == (asked["id"], "completed")

        with pytest.raises(Refusal, match="the requester may set"):
            await county._written("PUT", f"/fhir/Task/{abort['id']}", {**abort, "status": "requested"}, "")
        with pytest.raises(Refusal, match="422"):
            await county._written("POST", "/fhir/Task", {**asked, "status": "requested"}, "")


async def test_in_cow_we_refuse_to_stop_and_say_why(database_url: str, tmp_path: Path) -> None:
    async with town(database_url, tmp_path, Plan(COUNTY, pace=0.1, dialect="cow")) as here:
        county = here.agencies[COUNTY]
        sent = await county.refer({**people.call(), "owner": {"reference": here.organizations[HARBOR]}})
        received = (await here.until("referral-received", partner=COUNTY))["referral"]
        for status in ("accepted", "in-progress"):
            await here.file("referrals", received, {"status": status})
        refusal = {"status": "in-progress", "cancellation": "refused", "reason": "She moves in tomorrow."}
        early = await here.casework.ask("PUT", f"/casework/v1/referrals/{received}", refusal)
        assert early.status == 422, "nobody has asked"

        asked = await county.withdraw(sent, "Her sister takes her in.")
        await here.until_told("referral-cancellation-requested", received)
        await here.file("referrals", received, refusal)

        await here.until_told("referral-cancellation-refused", received)
        abort = await here.fhir(f"Task/{asked['id']}")
        assert (abort["status"], abort["statusReason"]["text"]) == ("rejected", refusal["reason"])
        await here.file("referrals", received, {"status": "completed", "outcome": "Housed."})
        await eventually(
            lambda: county.store.current("Task", sent["task"][5:]).resource["status"] == "completed"
        )
        mine = [each.resource for each in county.store.all("Task") if each.id != sent["task"][5:]]
        assert [each["status"] for each in mine] == ["rejected"], "told, too"
