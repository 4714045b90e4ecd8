"""Casework records under the casework system's own ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as it was written, and the resources (`Type/id`) it became."""

    source: str
    kind: str
    id: str
    version: int
    updated: datetime
    deleted: bool
    body: bytes
    resources: list[str]
    mapping: str = "1"
    """The version of the mapping that made the resources."""


_COLUMNS = ", ".join(Kept.__dataclass_fields__)


async def find(connection: Any, source: str, kind: str, id_: str) -> Kept | None:
    """The current record, deleted or not."""
    sql = f"SELECT {_COLUMNS} FROM record WHERE source = $1 AND kind = $2 AND id = $3"  # noqa: S608
    found = await connection.fetchrow(sql, source, kind, id_)
    return Kept(*found) if found else None


async def those(connection: Any, source: str, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Kept]:
    """The current records of these (kind, id), deleted or not, in one question."""
    sql = f"""SELECT {_COLUMNS} FROM record
              WHERE source = $1 AND (kind, id) IN (SELECT * FROM unnest($2::text[], $3::text[]))"""  # noqa: S608
    found = await connection.fetch(sql, source, [kind for kind, _ in keys], [id_ for _, id_ in keys])
    return {(row[1], row[2]): Kept(*row) for row in found}


async def becoming(connection: Any, source: str, reference: str) -> Kept | None:
    """The record that a resource (`Type/id`) was made from."""
    sql = f"SELECT {_COLUMNS} FROM record WHERE source = $1 AND $2 = ANY(resources) LIMIT 1"  # noqa: S608
    found = await connection.fetchrow(sql, source, reference)
    return Kept(*found) if found else None


async def about(connection: Any, source: str, kind: str, patient: str) -> list[Kept]:
    """The living records of a kind about a client (`Patient/…`)."""
    sql = f"""SELECT {_COLUMNS} FROM record WHERE source = $1 AND kind = $2 AND NOT deleted AND resources && ARRAY(
                SELECT type || '/' || id FROM resource WHERE patient = $3 AND author = $1)"""  # noqa: S608
    return [Kept(*each) for each in await connection.fetch(sql, source, kind, patient)]


async def of_kind(connection: Any, kind: str) -> list[Kept]:
    """Every living record of a kind, oldest first: for kinds of which there are few, like agencies."""
    sql = f"SELECT {_COLUMNS} FROM record WHERE kind = $1 AND NOT deleted ORDER BY updated, id"  # noqa: S608
    return [Kept(*each) for each in await connection.fetch(sql, kind)]


async def keep(unit: Unit, kept: Kept) -> None:
    """Write this version of the record; the one before is kept among its versions."""
    await unit.execute(
        f"""WITH past AS (
              INSERT INTO record_version ({_COLUMNS}) SELECT {_COLUMNS} FROM record
              WHERE source = $1 AND kind = $2 AND id = $3 AND version < $4)
            INSERT INTO record ({_COLUMNS}) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)
            ON CONFLICT (source, kind, id) DO UPDATE SET version = EXCLUDED.version, updated = EXCLUDED.updated,
              deleted = EXCLUDED.deleted, body = EXCLUDED.body, resources = EXCLUDED.resources,
              mapping = EXCLUDED.mapping""",  # noqa: S608
        *(getattr(kept, name) for name in Kept.__dataclass_fields__),
    )


async def versions(
    connection: Any, source: str, kind: str, id_: str, before: int | None, limit: int
) -> list[Kept]:
    """Up to `limit` versions older than `before`, newest first, deletions among them."""
    one = f"SELECT {_COLUMNS} FROM {{}} WHERE source = $1 AND kind = $2 AND id = $3"  # noqa: S608
    both = f"{one.format('record')} UNION ALL {one.format('record_version')}"
    sql = f"SELECT * FROM ({both}) v WHERE $4::int IS NULL OR version < $4 ORDER BY version DESC LIMIT $5"  # noqa: S608
    return [Kept(*row) for row in await connection.fetch(sql, source, kind, id_, before, limit)]


async def everything(connection: Any, behind: tuple[str, str, str], limit: int) -> list[Kept]:
    """Up to `limit` living records behind this (source, kind, id), in that order."""
    sql = f"""SELECT {_COLUMNS} FROM record WHERE NOT deleted AND (source, kind, id) > ($1, $2, $3)
              ORDER BY source, kind, id LIMIT $4"""  # noqa: S608
    return [Kept(*row) for row in await connection.fetch(sql, *behind, limit)]
