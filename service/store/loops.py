"""Referral loops: one row from the asking to the closing, locked while it moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from service.store.unit import Unit

Direction = Literal["outbound", "inbound"]


@dataclass(frozen=True, slots=True)
class Loop:
    """See schema.Loop. `source` is the casework system's client_id, `partner` the other side's."""

    id: str
    direction: Direction
    source: str
    record: str
    partner: str
    patient: str
    request: str | None
    status: str
    closed: bool
    remote_task: str | None
    remote_seen: str | None
    next_poll: datetime | None
    opened: datetime
    updated: datetime
    parent: str | None = None
    stirred: datetime | None = None
    abort: str | None = None
    abort_remote: str | None = None


_COLUMNS = ", ".join(Loop.__dataclass_fields__)
_PLACES = ", ".join(f"${place + 1}" for place in range(len(Loop.__dataclass_fields__)))


def lock_name(loop: str) -> str:
    """The advisory lock under which a loop moves: events of one loop are told in the order they happened."""
    return f"loop/{loop}"


def _loop(record: Any) -> Loop | None:
    return Loop(*record) if record else None


async def find(connection: Any, loop: str) -> Loop | None:
    """By our Task's id."""
    return _loop(await connection.fetchrow(f"SELECT {_COLUMNS} FROM loop WHERE id = $1", loop))  # noqa: S608


async def find_record(connection: Any, source: str, record: str) -> Loop | None:
    """By the id under which the case manager knows it."""
    sql = f"SELECT {_COLUMNS} FROM loop WHERE source = $1 AND record = $2"  # noqa: S608
    return _loop(await connection.fetchrow(sql, source, record))


