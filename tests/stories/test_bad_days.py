"""A flaky agency: every referral reaches its end, once, and no step of it is lost."""

import asyncio
from pathlib import Path

from town import Town, town

from service.commands.demo import people
from service.commands.demo.people import NORTHSIDE
from service.kernel.clock import system_clock
from service.simulator.process import Plan

REFERRALS = [f"leslie-housing-{number}" for number in range(1, 7)]


async def hurry(here: Town) -> None:
    """Retries come when they are due; here they are due at once."""
    while True:
        await here.sql("UPDATE delivery SET due = now() WHERE settled IS NULL AND lease IS NULL")
        await here.sql("UPDATE reach SET until = now() WHERE state = 'open'")
        await asyncio.sleep(0.2)


async def test_a_flaky_agency_gets_every_referral_once(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "flaky", pace=0.1, seed=7)) as here:
        northside = here.agencies[NORTHSIDE]
        northside.manner.silence = 0.5
        await here.file_everybody()
        async with asyncio.TaskGroup() as group:
            hurrying = group.create_task(hurry(here))
            for referral in REFERRALS:
                await here.file("referrals", referral, {**people.housing(system_clock), "id": referral})
            for referral in REFERRALS:
                await here.until_told("referral-completed", referral)
            hurrying.cancel()

        assert len(list(northside.store.all("Task"))) == len(REFERRALS)
        assert len(list(northside.store.all("Patient"))) == 1
        tries = await here.sql("SELECT attempts FROM delivery")
        assert sum(row["attempts"] for row in tries) > len(REFERRALS), "it was a bad day"
        for referral in REFERRALS:
            steps = [each["kind"] for each in here.events if each.get("referral") == referral]
            assert steps == [
                "referral-delivered", "referral-accepted", "referral-in-progress", "referral-completed",
            ]  # fmt: skip
