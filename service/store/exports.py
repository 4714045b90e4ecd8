"""Bulk exports as they are remembered: leased page by page, each page with the place behind it in one commit."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from service.store.unit import Unit

Kind = Literal["output", "deleted", "error"]
MOST_A_FILE = 50_000


@dataclass(frozen=True, slots=True)
class Export:
    """See schema.exports.Export."""

    id: str
    partner: str
    level: str
    request: str
    types: list[str]
    filters: list[str]
    patients: list[str] | None
    scopes: list[str]
    since: datetime | None
    asked: datetime
    state: str
    step: int
    place: list[str]
    notes: list[str]
    why: str
    attempts: int
    due: datetime
    lease: str | None
    lease_until: datetime | None
    polled: datetime | None
    expires: datetime

    @property
    def steps(self) -> list[tuple[Kind, str]]:
        """What is to be looked through, in order. Deletions are told to whoever asks for changes since a moment."""
        outputs: list[tuple[Kind, str]] = [("output", each) for each in self.types]
        return outputs + ([("deleted", each) for each in self.types] if self.since else [])


@dataclass(frozen=True, slots=True)
class File:
    """See schema.exports.ExportFile."""

    id: str
    export: str
    kind: Kind
    type: str
    number: int
    count: int


_NAMES = tuple(Export.__dataclass_fields__)
_COLUMNS = ", ".join(f"e.{name}" for name in _NAMES)
_FILE = ", ".join(File.__dataclass_fields__)


def unguessable() -> str:
    """192 bits: who was not told it does not find it."""
    return secrets.token_urlsafe(24)


async def put(unit: Unit, one: Export) -> None:
    """Remember what was asked; a worker takes it when it is due."""
    values = [getattr(one, name) for name in _NAMES]
    marks = ", ".join(f"${place}" for place in range(1, len(_NAMES) + 1))
    await unit.execute(f"INSERT INTO export ({', '.join(_NAMES)}) VALUES ({marks})", *values)  # noqa: S608


async def known(connection: Any, id_: str, partner: str) -> Export | None:
    """An export of this partner; another's is none."""
    found = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM export e WHERE e.id = $1 AND e.partner = $2",  # noqa: S608
        id_,
        partner,
    )
    return Export(*found) if found else None


async def running(unit: Unit, partner: str) -> int:
    """How many of a partner's exports are under way."""
    found = await unit.fetchrow(
        "SELECT count(*) FROM export WHERE partner = $1 AND state = 'running'", partner
    )
    return int(found[0])


async def asked_again(unit: Unit, one: Export, now: datetime) -> None:
    """The client has looked how far it is."""
    await unit.execute("UPDATE export SET polled = $2 WHERE id = $1", one.id, now)


# work

_LEASE = f"""
UPDATE export e SET lease = $3, lease_until = $2, attempts = e.attempts + 1 WHERE e.id IN (
  SELECT id FROM export WHERE state = 'running' AND due <= $1 AND (lease_until IS NULL OR lease_until <= $1)
    AND NOT partner = ANY($5::text[])
  ORDER BY due LIMIT $4 FOR UPDATE SKIP LOCKED)
RETURNING {_COLUMNS}"""  # noqa: S608


async def lease(
    unit: Unit, now: datetime, until: datetime, token: str, limit: int, busy: Sequence[str]
) -> list[Export]:
    """Take up to `limit` exports that have something left to do, none of the `busy` partners."""
    return [Export(*each) for each in await unit.fetch(_LEASE, now, until, token, limit, list(busy))]


async def page(
    unit: Unit, one: Export, ids: Sequence[str], place: Sequence[str] | None, until: datetime
) -> Export | None:
    """What one page brought, and where the next begins (None: with the next step). None when the lease was lost."""
    step, begin = (one.step, list(place)) if place is not None else (one.step + 1, [])
    done = await unit.execute(
        "UPDATE export SET step = $3, place = $4, lease_until = $5, attempts = 0 WHERE id = $1 AND lease = $2",
        one.id, one.lease, step, begin, until,
    )  # fmt: skip
    if done != "UPDATE 1":
        return None
    if ids:
        kind, type_ = one.steps[one.step]
        await _add(unit, await _open_file(unit, one.id, kind, type_), ids)
    return replace(one, step=step, place=begin, attempts=0)


