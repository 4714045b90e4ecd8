"""A partner tells us what becomes of our referrals, so that we need not ask; and what it does not tell, we find."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from parts import database_name, running, with_database
from town import Town, at_work, eventually, register, town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, NORTHSIDE
from service.fhir.json import decode_object, encode
from service.flows import onboard_partner
from service.kernel.clock import system_clock
from service.simulator.casebridge import Casebridge
from service.simulator.keys import Key
from service.simulator.process import Plan
from service.simulator.store import Put


@asynccontextmanager
async def subscribing(
    database_url: str, folder: Path, plan: Plan, *, often: bool = False
) -> AsyncIterator[Town]:
    """The town, in which we subscribe at the agency of the plan; what it does not tell is searched for seldom, or `often`."""
    async with town(database_url, folder, plan, worker=False) as here:
        await here.sql("UPDATE partner SET delivery = 'subscribe' WHERE name = $1", plan.name)
        if not often:
            await here.sql("UPDATE partner SET terms = terms || '{\"poll\": 900}'")
        async with at_work(here.service):
            yield here


async def listening(here: Town) -> asyncpg.Record:
    found = await here.sql("SELECT * FROM listening")
    return found[0] if found else None


async def is_active(here: Town) -> bool:
    """The partner's handshake may come before its answer to our asking: both have."""
    found = await listening(here)
    return found is not None and found["state"] == "active" and found["remote"] is not None


async def test_a_referral_s_course_is_told_by_notifications(database_url: str, tmp_path: Path) -> None:
    async with subscribing(database_url, tmp_path, Plan(NORTHSIDE, pace=0.4)) as here:
        await eventually(lambda: is_active(here))
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))

        await here.until("referral-completed", referral=HOUSING)

        assert [each["kind"] for each in here.events] == [
            "referral-delivered", "referral-accepted", "referral-in-progress", "referral-completed",
        ]  # fmt: skip
        found = await listening(here)
        assert found["heard"] >= 4, "every version of the Task was an event"
        assert not found["missing"]
        [theirs] = here.agencies[NORTHSIDE].store.all("Subscription")
        assert theirs.resource["status"] == "active"
        assert theirs.resource["channel"]["endpoint"] == f"{here.url}/subscriptions/{found['handle']}"


async def test_what_comes_twice_in_the_wrong_order_or_never_is_told_once_and_whole(
    database_url: str, tmp_path: Path
) -> None:
    async with subscribing(database_url, tmp_path, Plan(NORTHSIDE, pace=0.3)) as here:
        await eventually(lambda: is_active(here))
        northside = here.agencies[NORTHSIDE]
        northside.manner.fault = lambda: None  # type: ignore[method-assign]
        northside.manner.behaviour = "flaky"  # notifications alone
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))
        await eventually(
            lambda: any(t.resource["status"] == "completed" for t in northside.store.all("Task"))
        )
        await here.sql("UPDATE listening SET next_look = now()")  # what was never told is found by $status

        await here.until("referral-completed", referral=HOUSING)

        kinds = [each["kind"] for each in here.events]
        assert len(kinds) == len(set(kinds)), "nothing twice"
        assert kinds[-1] == "referral-completed"


async def test_an_agency_that_offers_no_subscriptions_is_searched(database_url: str, tmp_path: Path) -> None:
    async with subscribing(
        database_url, tmp_path, Plan(NORTHSIDE, pace=0.4, rings=False), often=True
    ) as here:
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))

        await here.until("referral-completed", referral=HOUSING, seconds=20)

        found = await listening(here)
        assert found["state"] == "refused"
        assert "404" in found["why"]
        assert found["polled"] is not None


async def test_a_subscription_that_vanished_is_asked_for_again(database_url: str, tmp_path: Path) -> None:
    async with subscribing(database_url, tmp_path, Plan(NORTHSIDE, pace=0.4)) as here:
        await eventually(lambda: is_active(here))
        northside = here.agencies[NORTHSIDE]
        [first] = northside.store.all("Subscription")
        northside.store.keep([Put("Subscription", first.id, None)])
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))
        await here.until("referral-delivered", referral=HOUSING)

        await here.sql("UPDATE listening SET next_look = now()")
        await here.until("referral-completed", referral=HOUSING)

        await eventually(lambda: is_active(here))
        [second] = northside.store.all("Subscription")
        assert second.id != first.id


async def test_a_subscription_in_error_is_woken_and_what_it_missed_is_found(
    database_url: str, tmp_path: Path
) -> None:
    async with subscribing(database_url, tmp_path, Plan(NORTHSIDE, pace=0.3)) as here:
        await eventually(lambda: is_active(here))
        northside = here.agencies[NORTHSIDE]
        [held] = northside.store.all("Subscription")
        northside.bell._post = lambda *_: _nothing()  # type: ignore[method-assign]
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))
        await here.until("referral-delivered", referral=HOUSING)
        await eventually(
            lambda: northside.store.current("Subscription", held.id).resource["status"] == "error"
        )
        await eventually(
            lambda: any(t.resource["status"] == "completed" for t in northside.store.all("Task"))
        )
        del northside.bell._post

        await here.sql("UPDATE listening SET next_look = now()")
        await eventually(lambda: is_active(here))
        await here.sql("UPDATE listening SET next_look = now()")

        await here.until("referral-completed", referral=HOUSING)
        assert northside.store.current("Subscription", held.id).resource["status"] == "active"


