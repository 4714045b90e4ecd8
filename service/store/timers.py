"""What is due: whose case to look at, what it is computed from, what was last told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from service.store.records import Kept
from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Item:
    """See schema.DueItem."""

    id: str
    patient: str
    timer: str
    subject: str
    due: datetime
    stage: str
    owner: str
    ended: datetime | None
    by: str
    task: bool
    told: bool


_ITEM = ", ".join(Item.__dataclass_fields__)
_KEPT = ", ".join(f"r.{name}" for name in Kept.__dataclass_fields__)
_FIRST = """coalesce((SELECT min(v.updated) FROM record_version v
  WHERE v.source = r.source AND v.kind = r.kind AND v.id = r.id
    AND (v.kind <> 'gpra-interviews'
      OR convert_from(v.body, 'UTF8')::json ->> 'status' IS DISTINCT FROM 'in-progress')), r.updated)"""
"""When a record was first filed; an interview, when it was first filed as no longer in progress."""

_TAKE = """
WITH told AS (
  DELETE FROM stirred WHERE id IN (SELECT id FROM stirred ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
  RETURNING patient
), late AS (
  SELECT patient FROM due_client WHERE look <= $1 ORDER BY look LIMIT $2 FOR UPDATE SKIP LOCKED
)
SELECT DISTINCT patient FROM (SELECT patient FROM told UNION ALL SELECT patient FROM late) p ORDER BY patient"""


async def take(unit: Unit, now: datetime, limit: int) -> list[str]:
    """Patients (`Patient/…`) to look at; with the commit they are looked at."""
    return [each[0] for each in await unit.fetch(_TAKE, now, limit)]


async def out(unit: Unit, patient: str) -> None:
    """This one is looked at, with the commit."""
    await unit.execute("DELETE FROM stirred WHERE patient = $1", patient)


async def behind(unit: Unit, patient: str, look: datetime) -> None:
    """This one could not be looked at: others first. Where nothing was filed, not before this instant."""
    await unit.execute(
        """WITH gone AS (DELETE FROM stirred WHERE patient = $1 RETURNING patient),
                later AS (UPDATE due_client SET look = greatest(look, $2) WHERE patient = $1)
           INSERT INTO stirred (patient) SELECT DISTINCT patient FROM gone""",
        patient, look,
    )  # fmt: skip


async def stir(unit: Unit, patient: str) -> None:
    """Look at this client, if the case is watched: something has changed that no resource tells of."""
    await unit.execute(
        "INSERT INTO stirred (patient) SELECT patient FROM due_client WHERE patient = $1", patient
    )


async def client_of(connection: Any, patient: str) -> Kept | None:
    """The living record of the client who is this Patient, or None: then nobody manages the case here."""
    sql = f"""SELECT {_KEPT} FROM record r WHERE r.kind = 'clients' AND NOT r.deleted
              AND r.resources @> ARRAY[$1::text] LIMIT 1"""  # noqa: S608
    found = await connection.fetchrow(sql, patient)
    return Kept(*found) if found else None


async def of_client(connection: Any, source: str, patients: Sequence[str]) -> list[tuple[Kept, datetime]]:
    """Every living record about these Patients, who are one client, with when it was first filed."""
    found = await connection.fetch(
        f"""SELECT {_KEPT}, {_FIRST} FROM record r
            WHERE r.source = $1 AND NOT r.deleted AND r.resources && ARRAY(
              SELECT type || '/' || id FROM resource WHERE patient = ANY($2::text[]) AND NOT deleted AND author = $1)
            ORDER BY r.kind, r.id""",  # noqa: S608
        source, list(patients),
    )  # fmt: skip
    return [(Kept(*each[:-1]), each[-1]) for each in found]


async def everything(
    connection: Any, source: str, behind: tuple[str, str], limit: int
) -> list[tuple[Kept, datetime]]:
    """Up to `limit` living records behind this (kind, id), with when each was first filed."""
    found = await connection.fetch(
        f"""SELECT {_KEPT}, {_FIRST} FROM record r WHERE r.source = $1 AND NOT r.deleted AND (r.kind, r.id) > ($2, $3)
            ORDER BY r.kind, r.id LIMIT $4""",  # noqa: S608
        source, *behind, limit,
    )  # fmt: skip
    return [(Kept(*each[:-1]), each[-1]) for each in found]


async def former(
    connection: Any, source: str, client: str | None
) -> list[tuple[str, int, bytes, datetime, datetime]]:
    """Former versions of a client's record, or of everybody's, with another intensity than now or on a waiting list:
    client, version, body, when it was filed, and when the next one was."""
    found = await connection.fetch(
        """SELECT v.id, v.version, v.body, v.updated, coalesce(n.updated, r.updated)
           FROM record_version v JOIN record r USING (source, kind, id)
           LEFT JOIN record_version n ON (n.source, n.kind, n.id, n.version) = (v.source, v.kind, v.id, v.version + 1)
           WHERE v.source = $1 AND v.kind = 'clients' AND ($2::text IS NULL OR v.id = $2) AND NOT v.deleted
             AND (position('"waitlist"'::bytea IN v.body) > 0
               OR (convert_from(v.body, 'UTF8')::jsonb #>> '{episode,intensity}')
               IS DISTINCT FROM (convert_from(r.body, 'UTF8')::jsonb #>> '{episode,intensity}'))
           ORDER BY v.id, v.version""",
        source, client,
    )  # fmt: skip
    return [tuple(each) for each in found]


_STEPS = """
SELECT l.patient, l.record, l.direction, v.updated, v.body
FROM loop l CROSS JOIN LATERAL (
  SELECT updated, body FROM resource r WHERE r.type = 'Task' AND r.id = l.id AND r.body IS NOT NULL
  UNION ALL
  SELECT updated, body FROM resource_version h WHERE h.type = 'Task' AND h.id = l.id AND h.body IS NOT NULL) v
WHERE l.source = $1 AND ($2::text IS NULL OR l.patient = $2)"""


async def steps(
    connection: Any, source: str, patient: str | None
) -> list[tuple[str, str, str, datetime, bytes]]:
    """Every version of the Tasks of a client's referrals, or of everybody's: patient, record, direction, when, body."""
    return [tuple(each) for each in await connection.fetch(_STEPS, source, patient)]


_SENT = """
SELECT r.patient, v.updated, v.body
FROM resource r CROSS JOIN LATERAL (
  SELECT r.updated, r.body UNION ALL
  SELECT h.updated, h.body FROM resource_version h
  WHERE h.type = r.type AND h.id = r.id AND h.body IS NOT NULL) v
WHERE r.patient = ANY($2::text[]) AND r.type IN ('Encounter', 'Communication') AND NOT r.deleted
  AND r.author <> $1"""


async def sent(connection: Any, source: str, patients: Sequence[str]) -> list[tuple[str, datetime, bytes]]:
    """Every version of what others say about encounters and communications of these clients."""
    return [tuple(each) for each in await connection.fetch(_SENT, source, list(patients))]


async def items(connection: Any, patient: str) -> dict[str, Item]:
    """What was last told of this client, by id."""
    sql = f"SELECT {_ITEM} FROM due_item WHERE patient = $1"  # noqa: S608
    return {each[0]: Item(*each) for each in await connection.fetch(sql, patient)}


async def by_hand(connection: Any) -> dict[str, datetime]:
    """Items that a person closed in the Task itself, by id, and when."""
    return {
        each[0]: each[1]
        for each in await connection.fetch("SELECT id, ended FROM due_item WHERE by = 'Task/' || id")
    }


async def keep_items(unit: Unit, kept: Sequence[Item]) -> None:
    """Write these items, new or changed."""
    await unit.execute(
        f"""INSERT INTO due_item ({_ITEM}) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
              $5::timestamptz[], $6::text[], $7::text[], $8::timestamptz[], $9::text[], $10::bool[], $11::bool[])
            ON CONFLICT (id) DO UPDATE SET due = EXCLUDED.due, stage = EXCLUDED.stage, owner = EXCLUDED.owner,
              ended = EXCLUDED.ended, by = EXCLUDED.by, task = EXCLUDED.task, told = EXCLUDED.told""",  # noqa: S608
        *([getattr(each, name) for each in kept] for name in Item.__dataclass_fields__),
    )


async def watch(unit: Unit, patient: str, source: str, client: str, look: datetime) -> None:
    """Look at this client again at this instant, whatever is filed meanwhile."""
    await unit.execute(
        """INSERT INTO due_client (patient, source, client, look) VALUES ($1, $2, $3, $4)
           ON CONFLICT (patient) DO UPDATE SET source = $2, client = $3, look = $4""",
        patient, source, client, look,
    )  # fmt: skip


async def forget(unit: Unit, patient: str) -> None:
    """This client's case is watched no more."""
    await unit.execute("DELETE FROM due_client WHERE patient = $1", patient)


async def look_at_all(unit: Unit) -> int:
    """Every case is looked at again as soon as a worker can: the calendar or the timers have changed."""
    done = await unit.execute("UPDATE due_client SET look = '-infinity'")
    return int(done.rpartition(" ")[2])


async def look_within(unit: Unit, now: datetime, span: timedelta) -> None:
    """Every case is looked at within this span, one here, one there."""
    await unit.execute(
        "UPDATE due_client SET look = LEAST(look, $1::timestamptz + random() * $2::interval)", now, span
    )


async def calendar(connection: Any, agency: str) -> tuple[str, list[int], list[date]] | None:
    """Zone, working week and holidays of an agency, if they were ever set."""
    sql = "SELECT zone, week, holidays FROM agency_calendar WHERE agency = $1"
    found = await connection.fetchrow(sql, agency)
    return tuple(found) if found else None


async def turns(
    connection: Any, source: str, patient: str | None
) -> list[tuple[str, datetime, str | None, list[int], list[date]]]:
    """Whose calendar counts from when on, by client (`Patient/…`): the leading agency's. A zone of None: it has none.
    Nothing where only the casework system has one."""
    found = await connection.fetch(
        """SELECT c.patient, l.starts, a.zone, a.week, a.holidays
           FROM lead l JOIN course c ON c.id = l.course
           LEFT JOIN LATERAL (SELECT a.* FROM partner p JOIN agency_calendar a ON a.agency = p.client_id
             WHERE p.organization = l.agency ORDER BY p.created_at LIMIT 1) a ON true
           WHERE c.source = $1 AND ($2::text IS NULL OR c.patient = $2)
             AND EXISTS (SELECT 1 FROM agency_calendar o WHERE o.agency <> $1)
           ORDER BY c.patient, l.starts""",
        source, patient,
    )  # fmt: skip
    return [tuple(each) for each in found]


async def set_calendar(
    unit: Unit, agency: str, zone: str, week: Sequence[int], holidays: Sequence[date]
) -> None:
    """Write an agency's calendar."""
    await unit.execute(
        """INSERT INTO agency_calendar (agency, zone, week, holidays) VALUES ($1, $2, $3, $4)
           ON CONFLICT (agency) DO UPDATE SET zone = $2, week = $3, holidays = $4""",
        agency, zone, list(week), list(holidays),
    )  # fmt: skip
