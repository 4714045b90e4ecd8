"""The search index as a whole: rows that other rules wrote, and writing them anew without another version."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from service.fhir.search import Indexed
from service.fhir.search.edition import EDITION
from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Held:
    """A resource whose index is to be written: its id and body."""

    id: str
    body: bytes


async def behind(connection: Any, types: Sequence[str], everything: bool) -> dict[str, int]:
    """How many live resources of each type other rules than ours have indexed (or simply all of them)."""
    found = await connection.fetch(
        "SELECT type, count(*) FROM resource WHERE type = ANY($1::text[]) AND NOT deleted"
        " AND ($2 OR indexed <> $3) GROUP BY type ORDER BY type",
        list(types),
        everything,
        EDITION,
    )
    return {each["type"]: each["count"] for each in found}


async def any_behind(connection: Any, types: Sequence[str], sample: int = 100) -> bool:
    """Whether other rules have indexed some of the rows of each type that were left alone longest."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM unnest($1::text[]) t(type), LATERAL (SELECT indexed FROM resource r"
            " WHERE r.type = t.type AND NOT deleted ORDER BY updated, id LIMIT $2) r WHERE r.indexed <> $3)",
            list(types),
            sample,
            EDITION,
        )
    )


async def take(unit: Unit, type_: str, after: str, limit: int, everything: bool) -> list[Held]:
    """The next of these in the order of ids, locked until the unit ends."""
    found = await unit.fetch(
        "SELECT id, body FROM resource WHERE type = $1 AND id > $2 AND NOT deleted AND ($3 OR indexed <> $4)"
        " ORDER BY id LIMIT $5 FOR UPDATE",
        type_,
        after,
        everything,
        EDITION,
        limit,
    )
    return [Held(*each) for each in found]


_REWRITE = f"""
WITH d AS (DELETE FROM search_date x WHERE x.type = $1 AND x.id = ANY($2::text[])
), s AS (DELETE FROM search_string x WHERE x.type = $1 AND x.id = ANY($2::text[])
), n AS (DELETE FROM search_number x WHERE x.type = $1 AND x.id = ANY($2::text[]))
UPDATE resource r SET orders = p.orders::jsonb, indexed = {EDITION},
  keys = ARRAY(SELECT hashtextextended(k, 0) FROM unnest(string_to_array(p.keys, E'\\x1e')) k)
FROM unnest($2::text[], $3::text[], $4::text[]) AS p(id, keys, orders)
WHERE r.type = $1 AND r.id = p.id"""  # noqa: S608

_VALUES = """
WITH d AS (
  INSERT INTO search_date (type, param, id, low, high)
  SELECT $1, * FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])
), s AS (
  INSERT INTO search_string (type, param, id, value, exact)
  SELECT $1, * FROM unnest($6::text[], $7::text[], $8::text[], $9::text[])
)
INSERT INTO search_number (type, param, id, low, high, unit)
SELECT $1, * FROM unnest($10::text[], $11::text[], $12::numeric[], $13::numeric[], $14::text[])"""


async def rewrite(unit: Unit, type_: str, found: Sequence[tuple[str, Indexed]]) -> None:
    """What finds these resources of a type, instead of what did; they stay as they are in all else."""
    await unit.execute(
        _REWRITE,
        type_,
        [id_ for id_, _ in found],
        ["\x1e".join(each.keys) for _, each in found],
        [orjson.dumps(each.orders).decode() for _, each in found],
    )
    dates = [(param, id_, *rest) for id_, each in found for param, *rest in each.dates]
    strings = [(param, id_, *rest) for id_, each in found for param, *rest in each.strings]
    numbers = [(param, id_, *rest) for id_, each in found for param, *rest in each.numbers]
    columns = [
        [row[at] for row in rows]
        for rows, width in ((dates, 4), (strings, 4), (numbers, 5))
        for at in range(width)
    ]
    await unit.execute(_VALUES, type_, *columns)
