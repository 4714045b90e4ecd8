"""A case manager withdraws a referral that is out: what happens then is as the partner's dialect has it."""

from pathlib import Path
from typing import Any

import pytest
from town import Town, eventually, town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, NORTHSIDE
from service.fhir.json import JsonObject
from service.kernel.clock import system_clock
from service.simulator.process import Plan
from service.simulator.staff import AGREED

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
