"""The outbox: one worker a row, order within a referral, nobody waits for a stranger, leases that expire."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from service.delivery.plan import NOTHING, Allowance, Reach
from service.store import outbox, reach
from service.store.database import Database
from service.store.outbox import Wanted
from service.store.unit import Outgoing

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(seconds=90)


@pytest.fixture
async def filled(database: Database) -> Database:
    async with database.unit() as unit:
        await unit.execute(
            """INSERT INTO partner (client_id, name, organization, roles, scopes, created_at)
               VALUES ('north', 'Northside', 'Organization/n', '{}', '{}', $1)""",
            NOW,
        )
    async with database.unit() as unit:
        for id_, loop in (("1", "a"), ("2", "a"), ("3", "b")):
            unit.send(Outgoing(id_, "north", loop, "referral", [f"Task/{loop}", "Patient/p"], NOW))
    return database


async def lease(
    database: Database, now: datetime = NOW, token: str = "t", **allowed: Allowance
) -> list[outbox.Leased]:
    async with database.unit() as unit:
        return await outbox.lease(unit, now, now + timedelta(seconds=90), f"7:{token}", 10, allowed)


async def test_only_the_first_row_of_a_referral_is_offered(filled: Database) -> None:
    leased = await lease(filled)
    assert sorted(each.id for each in leased) == ["1", "3"]
    assert leased[0].refs == [f"Task/{leased[0].loop}", "Patient/p"]


async def test_the_next_row_follows_when_the_first_is_settled(filled: Database) -> None:
    first = next(each for each in await lease(filled) if each.id == "1")
    async with filled.unit() as unit:
        assert await outbox.settle(unit, first, "delivered", "", NOW)
    assert [each.id for each in await lease(filled)] == ["2"]


async def test_a_failing_row_holds_back_its_own_referral_only(filled: Database) -> None:
    for each in await lease(filled):
        async with filled.unit() as unit:
            await outbox.settle(unit, each, "failing", "503", NOW, LATER)
    assert await lease(filled) == []
    assert sorted(each.id for each in await lease(filled, LATER)) == ["1", "3"]


async def test_a_lease_of_a_dead_worker_expires(filled: Database) -> None:
    dead = await lease(filled, token="dead")
    assert await lease(filled, token="other") == []
    again = await lease(filled, NOW + timedelta(seconds=91), "other")
    assert {each.id for each in again} == {each.id for each in dead}
    assert again[0].attempts == 2


async def test_a_worker_that_slept_through_its_lease_changes_nothing(filled: Database) -> None:
    [late, *_] = await lease(filled, token="late")
    await lease(filled, NOW + timedelta(seconds=91), "quick")
    async with filled.unit() as unit:
        assert not await outbox.settle(unit, late, "dead", "", NOW)


async def test_many_workers_never_share_a_row(filled: Database) -> None:
    taken = await asyncio.gather(*(lease(filled, token=f"w{number}") for number in range(4)))
    ids = [each.id for some in taken for each in some]
    assert sorted(ids) == ["1", "3"]


async def test_replay_makes_settled_rows_due_but_never_delivered_ones(filled: Database) -> None:
    one, three = sorted(await lease(filled), key=lambda each: each.id)
    async with filled.unit() as unit:
        await outbox.settle(unit, one, "withheld", "no consent", NOW)
        await outbox.settle(unit, three, "delivered", "", NOW)
    async with filled.unit() as unit:
        assert await outbox.reopen(unit, LATER, Wanted(partner="Northside")) == ["1"]
    async with filled.reading() as connection:
        rows = {row["id"]: row["state"] for row in await outbox.listing(connection, None, None)}
    assert rows == {"1": "pending", "2": "pending", "3": "delivered"}


async def test_a_delivered_row_goes_again_only_when_asked_for_by_that_name(filled: Database) -> None:
    for each in await lease(filled):
        async with filled.unit() as unit:
            await outbox.settle(unit, each, "delivered", "", NOW)
    async with filled.reading() as connection:
        assert await outbox.reopenable(connection, LATER, Wanted(ids=["1"])) == []
        assert await outbox.reopenable(connection, LATER, Wanted(ids=["1"], state="delivered")) == ["1"]


async def test_replay_of_a_time_range_takes_what_was_put_out_in_it(filled: Database) -> None:
    for each in await lease(filled):
        async with filled.unit() as unit:
            await outbox.settle(unit, each, "dead", "", NOW)
    async with filled.reading() as connection:
        assert await outbox.reopenable(connection, LATER, Wanted(since=NOW, until=LATER)) == ["1", "3"]
        assert await outbox.reopenable(connection, LATER, Wanted(until=NOW)) == []
        assert await outbox.reopenable(connection, LATER, Wanted(since=LATER)) == []


async def watched(database: Database) -> None:
    async with database.unit() as unit:
        await reach.pace(unit, "north", paced=True)


async def test_a_watched_partner_gets_what_it_is_allowed_and_nothing_without_a_word(filled: Database) -> None:
    await watched(filled)
    assert await lease(filled) == []
    assert await lease(filled, north=NOTHING) == []
    assert len(await lease(filled, north=Allowance(1))) == 1


async def test_what_is_under_way_with_any_worker_counts_against_a_partner(filled: Database) -> None:
    await watched(filled)
    assert len(await lease(filled, north=Allowance(1))) == 1
    assert await lease(filled, token="other", north=Allowance(1)) == []
    assert len(await lease(filled, token="other", north=Allowance(2))) == 1


async def test_a_probe_may_go_before_it_is_due_and_costs_no_try(filled: Database) -> None:
    await watched(filled)
    for each in await lease(filled, north=Allowance(4)):
        async with filled.unit() as unit:
            await outbox.settle(unit, each, "failing", "503", NOW, LATER)
    assert await lease(filled, north=Allowance(1)) == []
    [probe] = await lease(filled, north=Allowance(1, probe=True))
    assert probe.early(NOW)
    assert probe.attempts == 1


async def test_two_workers_never_decide_on_a_watched_partner_at_once(filled: Database) -> None:
    await watched(filled)
    async with filled.unit() as one, filled.unit() as other:
        assert [each.partner for each in await reach.watched(one)] == ["north"]
        assert await reach.watched(other) == []


async def test_when_a_partner_is_back_what_waits_is_due(filled: Database) -> None:
    await watched(filled)
    for each in await lease(filled, north=Allowance(4)):
        async with filled.unit() as unit:
            await outbox.settle(unit, each, "failing", "503", NOW, LATER + timedelta(hours=14))
    async with filled.unit() as unit:
        assert await reach.released(unit, "north", NOW) == 2
    assert len(await lease(filled, NOW + timedelta(seconds=11), north=Allowance(4))) == 2


async def test_a_reach_that_is_removed_while_another_looks_is_made_again(filled: Database) -> None:
    for _ in range(20):
        await watched(filled)

        async def recovered() -> None:
            async with filled.unit() as unit:
                await reach.pace(unit, "north", paced=False)

        async def failing() -> None:
            async with filled.unit() as unit:
                assert await reach.held(unit, "north") == Reach()

        await asyncio.gather(recovered(), *(failing() for _ in range(3)))