async def _open_file(unit: Unit, export: str, kind: Kind, type_: str) -> File:
    """The file of this type that has room, or a new one."""
    found = await unit.fetchrow(
        f"""SELECT {_FILE} FROM export_file WHERE export = $1 AND kind = $2 AND type = $3
            ORDER BY number DESC LIMIT 1""",  # noqa: S608
        export, kind, type_,
    )  # fmt: skip
    last = File(*found) if found else None
    if last is not None and last.count < MOST_A_FILE:
        return last
    return await _new_file(unit, File(unguessable(), export, kind, type_, last.number + 1 if last else 1, 0))


async def _new_file(unit: Unit, file: File) -> File:
    await unit.execute(
        f"INSERT INTO export_file ({_FILE}) VALUES ($1, $2, $3, $4, $5, $6)",  # noqa: S608
        *(getattr(file, name) for name in File.__dataclass_fields__),
    )
    return file


async def _add(unit: Unit, file: File, ids: Sequence[str]) -> None:
    await unit.execute(
        """INSERT INTO export_part (file, number, ids)
           SELECT $1, (SELECT count(*) FROM export_part WHERE file = $1), $2""",
        file.id,
        list(ids),
    )
    await unit.execute("UPDATE export_file SET count = count + $2 WHERE id = $1", file.id, len(ids))


async def finish(unit: Unit, one: Export, expires: datetime) -> bool:
    """All is found; False when the lease was lost. What was left out becomes the error file."""
    done = await unit.execute(
        """UPDATE export SET state = 'complete', lease = NULL, lease_until = NULL, expires = $3
           WHERE id = $1 AND lease = $2""",
        one.id, one.lease, expires,
    )  # fmt: skip
    if done == "UPDATE 1" and one.notes:
        await _new_file(unit, File(unguessable(), one.id, "error", "OperationOutcome", 1, len(one.notes)))
    return done == "UPDATE 1"


async def fail(unit: Unit, one: Export, why: str) -> None:
    """It cannot be done, and nothing of it is kept."""
    await unit.execute("DELETE FROM export_file WHERE export = $1", one.id)
    await unit.execute(
        "UPDATE export SET state = 'failed', why = $3, lease = NULL, lease_until = NULL WHERE id = $1 AND lease = $2",
        one.id, one.lease, why,
    )  # fmt: skip


async def give_up(unit: Unit, one: Export, due: datetime) -> None:
    """The lease is given back: somebody takes it again at `due`."""
    await unit.execute(
        "UPDATE export SET lease = NULL, lease_until = NULL, due = $3 WHERE id = $1 AND lease = $2",
        one.id, one.lease, due,
    )  # fmt: skip


async def orphans(unit: Unit, workers: int) -> int:
    """Give back the leases of workers that are no more (see store.outbox.orphans)."""
    done = await unit.execute(
        """UPDATE export SET lease = NULL, lease_until = NULL
           WHERE lease IS NOT NULL AND split_part(lease, ':', 1)::bigint NOT IN (
             SELECT objid::bigint FROM pg_locks
             WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND granted)""",
        workers,
    )
    return int(done.split()[-1])


# files


async def files(connection: Any, export: str) -> list[File]:
    """All files of an export that hold anything, in order."""
    found = await connection.fetch(
        f"SELECT {_FILE} FROM export_file WHERE export = $1 ORDER BY kind, type, number",  # noqa: S608
        export,
    )
    return [File(*each) for each in found]


async def part(connection: Any, file: str, number: int) -> list[str] | None:
    """One page of a file; None behind the last."""
    found = await connection.fetchrow(
        "SELECT ids FROM export_part WHERE file = $1 AND number = $2", file, number
    )
    return list(found["ids"]) if found else None


async def touch(unit: Unit, export: str, now: datetime) -> bool:
    """A file is being fetched; False when the export is gone."""
    return await unit.execute("UPDATE export SET touched = $2 WHERE id = $1", export, now) == "UPDATE 1"


async def drop(unit: Unit, export: str, partner: str) -> bool:
    """Cancel, and forget the files; False when this partner has none of this id."""
    done = await unit.execute("DELETE FROM export WHERE id = $1 AND partner = $2", export, partner)
    return done == "DELETE 1"


async def sweep(unit: Unit, now: datetime, in_use: datetime) -> int:
    """Forget what has expired, unless somebody was fetching from it since `in_use`."""
    done = await unit.execute(
        "DELETE FROM export WHERE expires < $1 AND (touched IS NULL OR touched < $2)", now, in_use
    )
    return int(done.split()[-1])
