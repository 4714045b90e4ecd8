"""The events feed: what partners did, in order, never lost.

A sequence alone loses events: a row with a lower number may commit after one with a higher number was read.
So the cursor is (transaction id, number), and a read stops at the oldest transaction still running.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.kernel.failures import Refused


@dataclass(frozen=True, slots=True)
class Stored:
    """One event with the cursor that stands just behind it."""

    cursor: str
    kind: str
    at: datetime
    body: bytes


def parse_cursor(text: str | None) -> tuple[int, int]:
    """`XID-NUMBER`; None or empty is the beginning. Refused("malformed") for anything else."""
    if not text:
        return (0, 0)
    left, _, right = text.partition("-")
    if not (left.isdecimal() and right.isdecimal() and len(text) <= 40):
        raise Refused("malformed", "`after` is not a cursor of this feed")
    return (int(left), int(right))


async def after(connection: Any, source: str, cursor: tuple[int, int], limit: int) -> list[Stored]:
    """Up to `limit` events of `source` behind the cursor, in order."""
    found = await connection.fetch(
        """SELECT xid::text || '-' || id, kind, at, body FROM event
           WHERE source = $1 AND (xid, id) > ($2::text::xid8, $3) AND xid < pg_snapshot_xmin(pg_current_snapshot())
           ORDER BY xid, id LIMIT $4""",
        source, str(cursor[0]), cursor[1], limit,
    )  # fmt: skip
    return [Stored(*each) for each in found]


async def newest(connection: Any, source: str) -> tuple[int, int]:
    """The cursor behind the last event of `source` that a reader could have seen."""
    found = await connection.fetchrow(
        """SELECT xid::text, id FROM event
           WHERE source = $1 AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid DESC, id DESC LIMIT 1""",
        source,
    )
    return (int(found[0]), found[1]) if found else (0, 0)
