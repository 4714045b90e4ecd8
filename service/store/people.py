"""Patients who may be one person: those that nobody has compared yet, and those that are somewhat alike."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.fhir.row import Row
from service.store.resources import COLUMNS, row
from service.store.unit import Unit

_TAKE = """
WITH taken AS (
  DELETE FROM newcomer WHERE (id, version) IN (
    SELECT id, version FROM newcomer ORDER BY id, version LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id)
SELECT DISTINCT id FROM taken ORDER BY id"""

_ALIKE = f"""
SELECT {COLUMNS} FROM resource r
WHERE r.type = 'Patient' AND NOT r.deleted AND r.id <> $1 AND (
  r.keys && ARRAY(SELECT hashtextextended(k, 0) FROM unnest($2::text[]) k)
  OR r.id IN (
    SELECT s.id FROM search_string s JOIN search_date d USING (type, id)
    WHERE s.type = 'Patient' AND s.param = $3 AND left(s.value, 200) = ANY($4::text[])
      AND d.param = $5 AND d.low = $6))
ORDER BY r.id LIMIT $7"""  # noqa: S608


async def take(unit: Unit, limit: int) -> list[str]:
    """Ids of newcomers of whom no other worker holds any; with the commit they are newcomers no more."""
    return [each[0] for each in await unit.fetch(_TAKE, limit)]


async def out(unit: Unit, id_: str) -> None:
    """This one is compared, with the commit."""
    await unit.execute("DELETE FROM newcomer WHERE id = $1", id_)


async def alike(
    connection: Any, id_: str, keys: Sequence[str], family: tuple[str, Sequence[str]],
    birth: tuple[str, datetime | None], limit: int,
) -> list[Row]:  # fmt: skip
    """Patients other than `id_` with one of the search keys, or with one of the folded family names and the birth
    date. `family` and `birth` are a search parameter's name and its values."""
    found = await connection.fetch(
        _ALIKE, id_, list(keys), family[0], [each[:200] for each in family[1]], *birth, limit
    )
    return [row(each) for each in found]
