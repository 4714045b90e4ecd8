"""Whoever cannot be looked at holds up nobody else."""

import asyncpg
import pytest
from parts import Service

from service.flows.queue import Queue, work_off
from service.kernel.failures import Refused
from service.store.unit import Unit


class Waiting:
    """A queue of names, kept in the database, and what comes of looking at them."""

    def __init__(self, service: Service) -> None:
        self.context = service.wiring.context
        self.fails: dict[str, Exception] = {}
        self.queue = Queue(self.take, self.look, self.out, self.behind)

    async def fill(self, *names: str) -> None:
        async with self.context.database.unit() as unit:
            await unit.execute("CREATE TABLE waiting (place serial, name text)")
            await unit.execute("CREATE TABLE looked (name text PRIMARY KEY)")
            for name in names:
                await unit.execute("INSERT INTO waiting (name) VALUES ($1)", name)

    async def take(self, unit: Unit, most: int) -> list[str]:
        sql = """DELETE FROM waiting WHERE place IN (SELECT place FROM waiting ORDER BY place LIMIT $1)
                 RETURNING name"""
        return [each[0] for each in await unit.fetch(sql, most)]

    async def look(self, unit: Unit, name: str) -> None:
        await unit.execute("INSERT INTO looked VALUES ($1)", name)
        if name in self.fails:
            raise self.fails[name]

    async def out(self, unit: Unit, name: str) -> None:
        await unit.execute("DELETE FROM waiting WHERE name = $1", name)

    async def behind(self, unit: Unit, name: str) -> None:
        await unit.execute("DELETE FROM waiting WHERE name = $1", name)
        await unit.execute("INSERT INTO waiting (name) VALUES ($1)", name)

    async def names(self, table: str) -> list[str]:
        async with self.context.database.reading() as connection:
            return [each[0] for each in await connection.fetch(f"SELECT name FROM {table} ORDER BY 1")]


@pytest.fixture
def waiting(service: Service) -> Waiting:
    return Waiting(service)


async def test_all_who_wait_are_looked_at_in_one_commit(waiting: Waiting) -> None:
    await waiting.fill("a", "b", "c")
    assert await work_off(waiting.context, waiting.queue) == 3
    assert await waiting.names("looked") == ["a", "b", "c"]
    assert await work_off(waiting.context, waiting.queue) == 0


async def test_one_that_fails_is_told_of_and_tried_again_behind_the_others(waiting: Waiting) -> None:
    await waiting.fill(*"abcdefghijklmnopqrstuvwxyz")
    waiting.fails["a"] = KeyError("birthDate")
    with pytest.raises(KeyError):
        await work_off(waiting.context, waiting.queue)
    assert await waiting.names("looked") == list("bcdefghijklmnopqrst"), "those taken with it"
    with pytest.raises(KeyError):
        await work_off(waiting.context, waiting.queue)
    assert await waiting.names("looked") == list("bcdefghijklmnopqrstuvwxyz")
    assert await waiting.names("waiting") == ["a"]

    waiting.fails.clear()
    assert await work_off(waiting.context, waiting.queue) == 1
    assert await waiting.names("waiting") == []


async def test_one_that_others_change_at_this_moment_waits_a_little(waiting: Waiting) -> None:
    await waiting.fill("a", "b")
    waiting.fails["a"] = Refused("stale", "changed meanwhile")
    assert await work_off(waiting.context, waiting.queue) == 0, "the worker takes a breath"
    assert (await waiting.names("looked"), await waiting.names("waiting")) == (["b"], ["a"])


async def test_a_queue_that_cannot_be_taken_from_says_so(waiting: Waiting) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await work_off(waiting.context, waiting.queue)
