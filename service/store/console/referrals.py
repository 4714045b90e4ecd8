"""Referral loops for people: with the partner's name, and the client and the request as they are now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.fhir.row import Row
from service.store.resources import COLUMNS, row


@dataclass(frozen=True, slots=True)
class Listed:
    """A loop in a list. `patient` and `request` are None where the resource is not here; `parent` is
    the loop that it passes on."""

    id: str
    direction: str
    record: str
    partner: str
    partner_id: str
    status: str
    closed: bool
    opened: datetime
    updated: datetime
    parent: str | None
    patient: Row | None
    request: Row | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which loops; None does not narrow. `stalled`: open and not moved since. `patient` is `Patient/…`."""

    status: str | None = None
    direction: str | None = None
    partner: str | None = None
    patient: str | None = None
    closed: bool | None = None
    stalled: datetime | None = None
    parent: str | None = None


_P, _S = (", ".join(f"{alias}.{name}" for name in COLUMNS.split(", ")) for alias in ("p", "s"))
_WIDTH = len(COLUMNS.split(", "))
_PAGE = f"""
SELECT l.id, l.direction, l.record, a.name, l.partner, l.status, l.closed, l.opened, l.updated, l.parent,
       {_P}, {_S}
FROM loop l JOIN partner a ON a.client_id = l.partner
LEFT JOIN resource p ON p.type = 'Patient' AND p.id = substr(l.patient, 9) AND NOT p.deleted
LEFT JOIN resource s ON s.type = split_part(l.request, '/', 1) AND s.id = split_part(l.request, '/', 2)
  AND NOT s.deleted
WHERE ($1::text IS NULL OR l.status = $1) AND ($2::text IS NULL OR l.direction = $2)
  AND ($3::text IS NULL OR l.partner = $3) AND ($4::text IS NULL OR l.patient = $4)
  AND ($5::boolean IS NULL OR l.closed = $5) AND ($6::timestamptz IS NULL OR (NOT l.closed AND l.updated < $6))
  AND ($7::timestamptz IS NULL OR (l.opened, l.id) < ($7, $8)) AND ($9::text IS NULL OR l.id = $9)
  AND ($11::text IS NULL OR l.parent = $11)
ORDER BY l.opened DESC, l.id DESC LIMIT $10"""  # noqa: S608


async def page(
    connection: Any, wanted: Wanted, before: tuple[datetime, str] | None, limit: int, id_: str | None = None
) -> list[Listed]:
    """Newest first, those opened before the place where the last page ended."""
    at, last = before or (None, "")
    found = await connection.fetch(
        _PAGE, wanted.status, wanted.direction, wanted.partner, wanted.patient, wanted.closed, wanted.stalled,
        at, last, id_, limit, wanted.parent,
    )  # fmt: skip
    return [_listed(tuple(each)) for each in found]


def _listed(values: tuple[Any, ...]) -> Listed:
    own, patient, request = values[:10], values[10 : 10 + _WIDTH], values[10 + _WIDTH :]
    return Listed(*own, *(row(each) if each[0] else None for each in (patient, request)))


@dataclass(frozen=True, slots=True)
class News:
    """An event of the feed, with the cursor that stands on it."""

    cursor: str
    kind: str
    at: datetime
    body: bytes


async def events_about(
    connection: Any, source: str, words: bytes, since: datetime, until: datetime, limit: int
) -> list[News]:
    """Events of a span that hold these bytes (the referral's own id, quoted), oldest first."""
    found = await connection.fetch(
        """SELECT xid::text || '-' || id, kind, at, body FROM event
           WHERE source = $1 AND at BETWEEN $3 AND $4 AND position($2::bytea IN body) > 0 ORDER BY xid, id LIMIT $5""",
        source, words, since, until, limit,
    )  # fmt: skip
    return [News(*each) for each in found]


async def events_before(
    connection: Any, source: str, before: tuple[int, int] | None, kind: str | None, limit: int
) -> list[News]:
    """The feed from its end, newest first."""
    xid, number = before or (None, 0)
    found = await connection.fetch(
        """SELECT xid::text || '-' || id, kind, at, body FROM event
           WHERE source = $1 AND xid < pg_snapshot_xmin(pg_current_snapshot())
             AND ($2::text IS NULL OR (xid, id) < ($2::text::xid8, $3)) AND ($4::text IS NULL OR kind = $4)
           ORDER BY xid DESC, id DESC LIMIT $5""",
        source, str(xid) if xid is not None else None, number, kind, limit,
    )  # fmt: skip
    return [News(*each) for each in found]
