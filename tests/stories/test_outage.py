"""An agency that is away for twelve seconds, an hour, two days: everything reaches it after, in order, once."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from town import Town, eventually, town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, NORTHSIDE
from service.flows.onboard_partner import agree
from service.flows.sweep import tell_stalled
from service.kernel.clock import system_clock
from service.simulator.process import Plan

REFERRALS = [f"leslie-housing-{number}" for number in range(1, 7)]
STEPS = ["referral-delivered", "referral-accepted", "referral-in-progress", "referral-completed"]


class Calendar:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


async def pass_(calendar: Calendar, outage: timedelta, looks: int = 15) -> None:
    """The outage passes; the worker comes round now and then, more often at its beginning."""
    begun = calendar.ahead
    for look in range(1, looks + 1):
        calendar.ahead = begun + outage * (look / looks) ** 3
        await asyncio.sleep(0.25)


async def outbox(here: Town) -> list[tuple[str, int]]:
    rows = await here.sql("SELECT state, attempts FROM delivery WHERE kind = 'referral'")
    return [(row["state"], row["attempts"]) for row in rows]


@pytest.mark.parametrize("outage", [timedelta(seconds=12), timedelta(hours=1), timedelta(days=2)], ids=str)
async def test_everything_arrives_after_the_outage_in_order_and_once(
    database_url: str, tmp_path: Path, outage: timedelta
):
    calendar = Calendar()
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "down", pace=0.05), clock=calendar) as here:
        northside = here.agencies[NORTHSIDE]
        await here.file_everybody()
        for referral in REFERRALS:
            await here.file("referrals", referral, {**people.housing(calendar), "id": referral})
        await here.until("partner-degraded", partner=NORTHSIDE)
        await pass_(calendar, outage)
        before = await outbox(here)
        assert {state for state, _ in before} <= {"pending", "failing"}

        northside.manner.change("accept-complete")
        returned = calendar.ahead
        while not any(each["kind"] == "partner-recovered" for each in here.events):
            calendar.ahead += timedelta(minutes=1)  # a probe is never more than fifteen minutes away
            assert calendar.ahead - returned < timedelta(minutes=20)
            await asyncio.sleep(0.3)
            await here.hear()
        calendar.ahead += timedelta(seconds=11)
        for referral in REFERRALS:
            await here.until_told("referral-completed", referral)

        for referral in REFERRALS:
            assert [each["kind"] for each in here.events if each.get("referral") == referral] == STEPS
        assert [each["kind"] for each in here.events].count("partner-degraded") == 1
        assert len(list(northside.store.all("Task"))) == len(REFERRALS)
        assert len(list(northside.store.all("Patient"))) == 1
        assert max(tries for _, tries in await outbox(here)) <= 11


def both(consent: dict[str, Any]) -> dict[str, Any]:
    [permission] = consent["permissions"]
    named = [{"agency": "northside"}, {"agency": "lakeview"}]
    return {**consent, "permissions": [{**permission, "recipients": named}]}


async def nothing_under_way(here: Town) -> bool:
    return not await here.sql("SELECT 1 FROM delivery WHERE lease IS NOT NULL")


async def test_while_one_agency_is_away_the_others_are_served(database_url: str, tmp_path: Path):
    away, there = Plan(NORTHSIDE, "down", pace=0.05), Plan(people.LAKEVIEW, pace=0.05)
    async with town(database_url, tmp_path, away, there) as here:
        await here.file_everybody()
        await here.file("consents", "leslie-consent-2026", both(people.consent(system_clock)))
        for referral in REFERRALS:
            await here.file("referrals", referral, {**people.housing(system_clock), "id": referral})
        await here.until("partner-degraded", partner=NORTHSIDE)
        await eventually(lambda: nothing_under_way(here))  # what had begun before it was given up
        asked = len(here.agencies[NORTHSIDE].notebook.heard)
        elsewhere = {**people.housing(system_clock), "id": "there", "recipient": "lakeview"}
        del elsewhere["recipientService"]
        await here.file("referrals", "there", elsewhere)
        await here.until("referral-completed", referral="there")
        assert len(here.agencies[NORTHSIDE].notebook.heard) == asked, "given up, and left in peace"


async def test_in_quiet_hours_a_referral_waits_for_their_end(database_url: str, tmp_path: Path):
    calendar = Calendar()
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=0.05), clock=calendar) as here:
        now = calendar()
        begins, ends = now - timedelta(minutes=5), now + timedelta(hours=6)
        quiet = f"quiet={begins:%H:%M}-{ends:%H:%M} UTC"
        await agree(here.context, NORTHSIDE, [quiet])
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(calendar))
        await asyncio.sleep(1)
        assert here.agencies[NORTHSIDE].notebook.heard == []
        await agree(here.context, NORTHSIDE, ["quiet="])
        await here.until("referral-completed", referral=HOUSING)


async def test_a_purpose_that_was_not_agreed_is_not_served(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(NORTHSIDE)) as here:
        await agree(here.context, NORTHSIDE, ["purposes=HPAYMT"])
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))
        told = await here.until("referral-withheld", referral=HOUSING)
        assert "COC" in told["reason"]
        assert here.agencies[NORTHSIDE].notebook.heard == []


async def test_the_case_manager_is_told_once_when_nothing_moves(database_url: str, tmp_path: Path):
    calendar = Calendar()
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=600), clock=calendar) as here:
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(calendar))
        await here.until("referral-delivered", referral=HOUSING)
        assert await tell_stalled(here.context) == 0
        calendar.ahead = timedelta(days=15)
        assert await tell_stalled(here.context) == 1
        assert await tell_stalled(here.context) == 0
        told = await here.until("referral-stalled", referral=HOUSING)
        assert (told["partner"], told["client"]) == (NORTHSIDE, "leslie-moreno")
