"""The feed: in order, from any point, and never past an event that is still being committed."""

import asyncio
import random
from datetime import UTC, datetime

import pytest

from service.kernel.failures import Refused
from service.store import events
from service.store.database import Database
from service.store.unit import Told

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def told(number: int) -> Told:
    return Told("harbor", "referral-received", NOW, str(number).encode())


async def test_an_event_behind_an_open_transaction_waits_for_it(database: Database) -> None:
    async with database.unit() as slow:
        await slow.fetch("SELECT pg_current_xact_id()")
        async with database.unit() as quick:
            quick.tell(told(2))
        async with database.reading() as connection:
            assert await events.after(connection, "harbor", (0, 0), 10) == []
        slow.tell(told(1))
    async with database.reading() as connection:
        assert [each.body for each in await events.after(connection, "harbor", (0, 0), 10)] == [b"1", b"2"]


async def test_a_reader_that_follows_many_writers_misses_nothing(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.unit() as unit:
            await unit.fetch("SELECT pg_current_xact_id()")
            await asyncio.sleep(random.random() * 0.01)
            unit.tell(told(number))

    read: list[bytes] = []

    async def follow() -> None:
        cursor = (0, 0)
        while len(read) < 60:
            async with database.reading() as connection:
                for each in await events.after(connection, "harbor", cursor, 7):
                    read.append(each.body)
                    cursor = events.parse_cursor(each.cursor)
            await asyncio.sleep(0)

    async def writers() -> None:
        for start in range(0, 60, 3):
            await asyncio.gather(*(write(start + step) for step in range(3)))

    await asyncio.wait_for(asyncio.gather(follow(), writers()), 30)
    assert sorted(map(int, read)) == list(range(60))


async def test_each_casework_system_reads_its_own(database: Database) -> None:
    async with database.unit() as unit:
        unit.tell(told(1))
    async with database.reading() as connection:
        assert await events.after(connection, "another", (0, 0), 10) == []


@pytest.mark.parametrize("text", ["x", "1", "1-", "-1", "1-2-3", "1" * 50 + "-1", "１-2x"])
def test_a_foreign_cursor_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        events.parse_cursor(text)
