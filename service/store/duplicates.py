"""Services of one client that may be one too many: whose to compare, what was found, what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Duplicate:
    """See schema.Duplicate."""

    id: str
    patient: str
    one: str
    two: str
    service: str
    grade: str
    rule: str
    hidden: tuple[str, ...]
    found: datetime
    until: date | None
    resolution: str = ""
    resolved: datetime | None = None
    reason: str = ""
    withdrawn: str = ""
    units: float | None = None
    weekly: float | None = None


_NAMES = tuple(Duplicate.__dataclass_fields__)
_COLUMNS = ", ".join(_NAMES)
_TAKE = """
WITH told AS (
  DELETE FROM uncompared WHERE id IN (SELECT id FROM uncompared ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
  RETURNING patient
), over AS (
  SELECT patient FROM duplicate WHERE resolution = '' AND until < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
)
SELECT DISTINCT patient FROM (SELECT patient FROM told UNION ALL SELECT patient FROM over) p ORDER BY patient"""


async def take(unit: Unit, today: date, limit: int) -> list[str]:
    """Patients (`Patient/…`) whose services are to be compared; with the commit they are."""
    return [each[0] for each in await unit.fetch(_TAKE, today, limit)]


async def out(unit: Unit, patient: str) -> None:
    """This one's are compared, with the commit."""
    await unit.execute("DELETE FROM uncompared WHERE patient = $1", patient)


async def behind(unit: Unit, patient: str) -> None:
    """This one's could not be compared: others first."""
    await unit.execute(
        """WITH gone AS (DELETE FROM uncompared WHERE patient = $1 RETURNING patient)
           INSERT INTO uncompared (patient) SELECT DISTINCT patient FROM gone""",
        patient,
    )


async def of_patients(connection: Any, patients: Sequence[str]) -> dict[str, Duplicate]:
    """Everything ever found of these, who are one client, by id."""
    sql = f"SELECT {_COLUMNS} FROM duplicate WHERE patient = ANY($1::text[])"  # noqa: S608
    return {each[0]: _read(each) for each in await connection.fetch(sql, list(patients))}


async def everything(connection: Any) -> list[Duplicate]:
    """Everything ever found, oldest first: for reports."""
    sql = f"SELECT {_COLUMNS} FROM duplicate ORDER BY found, id"  # noqa: S608
    return [_read(each) for each in await connection.fetch(sql)]


async def keep(unit: Unit, found: Sequence[Duplicate]) -> None:
    """Write these, new or changed."""
    places = ", ".join(f"${number}" for number in range(1, len(_NAMES) + 1))
    changed = ", ".join(f"{name} = EXCLUDED.{name}" for name in _NAMES[1:])
    sql = f"INSERT INTO duplicate ({_COLUMNS}) VALUES ({places}) ON CONFLICT (id) DO UPDATE SET {changed}"  # noqa: S608
    for each in found:
        values = [getattr(each, name) for name in _NAMES]
        await unit.execute(sql, *(list(value) if isinstance(value, tuple) else value for value in values))


async def hide(unit: Unit, party: str, id_: str) -> None:
    """What was made known to a party of this one is known to it no more."""
    await unit.execute("DELETE FROM share WHERE party = $1 AND id = $2 AND loop = $2", party, id_)


def _read(row: Any) -> Duplicate:
    said = dict(zip(_NAMES, row, strict=True))
    return Duplicate(**{**said, "hidden": tuple(said["hidden"])})
