"""A referral goes out and comes back, done or refused, in each dialect that partners speak."""

from pathlib import Path
from typing import Any

import pytest
from town import town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, NORTHSIDE
from service.kernel.clock import system_clock
from service.simulator.process import Plan
from service.simulator.staff import REASON

ANSWERS = {"sdohcc": ("completed", ""), "bser": ("completed", "7.0"), "cow": ("completed", "")}


@pytest.mark.parametrize("dialect", ANSWERS)
async def test_a_referral_is_completed_in_the_partners_dialect(
    database_url: str, tmp_path: Path, dialect: Any
):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=0.1, dialect=dialect)) as here:
        await here.file_everybody()
        filed = await here.file("referrals", HOUSING, people.housing(system_clock))
        await here.until("referral-completed", referral=HOUSING)
        task = await here.fhir(next(each for each in filed["resources"] if each.startswith("Task/")))
    said = task.get("businessStatus", {}).get("coding", [{}])[0].get("code", "")
    assert (task["status"], said) == ANSWERS[dialect]
    assert task["output"]


@pytest.mark.parametrize("dialect", ANSWERS)
async def test_a_referral_is_refused_in_the_partners_dialect(database_url: str, tmp_path: Path, dialect: Any):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "reject", pace=0.1, dialect=dialect)) as here:
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))
        told = await here.until("referral-rejected", referral=HOUSING)
    assert told["reason"] == REASON
