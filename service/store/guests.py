"""One-time links to a Task (of a referral, or of a client), and the visits they open.

A token is kept by its digest, and has an end."""

from datetime import datetime
from typing import Any

from service.store.sessions import digest
from service.store.unit import Unit


async def invite(unit: Unit, token: str, task: str, expires: datetime) -> None:
    """A link to the Task; those made for it before count no more."""
    await unit.execute("DELETE FROM guest_link WHERE task = $1", task)
    await unit.execute(
        "INSERT INTO guest_link (digest, task, expires) VALUES ($1, $2, $3)", digest(token), task, expires
    )


async def invited(connection: Any, token: str, now: datetime) -> str | None:
    """The Task that a link leads to, unless it was used, replaced or is too old."""
    sql = "SELECT task FROM guest_link WHERE digest = $1 AND expires > $2"
    found = await connection.fetchrow(sql, digest(token), now)
    return found["task"] if found else None


async def enter(unit: Unit, link: str, visit: str, now: datetime, expires: datetime) -> str | None:
    """Use the link up and open a visit; the Task, or None when somebody was quicker or it is over."""
    sql = "DELETE FROM guest_link WHERE digest = $1 AND expires > $2 RETURNING task"
    found = await unit.fetchrow(sql, digest(link), now)
    if found is None:
        return None
    await unit.execute(
        "INSERT INTO guest_visit (digest, task, expires) VALUES ($1, $2, $3)", digest(visit), found["task"], expires
    )  # fmt: skip
    return str(found["task"])


async def visiting(connection: Any, visit: str, now: datetime) -> str | None:
    """The Task that a browser's visit is about, while it lasts."""
    sql = "SELECT task FROM guest_visit WHERE digest = $1 AND expires > $2"
    found = await connection.fetchrow(sql, digest(visit), now)
    return found["task"] if found else None


async def sweep(unit: Unit, before: datetime) -> None:
    """Forget what is over."""
    await unit.execute("DELETE FROM guest_link WHERE expires < $1", before)
    await unit.execute("DELETE FROM guest_visit WHERE expires < $1", before)
