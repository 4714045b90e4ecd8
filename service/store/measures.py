"""What measures count that stands in no record: referral loops with their areas, and how many have led a client."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A referral loop. `request` is its ServiceRequest as it is now, None where it is not here."""

    id: str
    direction: str
    partner: str
    record: str
    patient: str
    status: str
    closed: bool
    opened: datetime
    updated: datetime
    request: bytes | None


_EXCHANGED = """
SELECT l.id, l.direction, p.name, l.record, l.patient, l.status, l.closed, l.opened, l.updated, r.body
FROM loop l JOIN partner p ON p.client_id = l.partner
LEFT JOIN resource r ON r.type = split_part(l.request, '/', 1) AND r.id = split_part(l.request, '/', 2)
  AND NOT r.deleted
WHERE l.source = $1 ORDER BY l.opened, l.id"""


async def exchanged(connection: Any, source: str) -> list[Exchanged]:
    """Every loop of a casework system, oldest first."""
    return [Exchanged(*each) for each in await connection.fetch(_EXCHANGED, source)]


_WORKERS = """
SELECT patient, bool_or(open) AS open, count(DISTINCT who) AS workers, min(since) AS since FROM (
  SELECT c.patient, c.closed IS NULL AS open, COALESCE(NULLIF(l.person, ''), l.worker) AS who, l.starts AS since
  FROM course c JOIN lead l ON l.course = c.id WHERE c.source = $1
  UNION ALL
  SELECT c.patient, c.closed IS NULL, COALESCE(NULLIF(v.person, ''), v.worker), v.starts
  FROM course c JOIN cover v ON v.course = c.id WHERE c.source = $1) everybody
GROUP BY patient ORDER BY patient"""


async def workers(connection: Any, source: str) -> list[tuple[str, bool, int, datetime]]:
    """Client (`Patient/…`), whether the case is open, how many have led or stood in, since when."""
    return [tuple(each) for each in await connection.fetch(_WORKERS, source)]


async def clients_of(connection: Any, patients: Sequence[str]) -> list[str]:
    """The record ids of the clients who are these Patients."""
    found = await connection.fetch(
        "SELECT id FROM record WHERE kind = 'clients' AND NOT deleted AND resources && $1::text[]",
        list(patients),
    )
    return [each["id"] for each in found]


@dataclass(frozen=True, slots=True)
class Tally:
    """See schema.tallies.Tally."""

    measure: str
    at: datetime
    since: date
    until: date
    body: bytes


async def tallies(connection: Any) -> dict[str, Tally]:
    """What was counted last, by measure."""
    found = await connection.fetch("SELECT measure, at, since, until, body FROM tally")
    return {each["measure"]: Tally(*each) for each in found}


async def keep_tallies(unit: Unit, kept: Sequence[Tally]) -> None:
    """In place of what was counted before."""
    await unit.execute(
        """INSERT INTO tally (measure, at, since, until, body)
           SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::date[], $4::date[], $5::bytea[])
           ON CONFLICT (measure) DO UPDATE SET at = EXCLUDED.at, since = EXCLUDED.since, until = EXCLUDED.until,
             body = EXCLUDED.body""",
        *([getattr(each, name) for each in kept] for name in Tally.__dataclass_fields__),
    )


async def clients(connection: Any) -> int:
    """How many clients there are to count."""
    return int(
        await connection.fetchval("SELECT count(*) FROM record WHERE kind = 'clients' AND NOT deleted")
    )
