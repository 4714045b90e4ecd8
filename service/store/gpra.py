"""GPRA clients and interviews as they are on record."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from service.coordination.gpra.windows import Held
from service.store.unit import Unit

_COLUMNS = (
    "i.grant_no, i.gpra_id, i.type, i.sequence, i.day, i.conducted, i.follow_up, c.patient, i.gender, i.tool"
)
_FROM = "FROM gpra_interview i JOIN gpra_client c USING (grant_no, gpra_id)"


async def of_client(connection: Any, grant: str, client: str) -> list[Held]:
    """The interviews of one client under a grant."""
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE i.grant_no = $1 AND i.gpra_id = $2 ORDER BY i.sequence, i.day"
    return [Held(*each) for each in await connection.fetch(sql, grant, client)]


async def of_grant(connection: Any, grant: str | None) -> list[Held]:
    """The interviews under a grant, or under all."""
    sql = f"""SELECT {_COLUMNS} {_FROM} WHERE $1::text IS NULL OR i.grant_no = $1
              ORDER BY i.grant_no, i.gpra_id, i.sequence, i.day, i.type"""
    return [Held(*each) for each in await connection.fetch(sql, grant)]


async def record_of(connection: Any, held: Held) -> str | None:
    """The record that an interview of this key is on record as."""
    found = await connection.fetchrow(
        """SELECT record FROM gpra_interview
           WHERE grant_no = $1 AND gpra_id = $2 AND type = $3 AND sequence = $4 AND tool = $5""",
        held.grant, held.client, held.type, held.sequence, held.tool,
    )  # fmt: skip
    return str(found["record"]) if found else None


async def known_as(unit: Unit, held: Held) -> Sequence[tuple[str, str]]:
    """Make this client known under this id, unless either is taken: then (id, client) of what takes it comes back.

    An id without any interview left, a slip of the pen that was corrected, takes nothing.
    """
    key = (held.grant, held.client, held.patient)
    await unit.execute(
        """DELETE FROM gpra_client c WHERE grant_no = $1 AND (gpra_id = $2 OR patient = $3)
             AND NOT EXISTS (SELECT 1 FROM gpra_interview i WHERE (i.grant_no, i.gpra_id) = (c.grant_no, c.gpra_id))""",
        *key,
    )
    await unit.execute(
        "INSERT INTO gpra_client (grant_no, gpra_id, patient) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        *key,
    )
    found = await unit.fetch(
        """SELECT gpra_id, patient FROM gpra_client
           WHERE grant_no = $1 AND (gpra_id = $2) <> (patient = ANY(same_person($3)))""", *key
    )  # fmt: skip
    return [(each["gpra_id"], each["patient"]) for each in found]


async def forget(unit: Unit, source: str, record: str) -> None:
    """This record is no interview (any more)."""
    await unit.execute("DELETE FROM gpra_interview WHERE source = $1 AND record = $2", source, record)


async def keep(unit: Unit, source: str, record: str, held: Held) -> None:
    """Write the interview that this record is, in place of what it was; its client is known (`known_as`)."""
    await unit.execute(
        """INSERT INTO gpra_interview
             (grant_no, gpra_id, type, sequence, source, record, day, conducted, follow_up, gender, tool)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        held.grant, held.client, held.type, held.sequence, source, record, held.day, held.conducted, held.follow_up,
        held.gender, held.tool,
    )  # fmt: skip


async def placed(connection: Any, grant: str | None) -> list[tuple[str, str, Held]]:
    """The interviews under a grant, or all, with source and id of the record each was filed as, client by client."""
    sql = f"""SELECT i.source, i.record, {_COLUMNS} {_FROM} WHERE $1::text IS NULL OR i.grant_no = $1
              ORDER BY i.grant_no, i.gpra_id, i.sequence, i.day, i.type"""
    return [(each[0], each[1], Held(*tuple(each)[2:])) for each in await connection.fetch(sql, grant)]


async def newest_intake(connection: Any, patient: str) -> date | None:
    """The day of the newest intake interview of a client (`Patient/…`), under any grant."""
    found = await connection.fetchrow(
        f"SELECT max(i.day) AS day {_FROM} WHERE c.patient = $1 AND i.type = 'intake'",
        patient,
    )
    return found["day"] if found else None