async def _nothing() -> bool:
    return False


NOTICE = {
    "resourceType": "Bundle", "type": "history",
    "entry": [{"resource": {"resourceType": "Parameters", "parameter": [
        {"name": "subscription", "valueReference": {"reference": "Subscription/x"}},
        {"name": "status", "valueCode": "active"}, {"name": "type", "valueCode": "heartbeat"},
        {"name": "events-since-subscription-start", "valueString": "0"},
    ]}}],
}  # fmt: skip


async def test_only_who_was_given_the_handle_and_the_secret_is_heard(
    database_url: str, tmp_path: Path
) -> None:
    async with subscribing(database_url, tmp_path, Plan(NORTHSIDE)) as here:
        await eventually(lambda: is_active(here))
        [held] = here.agencies[NORTHSIDE].store.all("Subscription")
        [header] = held.resource["channel"]["header"]
        good = {"Authorization": header.partition(": ")[2], "Content-Type": "application/fhir+json"}
        url = held.resource["channel"]["endpoint"]
        ours = decode_object(encode(NOTICE))
        ours["entry"][0]["resource"]["parameter"][0]["valueReference"]["reference"] = (
            f"Subscription/{held.id}"
        )
        async with httpx.AsyncClient(trust_env=False) as client:

            async def post(where: str, headers: dict[str, str], body: bytes) -> int:
                return (await client.post(where, headers=headers, content=body)).status_code

            assert await post(url, good, encode(ours)) == 200
            assert await post(url, good, encode(ours)) == 200, "again, with no effect"
            assert await post(url, {**good, "Authorization": "Bearer wrong"}, encode(ours)) == 404
            assert await post(url, {"Content-Type": "application/fhir+json"}, encode(ours)) == 404
            assert await post(url + "x", good, encode(ours)) == 404
            assert await post(url, good, encode(NOTICE)) == 422, "another Subscription"
            assert await post(url, good, b"{") == 400
            assert await post(url, good, b" " * 1_100_000) == 413


@pytest.fixture
async def another_url(server_url: str, database_url: str) -> AsyncIterator[str]:
    name = database_name(database_url) + "_there"
    admin = await asyncpg.connect(with_database(server_url, "postgres"))
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{database_name(server_url)}"')
    yield with_database(server_url, name)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


async def test_two_whole_services_subscribe_to_each_other_s_work(
    database_url: str, another_url: str, tmp_path: Path
) -> None:
    """Harbor's service refers to Northside's service; Northside's case manager answers there; Harbor is told."""
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(running(another_url, tmp_path / "there"))
        known = await there.partner(people.HARBOR, "referral-source")
        clerk = Key()
        office = await register(there, tmp_path, NORTHSIDE, "casework", clerk, None)
        here = await stack.enter_async_context(
            running(database_url, tmp_path / "here", poll_seconds=900, our_client_id=known["client_id"])
        )
        connection = await asyncpg.connect(another_url)
        stack.push_async_callback(connection.close)
        keys = f"{here.url}/.well-known/jwks.json"
        await connection.execute(
            "UPDATE partner SET jwks_url = $1 WHERE client_id = $2", keys, known["client_id"]
        )
        key = Key()
        harbor = await register(here, tmp_path, people.HARBOR, "casework", key, None)
        wanted = onboard_partner.Registration(
            NORTHSIDE, ("referral-recipient",), fhir_base=there.base, token_url=f"{there.url}/auth/token",
            delivery="subscribe",
        )  # fmt: skip
        await onboard_partner.add(here.wiring.context, wanted)
        scopes = "casework/*.cruds system/*.cruds"
        ours = await stack.enter_async_context(Casebridge(here.url, harbor["client_id"], key, scopes))
        theirs = await stack.enter_async_context(Casebridge(there.url, office["client_id"], clerk, scopes))
        mine = Town(here.url, ours, database_url, here.wiring.context)
        other = Town(there.url, theirs, another_url, there.wiring.context)
        await stack.enter_async_context(at_work(here))
        await stack.enter_async_context(at_work(there))

        async def active() -> bool:
            rows = await mine.sql("SELECT 1 FROM listening WHERE state = 'active'")
            return bool(rows)

        await eventually(active)
        await mine.file_everybody()
        await mine.file("referrals", HOUSING, people.housing(system_clock))
        received = await other.until("referral-received")
        await other.file("referrals", received["referral"], {"status": "accepted", "note": "We have a room."})
        await mine.until("referral-accepted", referral=HOUSING)
        await other.file("referrals", received["referral"], {"status": "completed", "outcome": "Housed."})
        await mine.until("referral-completed", referral=HOUSING)

        [held] = await other.sql("SELECT status, counter, sent FROM subscription")
        [told] = await mine.sql("SELECT heard, missing FROM listening")
        assert held["status"] == "active"
        assert held["counter"] == held["sent"] == told["heard"] >= 3
        assert not told["missing"]
