"""Casework records in a list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Listed:
    """A record without its content."""

    kind: str
    id: str
    version: int
    updated: datetime
    resources: list[str]


async def page(connection: Any, source: str, kind: str, after: str, limit: int) -> list[Listed]:
    """Living records of a kind behind an id, by id."""
    found = await connection.fetch(
        """SELECT kind, id, version, updated, resources FROM record
           WHERE source = $1 AND kind = $2 AND id > $3 AND NOT deleted ORDER BY id LIMIT $4""",
        source, kind, after, limit,
    )  # fmt: skip
    return [Listed(*each) for each in found]


async def newest_bodies(connection: Any, limit: int) -> list[tuple[str, str, str, bytes]]:
    """(source, kind, id, body) of the records written last."""
    found = await connection.fetch(
        "SELECT source, kind, id, body FROM record WHERE NOT deleted ORDER BY updated DESC LIMIT $1", limit
    )
    return [tuple(each) for each in found]
