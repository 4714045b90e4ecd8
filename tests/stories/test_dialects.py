"""Every dialect, told end to end: with an agency that is played, and with a second whole service of ours."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pair import Speech, pair
from parts import database_name, with_database
from town import Town, eventually, town

from service.commands.demo import people
from service.commands.demo.people import HARBOR, HOUSING, LAKEVIEW, NORTHSIDE
from service.fhir.json import JsonObject
from service.kernel.clock import system_clock
from service.simulator.process import Plan
from service.simulator.staff import AGREED, REASON

SPEECHES = {
    "sdohcc": Speech("sdohcc"),
    "bser": Speech("bser"),
    "bser messages": Speech("bser", by_message=True),
    "cow": Speech("cow"),
}
ENDS = {"sdohcc": {}, "bser": {"completed": "7.0", "rejected": "4.0", "cancelled": "6.0"}, "cow": {}}
UNDER_WAY = {"sdohcc": "referral-in-progress", "bser": "referral-scheduled", "cow": "referral-in-progress"}
CANCEL = {"status": "cancelled", "reason": "Leslie has found a place herself."}
every = pytest.mark.parametrize("speech", SPEECHES.values(), ids=SPEECHES)
asked = pytest.mark.parametrize(
    "speech", [each for each in SPEECHES.values() if each.dialect != "sdohcc"], ids=lambda each: str(each)
)


def played(name: str, behaviour: Any, speech: Speech) -> Plan:
    return Plan(name, behaviour, pace=0.1, dialect=speech.dialect, by_message=speech.by_message)  # type: ignore[arg-type]


def said(task: JsonObject) -> tuple[str, str]:
    """(status, business status)"""
    return task["status"], task.get("businessStatus", {}).get("coding", [{}])[0].get("code", "")


def end(speech: Speech, status: str) -> tuple[str, str]:
    return status, ENDS[speech.dialect].get(status, "")


async def refer(here: Town) -> str:
    """The housing referral goes out; its Task."""
    filed = await here.file("referrals", HOUSING, people.housing(system_clock))
    return next(str(each) for each in filed["resources"] if each.startswith("Task/"))


# with an agency that is played


@every
@pytest.mark.parametrize(("behaviour", "status"), [("accept-complete", "completed"), ("reject", "rejected")])
async def test_what_we_ask_is_done_or_refused(
    database_url: str, tmp_path: Path, speech: Speech, behaviour: str, status: str
) -> None:
    async with town(database_url, tmp_path, played(NORTHSIDE, behaviour, speech)) as here:
        await here.file_everybody()
        task = await refer(here)
        told = await here.until_told(f"referral-{status}", HOUSING)
        ours = await here.fhir(task)
    assert said(ours) == end(speech, status)
    assert told.get("reason") == (REASON if status == "rejected" else None)
    assert bool(ours.get("output")) == (status == "completed")


@every
async def test_what_we_call_off_is_stopped(database_url: str, tmp_path: Path, speech: Speech) -> None:
    async with town(database_url, tmp_path, played(NORTHSIDE, "linger", speech)) as here:
        await here.file_everybody()
        task = await refer(here)
        await here.until_told(UNDER_WAY[speech.dialect], HOUSING)
        await here.file("referrals", HOUSING, CANCEL)
        told = await here.until_told("referral-cancelled", HOUSING)
        assert told["reason"] == (CANCEL["reason"] if speech.dialect == "sdohcc" else AGREED)
        assert said(await here.fhir(task)) == end(speech, "cancelled")
        northside = here.agencies[NORTHSIDE].store
        await eventually(lambda: "cancelled" in [each.resource["status"] for each in northside.all("Task")])


@asked
async def test_who_refuses_to_stop_completes(database_url: str, tmp_path: Path, speech: Speech) -> None:
    async with town(database_url, tmp_path, played(NORTHSIDE, "insist", speech)) as here:
        await here.file_everybody()
        task = await refer(here)
        await here.until_told(UNDER_WAY[speech.dialect], HOUSING)
        await here.file("referrals", HOUSING, CANCEL)
        await here.until_told("referral-cancellation-refused", HOUSING)
        await here.until_told("referral-completed", HOUSING)
        assert said(await here.fhir(task)) == end(speech, "completed")


@every
async def test_what_is_heard_again_from_the_beginning_changes_nothing(
    database_url: str, tmp_path: Path, speech: Speech
) -> None:
    async with town(database_url, tmp_path, played(NORTHSIDE, "linger", speech)) as here:
        northside = here.agencies[NORTHSIDE]
        await here.file_everybody()
        task = await refer(here)
        await here.until_told(UNDER_WAY[speech.dialect], HOUSING)
        before = (await here.fhir(task))["meta"]["versionId"]

        if speech.by_message:
            for message in [*reversed(northside.mail.sent), *northside.mail.sent]:
                answer = await northside._post(message)
                assert answer is not None and answer.ok, answer and answer.sentence
        else:
            await here.sql("UPDATE loop SET remote_seen = NULL, next_poll = now()")
            await eventually(lambda: here.sql("SELECT 1 FROM loop WHERE remote_seen IS NOT NULL"))
        await here.file("referrals", HOUSING, CANCEL)
        await here.until_told("referral-cancelled", HOUSING)

        kinds = [each["kind"] for each in here.events]
        assert len(kinds) == len(set(kinds)), "nothing is told twice"
        assert int(before) < int((await here.fhir(task))["meta"]["versionId"])


@every
async def test_what_is_asked_of_us_is_answered_to_its_end(
    database_url: str, tmp_path: Path, speech: Speech
) -> None:
    async with town(database_url, tmp_path, played(LAKEVIEW, "accept-complete", speech)) as here:
        agency = here.agencies[LAKEVIEW]
        sent = await agency.refer({**people.call(), "owner": {"reference": here.organizations[HARBOR]}})
        received = (await here.until("referral-received", partner=LAKEVIEW))["referral"]
        for answer in (
            {"status": "accepted"},
            {"status": "in-progress"},
            {"status": "completed", "outcome": "Done."},
        ):
            await here.file("referrals", received, answer)

        def own() -> JsonObject:
            return agency.store.current("Task", sent["task"].removeprefix("Task/")).resource

        await eventually(lambda: said(own()) == end(speech, "completed"))
        await eventually(lambda: "completed" in sent["seen"])


@every
async def test_who_asked_us_calls_it_off(database_url: str, tmp_path: Path, speech: Speech) -> None:
    async with town(database_url, tmp_path, played(LAKEVIEW, "accept-complete", speech)) as here:
        agency = here.agencies[LAKEVIEW]
        sent = await agency.refer({**people.call(), "owner": {"reference": here.organizations[HARBOR]}})
        received = (await here.until("referral-received", partner=LAKEVIEW))["referral"]
        for status in ("accepted", "in-progress"):
            await here.file("referrals", received, {"status": status})

        await agency.withdraw(sent, "Her sister takes her in.")

        if speech.dialect != "sdohcc":
            told = await here.until_told("referral-cancellation-requested", received)
            assert told["reason"] == "Her sister takes her in."
            await here.file("referrals", received, {"status": "cancelled", "reason": "We stop."})
        await here.until_told("referral-cancelled", received)
        await eventually(lambda: "cancelled" in sent["seen"])


# with a second whole service


@pytest.fixture
async def another_url(server_url: str, database_url: str) -> AsyncIterator[str]:
    name = database_name(database_url) + "_there"
    admin = await asyncpg.connect(with_database(server_url, "postgres"))
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{database_name(server_url)}"')
    yield with_database(server_url, name)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


@every
async def test_two_services_of_ours_see_a_referral_to_its_end(
    database_url: str, another_url: str, tmp_path: Path, speech: Speech
) -> None:
    async with pair(database_url, another_url, tmp_path, speech) as (mine, other):
        task = await refer(mine)
        received = (await other.until("referral-received"))["referral"]
        for answer in (
            {"status": "accepted"},
            {"status": "in-progress"},
            {"status": "completed", "outcome": "Housed."},
        ):
            await other.file("referrals", received, answer)
            await mine.until_told(f"referral-{answer['status']}", HOUSING)
        ours, theirs = await mine.fhir(task), await other.fhir(f"Task/{received}")
        assert said(ours) == said(theirs) == end(speech, "completed")
        assert [each["valueString"] for each in ours["output"]] == ["Housed."]
        kinds = [each["kind"] for each in mine.events]
        assert kinds == [
            "referral-delivered", "referral-accepted", "referral-in-progress", "referral-completed"
        ]  # fmt: skip


@every
async def test_two_services_of_ours_see_a_refusal_and_its_reason(
    database_url: str, another_url: str, tmp_path: Path, speech: Speech
) -> None:
    async with pair(database_url, another_url, tmp_path, speech) as (mine, other):
        await refer(mine)
        received = (await other.until("referral-received"))["referral"]
        await other.file("referrals", received, {"status": "rejected", "reason": REASON})
        assert (await mine.until_told("referral-rejected", HOUSING))["reason"] == REASON


@every
@pytest.mark.parametrize("agreed", [True, False])
async def test_two_services_of_ours_see_a_cancellation_to_its_end(
    database_url: str, another_url: str, tmp_path: Path, speech: Speech, agreed: bool
) -> None:
    async with pair(database_url, another_url, tmp_path, speech) as (mine, other):
        task = await refer(mine)
        received = (await other.until("referral-received"))["referral"]
        for status in ("accepted", "in-progress"):
            await other.file("referrals", received, {"status": status})
            await mine.until_told(f"referral-{status}", HOUSING)

        await mine.file("referrals", HOUSING, CANCEL)

        if speech.dialect != "sdohcc":
            told = await other.until_told("referral-cancellation-requested", received)
            assert told["reason"] == CANCEL["reason"]
            await decide(mine, other, received, speech, agreed=agreed)
        last = "cancelled" if agreed or speech.dialect == "sdohcc" else "completed"
        await mine.until_told(f"referral-{last}", HOUSING)
        await other.until_told(f"referral-{last}", received)
        assert said(await mine.fhir(task)) == said(await other.fhir(f"Task/{received}")) == end(speech, last)


async def decide(mine: Town, other: Town, received: str, speech: Speech, *, agreed: bool) -> None:
    """Northside's case manager stops; or goes on, which Harbor is told."""
    if agreed:
        await other.file("referrals", received, {"status": "cancelled", "reason": AGREED})
        return
    if speech.dialect == "cow":
        refusal = {"status": "in-progress", "cancellation": "refused", "reason": "She moves in tomorrow."}
        await other.file("referrals", received, refusal)
        told = await mine.until_told("referral-cancellation-refused", HOUSING)
        assert told["reason"] == refusal["reason"]
    await other.file("referrals", received, {"status": "completed", "outcome": "Housed."})
    await mine.until_told("referral-cancellation-refused", HOUSING)
