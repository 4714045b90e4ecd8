"""One commit: everything a story changes, or nothing."""

import asyncio
from datetime import UTC, datetime

import pytest

from service.kernel.failures import Refused
from service.store import resources
from service.store.database import Database
from service.store.unit import Put, Told

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def put(id_: str, version: int = 1, body: bytes | None = b"{}", **more: object) -> Put:
    return Put("Goal", id_, version, NOW, "harbor", None, body, **more)  # type: ignore[arg-type]


async def current(database: Database, id_: str) -> resources.Row | None:
    async with database.reading() as connection:
        return await resources.read(connection, "Goal", id_, None)


async def test_a_clean_exit_commits_everything(database: Database) -> None:
    async with database.unit() as unit:
        unit.put(
            put("a", keys=["status=active"], dates=[("start-date", NOW, NOW)], strings=[("x", "a", "A")])
        )
        unit.tell(Told("harbor", "referral-received", NOW, b"{}"))
    async with database.reading() as connection:
        assert await connection.fetchval("SELECT count(*) FROM event") == 1
        assert await connection.fetchval("SELECT count(*) FROM search_date") == 1
        assert (
            await connection.fetchval(
                "SELECT id FROM resource WHERE keys @> ARRAY[hashtextextended('status=active', 0)]"
            )
            == "a"
        )


async def test_an_exception_commits_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.unit() as unit:
            unit.put(put("a"))
            await unit.fetch("SELECT 1")
            raise RuntimeError
    assert await current(database, "a") is None


async def test_one_bad_row_takes_the_good_ones_with_it(database: Database) -> None:
    async with database.unit() as unit:
        unit.put(put("a"))
    with pytest.raises(Refused) as caught:
        async with database.unit() as unit:
            unit.put(put("b"))
            unit.put(put("a"))
    assert caught.value.reason == "conflict"
    assert await current(database, "b") is None


async def test_a_new_version_keeps_the_old_one_and_replaces_what_finds_it(database: Database) -> None:
    async with database.unit() as unit:
        unit.put(put("a", keys=["status=proposed"], strings=[("x", "old", "Old")]))
    async with database.unit() as unit:
        unit.put(put("a", 2, b'{"v":2}', keys=["status=active"], strings=[("x", "new", "New")]))
    async with database.reading() as connection:
        first = await resources.read_version(connection, "Goal", "a", 1, None)
        history = await resources.history(connection, "Goal", "a", None, 99, 10)
        assert [each["value"] for each in await connection.fetch("SELECT value FROM search_string")] == [
            "new"
        ]
    assert first is not None
    assert first.body == b"{}"
    assert [each.version for each in history] == [2, 1]


async def test_a_version_is_taken_once(database: Database) -> None:
    async with database.unit() as unit:
        unit.put(put("a"))

    async def second() -> str:
        try:
            async with database.unit() as unit:
                unit.put(put("a", 2))
        except Refused as refused:
            return refused.reason
        return "done"

    results = await asyncio.gather(*(second() for _ in range(4)))
    assert sorted(results) == ["done", "stale", "stale", "stale"]


async def test_a_deletion_has_no_body_and_leaves_the_index(database: Database) -> None:
    async with database.unit() as unit:
        unit.put(put("a", keys=["status=active"]))
    async with database.unit() as unit:
        unit.put(put("a", 2, None))
    row = await current(database, "a")
    assert row is not None
    assert row.deleted
    async with database.reading() as connection:
        assert await connection.fetchval("SELECT cardinality(keys) FROM resource") == 0


async def test_what_is_decided_under_a_name_is_decided_by_one_at_a_time(database: Database) -> None:
    inside = 0

    async def alone() -> None:
        nonlocal inside
        async with database.unit("a name"):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.01)
            inside -= 1

    await asyncio.gather(*(alone() for _ in range(5)))


async def test_a_stranger_does_not_know_the_row(database: Database) -> None:
    async with database.unit() as unit:
        unit.put(put("a"))
    async with database.reading() as connection:
        assert await resources.read(connection, "Goal", "a", "harbor") is not None
        assert await resources.read(connection, "Goal", "a", "northside") is None
        assert await resources.history(connection, "Goal", "a", "northside", 99, 10) == []
