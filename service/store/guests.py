"""One-time links to a referral, and the visits they open. A token is kept by its digest, and has an end."""

from datetime import datetime
from typing import Any

from service.store.sessions import digest
from service.store.unit import Unit


async def invite(unit: Unit, token: str, loop: str, expires: datetime) -> None:
    """A link to the loop; those made for it before count no more."""
    await unit.execute("DELETE FROM guest_link WHERE loop = $1", loop)
    await unit.execute(
        "INSERT INTO guest_link (digest, loop, expires) VALUES ($1, $2, $3)", digest(token), loop, expires
    )


async def invited(connection: Any, token: str, now: datetime) -> str | None:
    """The loop that a link leads to, unless it was used, replaced or is too old."""
    sql = "SELECT loop FROM guest_link WHERE digest = $1 AND expires > $2"
    found = await connection.fetchrow(sql, digest(token), now)
    return found["loop"] if found else None


async def enter(unit: Unit, link: str, visit: str, now: datetime, expires: datetime) -> str | None:
    """Use the link up and open a visit; the loop, or None when somebody was quicker or it is over."""
    sql = "DELETE FROM guest_link WHERE digest = $1 AND expires > $2 RETURNING loop"
    found = await unit.fetchrow(sql, digest(link), now)
    if found is None:
        return None
    await unit.execute(
        "INSERT INTO guest_visit (digest, loop, expires) VALUES ($1, $2, $3)", digest(visit), found["loop"], expires
    )  # fmt: skip
    return str(found["loop"])


async def visiting(connection: Any, visit: str, now: datetime) -> str | None:
    """The loop that a browser's visit is about, while it lasts."""
    sql = "SELECT loop FROM guest_visit WHERE digest = $1 AND expires > $2"
    found = await connection.fetchrow(sql, digest(visit), now)
    return found["loop"] if found else None


async def sweep(unit: Unit, before: datetime) -> None:
    """Forget what is over."""
    await unit.execute("DELETE FROM guest_link WHERE expires < $1", before)
    await unit.execute("DELETE FROM guest_visit WHERE expires < $1", before)
