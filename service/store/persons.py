"""Patients that are one person: `same_person` of the database, and the acts that made it so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.fhir.row import Row
from service.store.resources import COLUMNS, row
from service.store.unit import Unit

LOCK = "persons"
"""Held by every merge and every undoing of one: there are few, and each sees what the one before did."""


@dataclass(frozen=True, slots=True)
class Merged:
    """See schema.Merged."""

    id: str
    source: str
    target: str
    at: datetime
    by: str
    links: bool
    active: bool | None


_COLUMNS = ", ".join(Merged.__dataclass_fields__)


async def group(connection: Any, patient: str) -> list[str]:
    """Every Patient that is this person, the target of all first; itself alone where it was never merged."""
    found = await connection.fetchrow("SELECT same_person($1)", patient)
    return list(found[0])


async def groups(connection: Any, patients: Sequence[str]) -> dict[str, list[str]]:
    """As `group`, of those only that are one with others."""
    found = await connection.fetch(
        "SELECT p, same_person(p) FROM unnest($1::text[]) p WHERE EXISTS (SELECT 1 FROM one_person WHERE patient = p)",
        list(patients),
    )
    return {each[0]: list(each[1]) for each in found}


async def of_patient(connection: Any, patient: str) -> list[Merged]:
    """The merges in force that name this Patient, as source first."""
    found = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM merged WHERE ended IS NULL AND $1 IN (source, target)
            ORDER BY source <> $1, at, id""",  # noqa: S608
        patient,
    )
    return [Merged(*each) for each in found]


_PAPERS = f"""
WITH one AS (
  SELECT a.p AS asked, a.p AS patient, NULL::timestamptz AS since FROM unnest($1::text[]) a(p)
  UNION ALL
  SELECT m.patient, g.patient, greatest(m.since, g.since)
  FROM unnest($1::text[]) a(p) JOIN one_person m ON m.patient = a.p
  JOIN one_person g ON g.root = m.root AND g.patient <> m.patient)
SELECT one.asked, one.since, {", ".join(f"r.{name}" for name in COLUMNS.split(", "))}
FROM one JOIN resource r ON r.patient = one.patient WHERE r.type = ANY($2::text[]) AND NOT r.deleted"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Paper:
    """A consent or care team that counts for `patient`. `since`: it is of another Patient, who is the same person since
    this moment; None: its own."""

    patient: str
    since: datetime | None
    row: Row


async def papers(connection: Any, patients: Sequence[str], types: Sequence[str]) -> list[Paper]:
    """Every live resource of these types of these Patients, and of those who are the same person."""
    found = await connection.fetch(_PAPERS, list(patients), list(types))
    return [Paper(each[0], each[1], row(tuple(each)[2:])) for each in found]


async def merge(unit: Unit, act: Merged) -> None:
    """The source, and whoever is one with it, are one with the target from now on."""
    await unit.execute(
        f"INSERT INTO merged ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)",  # noqa: S608
        *(getattr(act, name) for name in Merged.__dataclass_fields__),
    )
    await unit.execute(
        "UPDATE one_person SET root = $2, since = $3 WHERE root = $1", act.source, act.target, act.at
    )
    await unit.execute(
        """INSERT INTO one_person (patient, root, since) VALUES ($1, $2, $3), ($2, $2, $3)
           ON CONFLICT (patient) DO NOTHING""",
        act.source, act.target, act.at,
    )  # fmt: skip


async def part(unit: Unit, act: Merged, now: datetime) -> None:
    """The merge is taken back: who was one with the source by other merges stays one with it."""
    await unit.execute("UPDATE merged SET ended = $2 WHERE id = $1", act.id, now)
    apart = [each[0] for each in await unit.fetch(
        """WITH RECURSIVE apart(patient) AS (
             SELECT $1::text COLLATE "C"
             UNION SELECT m.source FROM merged m JOIN apart a ON m.target = a.patient WHERE m.ended IS NULL)
           SELECT patient FROM apart""",
        act.source,
    )]  # fmt: skip
    await unit.execute("UPDATE one_person SET root = $2 WHERE patient = ANY($1)", apart, act.source)
    await unit.execute(
        """DELETE FROM one_person p WHERE NOT EXISTS (
             SELECT 1 FROM one_person q WHERE q.root = p.root AND q.patient <> p.patient)"""
    )


async def stir(unit: Unit, patients: Sequence[str]) -> None:
    """What is due to these, and what is done for them twice, is looked at again."""
    await unit.execute("INSERT INTO stirred (patient) SELECT unnest($1::text[])", list(patients))
    await unit.execute("INSERT INTO uncompared (patient) SELECT unnest($1::text[])", list(patients))


async def filed_since(connection: Any, patient: str, since: datetime) -> list[str]:
    """References of what was first filed about a Patient after a moment and is still there."""
    found = await connection.fetch(
        """SELECT r.type || '/' || r.id FROM resource r WHERE r.patient = $1 AND NOT r.deleted AND r.type <> 'Patient'
             AND coalesce((SELECT v.updated FROM resource_version v
                           WHERE v.type = r.type AND v.id = r.id AND v.version = 1), r.updated) > $2
           ORDER BY 1""",
        patient, since,
    )  # fmt: skip
    return [each[0] for each in found]


async def counted(connection: Any, patients: Sequence[str]) -> int:
    """How many resources are about these Patients."""
    found = await connection.fetchrow(
        "SELECT count(*) FROM resource WHERE patient = ANY($1::text[]) AND NOT deleted AND type <> 'Patient'",
        list(patients),
    )
    return int(found[0])


async def open_courses(connection: Any, patients: Sequence[str]) -> list[str]:
    """Those of them whose case is open."""
    found = await connection.fetch(
        "SELECT patient FROM course WHERE closed IS NULL AND patient = ANY($1::text[]) ORDER BY patient",
        list(patients),
    )
    return [each[0] for each in found]


async def gpra_ids(connection: Any, patients: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Grants under which these Patients have more than one GPRA client id, with the ids."""
    found = await connection.fetch(
        """SELECT grant_no, array_agg(DISTINCT gpra_id) FROM gpra_client WHERE patient = ANY($1::text[])
           GROUP BY grant_no HAVING count(DISTINCT gpra_id) > 1 ORDER BY grant_no""",
        list(patients),
    )
    return [(each[0], sorted(each[1])) for each in found]
