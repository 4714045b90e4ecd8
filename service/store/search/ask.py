"""Asking the database: a page, a count, and the rows that includes want."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import orjson

from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.fhir.search.query import Chain, Condition, Has, OneOf, Query
from service.kernel.failures import Refused
from service.store.search import plan
from service.store.search.statement import Eyes, Statement

Place = tuple[str, ...]
"""Where a row is in the order of its search. Opaque: only a search with the same Query understands it.

Its first member says which statement found the row: `a` the only or first one, `b` the second.
"""

START: Place = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in order, each with its place. `more`: the database had at least one further row."""

    rows: list[tuple[Row, Place]]
    more: bool


_BEGIN = """BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL max_parallel_workers_per_gather = 0"""


@asynccontextmanager
async def snapshot(connection: Any) -> AsyncIterator[Any]:
    """One view of the data for a page, its includes and its total; every statement planned for its values.

    (After five runs PostgreSQL would plan once for all values: 20 ms instead of 0.8 for a rare key. Starting
    a parallel worker costs 5 ms, more than a page does.)
    """
    await connection.execute(_BEGIN)
    try:
        yield connection
    except asyncpg.QueryCanceledError as error:
        text = "the search took too long and was given up; please narrow it"
        raise Refused("malformed", text, [Issue("error", "too-costly", text)]) from error
    finally:
        await connection.execute("ROLLBACK")


FEW = 1000
"""Targets up to which a chain is followed by the index of keys."""


async def sized(connection: Any, query: Query, eyes: Eyes) -> Query:
    """The query, its chains marked that lead over many. Asked of the database where the chain does not say it."""
    return replace(query, where=await _each(connection, query.where, eyes))


async def _each(connection: Any, where: tuple[Condition, ...], eyes: Eyes) -> tuple[Condition, ...]:
    if not any(isinstance(each, Chain | Has | OneOf) for each in where):
        return where
    return tuple([await _one(connection, each, eyes) for each in where])


async def _one(connection: Any, condition: Condition, eyes: Eyes) -> Condition:
    match condition:
        case Chain():
            where = await _each(connection, condition.where, eyes)
            broad = not any(plan.picks_few(each) for each in where)
            if broad:
                statement = Statement(eyes)
                inner = plan.counting(statement, Query((condition.target,), where))
                text = f"SELECT count(*) FROM (SELECT 1 {inner} LIMIT {FEW + 1}) few"  # noqa: S608
                broad = await connection.fetchval(text, *statement.values) > FEW
            return replace(condition, where=where, broad=broad)
        case Has():
            return replace(condition, where=await _each(connection, condition.where, eyes))
        case OneOf():
            return OneOf(tuple([await _each(connection, each, eyes) for each in condition.alternatives]))
        case _:
            return condition


async def run(connection: Any, query: Query, eyes: Eyes, start: Place = START, limit: int = 0) -> Page:
    """The first `limit` rows (by default the query's count) behind `start`."""
    limit = limit or query.count
    query = await sized(connection, query, eyes)
    chosen = plan.plan_of(query)
    if chosen != "walked":
        build = plan.gathered if chosen == "gathered" else plan.plain
        return _page(
            await _rows(connection, build, query, eyes, place=start[1:], limit=limit + 1), "a", limit
        )
    found: list[Any] = []
    if start[:1] != ("b",):
        found = await _rows(connection, plan.walked, query, eyes, place=start[1:], limit=limit + 1)
    page = _page(found, "a", limit)
    if page.more:
        return page
    behind = start[1:] if start[:1] == ("b",) else ()
    rest = await _rows(connection, plan.valueless, query, eyes, place=behind, limit=limit + 1 - len(found))
    tail = _page(rest, "b", limit - len(found))
    return Page(page.rows + tail.rows, tail.more)


async def _rows(
    connection: Any, build: Any, query: Query, eyes: Eyes, *, place: Place, limit: int
) -> list[Any]:
    statement = Statement(eyes)
    text = build(statement, query, place, limit)
    return [] if text is None else list(await connection.fetch(text, *statement.values))


def _page(records: list[Any], part: str, limit: int) -> Page:
    rows = [(_row(record), (part, *record["place"])) for record in records[:limit]]
    return Page(rows, len(records) > limit)


def _row(record: Any) -> Row:
    return Row(*tuple(record)[: len(plan.COLUMNS)])


async def count(connection: Any, query: Query, eyes: Eyes) -> int:
    """How many match, exactly."""
    query = await sized(connection, query, eyes)
    statement = Statement(eyes)
    text = f"SELECT count(*) {plan.counting(statement, query)}"
    return int(await connection.fetchval(text, *statement.values))


async def estimate(connection: Any, query: Query, eyes: Eyes) -> int:
    """How many the planner expects to match."""
    query = await sized(connection, query, eyes)
    statement = Statement(eyes)
    text = f"EXPLAIN (FORMAT JSON) SELECT 1 {plan.counting(statement, query)}"
    found = orjson.loads(await connection.fetchval(text, *statement.values))
    return int(found[0]["Plan"]["Plan Rows"])


async def matching_ids(connection: Any, query: Query, eyes: Eyes, limit: int, behind: str = "") -> list[str]:
    """Ids of the first matches behind an id; for conditional interactions, inside the unit that will write."""
    query = await sized(connection, query, eyes)
    statement = Statement(eyes)
    cover = f"{plan.counting(statement, query)} AND r.id > {statement.bind(behind)}"
    text = f"SELECT r.id {cover} ORDER BY r.id LIMIT {statement.bind(limit, 'int')}"
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    found = await connection.fetch(text, *statement.values)
    await connection.execute("SET LOCAL plan_cache_mode = auto")
    return [record["id"] for record in found]


async def referring(connection: Any, source: str, keys: Sequence[str], eyes: Eyes, limit: int) -> list[Row]:
    """The rows of a type that carry at least one of the search keys: what `_revinclude` adds."""
    statement = Statement(eyes)
    text = (
        f"SELECT {', '.join(f'r.{name}' for name in plan.COLUMNS)} FROM resource r"  # noqa: S608
        f" WHERE r.type = {statement.bind(source)} AND {statement.visible('r')} AND r.keys &&"
        f" ARRAY(SELECT hashtextextended(k, 0) FROM unnest({statement.bind(list(keys), 'text[]')}) k)"
        f" ORDER BY r.id LIMIT {statement.bind(limit, 'int')}"
    )
    return [_row(record) for record in await connection.fetch(text, *statement.values)]