async def known_as(connection: Any, partner: str, keys: Sequence[str]) -> list[Loop]:
    """The loops with this partner whose Task is found by one of these search keys."""
    found = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM loop WHERE partner = $1 AND id IN (
              SELECT id FROM resource WHERE type = 'Task' AND NOT deleted
                AND keys && ARRAY(SELECT hashtextextended(k, 0) FROM unnest($2::text[]) k))""",  # noqa: S608
        partner, list(keys),
    )  # fmt: skip
    return [Loop(*each) for each in found]


async def open_loop(unit: Unit, loop: Loop) -> None:
    """A new loop; the same id twice is Refused("conflict") at commit."""
    await unit.execute(
        f"INSERT INTO loop ({_COLUMNS}) VALUES ({_PLACES})",  # noqa: S608
        *(getattr(loop, name) for name in Loop.__dataclass_fields__),
    )


async def moved(unit: Unit, loop: str, status: str, closed: bool, now: datetime) -> None:
    """The loop's Task has a new status; a closed loop is not polled any more. If it is part of another, or has
    parts, what belongs together is looked at (`stirred`)."""
    await unit.execute(
        """WITH whole AS (UPDATE loop SET stirred = $4 WHERE id = (SELECT parent FROM loop WHERE id = $1))
           UPDATE loop SET status = $2, closed = $3, updated = $4,
             stirred = CASE WHEN EXISTS (SELECT 1 FROM loop part WHERE part.parent = $1) THEN $4 ELSE stirred END,
             next_poll = CASE WHEN $3 THEN NULL ELSE next_poll END WHERE id = $1""",
        loop, status, closed, now,
    )  # fmt: skip


async def stirred(
    unit: Unit, now: datetime, again: datetime, limit: int, busy: Sequence[str] = ()
) -> list[Loop]:
    """Loops whose parts or whole have moved, the longest waiting first; each is put off to `again`, so that one
    worker has it."""
    found = await unit.fetch(
        f"""UPDATE loop SET stirred = $2 WHERE id IN (
              SELECT id FROM loop WHERE stirred <= $1 AND NOT partner = ANY($4::text[])
              ORDER BY stirred LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING {_COLUMNS}""",  # noqa: S608
        now, again, limit, list(busy),
    )  # fmt: skip
    return [Loop(*each) for each in found]


async def parts(connection: Any, loop: str) -> list[Loop]:
    """The loops that pass this one on, oldest first."""
    sql = f"SELECT {_COLUMNS} FROM loop WHERE parent = $1 ORDER BY opened, id"  # noqa: S608
    return [Loop(*each) for each in await connection.fetch(sql, loop)]


async def stir(unit: Unit, loop: str, now: datetime) -> None:
    """Something that belongs to this loop has changed."""
    await unit.execute("UPDATE loop SET stirred = $2 WHERE id = $1", loop, now)


async def rested(unit: Unit, loop: Loop) -> None:
    """Nothing is left to do for it, unless something has moved since it was read."""
    await unit.execute("UPDATE loop SET stirred = NULL WHERE id = $1 AND stirred = $2", loop.id, loop.stirred)


async def refused(unit: Unit, loop: str, parts: int) -> bool:
    """All of its `parts` have refused; True when nobody has been told that of so many yet: now they are."""
    sql = "UPDATE loop SET refused = $2 WHERE id = $1 AND refused IS DISTINCT FROM $2"
    return await unit.execute(sql, loop, parts) == "UPDATE 1"


async def placed(unit: Unit, loop: str, remote_task: str | None, next_poll: datetime | None) -> None:
    """The partner holds a Task of its own for this loop, at this absolute URL; None: where is still to be found."""
    await unit.execute(
        """UPDATE loop SET remote_task = COALESCE($2, remote_task),
             next_poll = CASE WHEN closed THEN NULL ELSE $3::timestamptz END WHERE id = $1""",
        loop, remote_task, next_poll,
    )  # fmt: skip


async def aborting(unit: Unit, loop: str, abort: str | None) -> None:
    """The Task by which its cancellation is asked for; None: it is not asked for any more."""
    await unit.execute("UPDATE loop SET abort = $2, abort_remote = NULL WHERE id = $1", loop, abort)


async def abort_placed(unit: Unit, loop: str, abort: str, remote: str) -> None:
    """The partner holds a Task of its own for our asking, at this absolute URL."""
    await unit.execute("UPDATE loop SET abort_remote = $3 WHERE id = $1 AND abort = $2", loop, abort, remote)


async def of_abort(connection: Any, abort: str) -> Loop | None:
    """The loop whose cancellation this Task asks for, as long as it is open."""
    return _loop(await connection.fetchrow(f"SELECT {_COLUMNS} FROM loop WHERE abort = $1", abort))  # noqa: S608


async def seen(unit: Unit, loop: str, remote_version: str) -> None:
    """The last version of the partner's Task that we have taken over."""
    await unit.execute("UPDATE loop SET remote_seen = $2 WHERE id = $1", loop, remote_version)


async def due_for_polling(
    unit: Unit, now: datetime, every: timedelta, limit: int, busy: Sequence[str] = ()
) -> list[Loop]:
    """Loops whose partner's Task should be read now: none at `busy` partners or at one that has been given up for
    the moment, at most four at any.

    Each is put off by `every`, or by what its partner agreed to, so that one worker has it; where the partner tells us
    (or is searched, see store.listening), by a day.
    """
    found = await unit.fetch(
        f"""UPDATE loop SET next_poll = $1 + CASE WHEN due.told THEN interval '1 day'
                ELSE COALESCE(due.poll * interval '1 second', $2) END FROM (
              SELECT row.id AS picked, (p.terms ->> 'poll')::int AS poll, p.delivery = 'subscribe' AS told
              FROM partner p CROSS JOIN LATERAL (
                SELECT l.id, l.next_poll FROM loop l WHERE l.partner = p.client_id AND l.next_poll <= $1
                ORDER BY l.next_poll LIMIT 4 FOR UPDATE SKIP LOCKED) row
              WHERE NOT p.client_id = ANY($4::text[])
                AND NOT EXISTS (SELECT 1 FROM reach r WHERE r.partner = p.client_id AND r.until > $1)
              ORDER BY row.next_poll LIMIT $3) due
            WHERE id = due.picked RETURNING {_COLUMNS}""",  # noqa: S608
        now, every, limit, list(busy),
    )  # fmt: skip
    return [Loop(*each) for each in found]


async def stalled(unit: Unit, now: datetime, since: datetime, limit: int = 100) -> list[Loop]:
    """Open loops in which nothing has moved since `since` and of which nobody has been told yet; they are now."""
    found = await unit.fetch(
        f"""UPDATE loop SET stalled = $1 WHERE id IN (
              SELECT id FROM loop WHERE NOT closed AND updated < $2 AND (stalled IS NULL OR stalled < updated)
              ORDER BY updated LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING {_COLUMNS}""",  # noqa: S608
        now, since, limit,
    )  # fmt: skip
    return [Loop(*each) for each in found]


async def of_patient(connection: Any, patient: str) -> list[Loop]:
    """Every referral about a client (`Patient/…`), in the order in which they were begun."""
    sql = f"SELECT {_COLUMNS} FROM loop WHERE patient = $1 ORDER BY opened, id"  # noqa: S608
    return [Loop(*each) for each in await connection.fetch(sql, patient)]


async def listing(connection: Any, limit: int = 200) -> list[Loop]:
    """The newest loops first, for people."""
    found = await connection.fetch(f"SELECT {_COLUMNS} FROM loop ORDER BY opened DESC LIMIT $1", limit)  # noqa: S608
    return [Loop(*each) for each in found]
