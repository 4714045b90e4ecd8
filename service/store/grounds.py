"""Grounds other than consent, as recorded. An act is written once; only its end may come sooner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Ground:
    """One act on record. `party` is the recipient's client_id; `patients` and `types` None: all."""

    id: str
    basis: str
    party: str
    patients: list[str] | None
    types: list[str] | None
    purposes: list[str]
    document: str
    recipient: str
    affiliation: str
    discloser: str
    nature: str
    starts: datetime
    ends: datetime | None
    recorded: datetime
    recorded_by: str


_NAMES = tuple(Ground.__dataclass_fields__)
_COLUMNS = ", ".join(f"g.{name}" for name in _NAMES)
_SELECT = f"SELECT {_COLUMNS} FROM ground g"  # noqa: S608
_INSERT = f"""
INSERT INTO ground ({", ".join(_NAMES)}) VALUES ({", ".join(f"${n + 1}" for n in range(len(_NAMES)))})"""  # noqa: S608


async def add(unit: Unit, ground: Ground) -> None:
    """Record an act."""
    await unit.execute(_INSERT, *(getattr(ground, name) for name in _NAMES))


async def running(connection: Any, organization: str, now: datetime) -> list[Ground]:
    """What is in force for the enabled partners that are this Organization, the oldest first."""
    sql = f"""{_SELECT} JOIN partner p ON p.client_id = g.party
              WHERE p.organization = $1 AND p.disabled_at IS NULL
                AND g.starts <= $2 AND (g.ends IS NULL OR $2 < g.ends)
              ORDER BY g.recorded, g.id"""
    return [_ground(found) for found in await connection.fetch(sql, organization, now)]


async def known(connection: Any, ids: Sequence[str]) -> list[Ground]:
    """Those of these ids."""
    return [_ground(found) for found in await connection.fetch(f"{_SELECT} WHERE g.id = ANY($1)", list(ids))]


async def everything(connection: Any, limit: int) -> list[Ground]:
    """The newest first, over or not."""
    return [
        _ground(found)
        for found in await connection.fetch(f"{_SELECT} ORDER BY g.recorded DESC, g.id LIMIT $1", limit)
    ]


async def end(unit: Unit, id_: str, now: datetime) -> bool:
    """From the commit on it carries nothing more; False when there is none of this id that is running or to come."""
    sql = """UPDATE ground SET ends = greatest($2, starts) WHERE id = $1 AND (ends IS NULL OR ends > $2)"""
    return await unit.execute(sql, id_, now) == "UPDATE 1"


def _ground(record: Any) -> Ground:
    return Ground(**dict(zip(_NAMES, record, strict=True)))
