"""People at the console: sessions, sign-ins on their way, one-time links. All by digest, all with an end."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.store.unit import Unit

STEP = timedelta(minutes=1)
"""How exactly a session's last sight is kept: a page view is no write."""


@dataclass(frozen=True, slots=True)
class Session:
    """See schema.PersonSession."""

    digest: bytes
    issuer: str
    subject: str
    sid: str
    name: str
    roles: list[str]
    started: datetime
    seen: datetime
    expires: datetime


_COLUMNS = ", ".join(Session.__dataclass_fields__)


def digest(token: str) -> bytes:
    """What is stored instead of a token. Tokens are 256 random bits, so a plain SHA-256 cannot be guessed."""
    return hashlib.sha256(token.encode()).digest()


async def begin(unit: Unit, session: Session) -> None:
    """A session starts."""
    await unit.execute(
        f"INSERT INTO person_session ({_COLUMNS}) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)",  # noqa: S608
        *(getattr(session, name) for name in Session.__dataclass_fields__),
    )


async def living(connection: Any, token: str, now: datetime, idle: timedelta) -> Session | None:
    """The session of a cookie, unless it is over, was idle for too long, or never was."""
    sql = f"SELECT {_COLUMNS} FROM person_session WHERE digest = $1 AND expires > $2 AND seen > $3"  # noqa: S608
    found = await connection.fetchrow(sql, digest(token), now, now - idle)
    return Session(*found) if found else None


async def seen(unit: Unit, session: bytes, now: datetime) -> None:
    """The person is still there."""
    await unit.execute("UPDATE person_session SET seen = $2 WHERE digest = $1 AND seen < $2", session, now)


async def end(unit: Unit, session: bytes) -> None:
    """The session is over, from the commit on."""
    await unit.execute("DELETE FROM person_session WHERE digest = $1", session)


async def end_of(unit: Unit, issuer: str, subject: str | None, sid: str | None) -> list[Session]:
    """Every session of a person at an issuer, or the one that the issuer calls `sid`."""
    found = await unit.fetch(
        f"""DELETE FROM person_session WHERE issuer = $1 AND ($2::text IS NULL OR subject = $2)
            AND ($3::text IS NULL OR sid = $3) AND NOT ($2::text IS NULL AND $3::text IS NULL)
            RETURNING {_COLUMNS}""",  # noqa: S608
        issuer, subject, sid,
    )  # fmt: skip
    return [Session(*each) for each in found]


async def listing(connection: Any, now: datetime, idle: timedelta) -> list[Session]:
    """Who is signed in, the latest first."""
    sql = f"SELECT {_COLUMNS} FROM person_session WHERE expires > $1 AND seen > $2 ORDER BY started DESC"  # noqa: S608
    return [Session(*each) for each in await connection.fetch(sql, now, now - idle)]


async def leave(unit: Unit, token: str, expires: datetime) -> None:
    """A sign-in goes to the issuer; `token` is what the browser keeps meanwhile."""
    await unit.execute("INSERT INTO sign_in (digest, expires) VALUES ($1, $2)", digest(token), expires)


async def come_back(unit: Unit, token: str, now: datetime) -> bool:
    """The sign-in is back, once; False when it never left, is too late, or was back before."""
    sql = "DELETE FROM sign_in WHERE digest = $1 RETURNING expires"
    found = await unit.fetchrow(sql, digest(token))
    return found is not None and found["expires"] > now


async def make_link(unit: Unit, token: str, name: str, roles: list[str], expires: datetime) -> None:
    """A one-time link for a person."""
    sql = "INSERT INTO sign_in_link (digest, name, roles, expires) VALUES ($1, $2, $3, $4)"
    await unit.execute(sql, digest(token), name, roles, expires)


async def link(connection: Any, token: str, now: datetime) -> str | None:
    """For whom a link is that can still be used."""
    sql = "SELECT name FROM sign_in_link WHERE digest = $1 AND expires > $2"
    found: str | None = await connection.fetchval(sql, digest(token), now)
    return found


async def use_link(unit: Unit, token: str, now: datetime) -> tuple[str, list[str]] | None:
    """Name and roles, once."""
    sql = "DELETE FROM sign_in_link WHERE digest = $1 RETURNING name, roles, expires"
    found = await unit.fetchrow(sql, digest(token))
    return (found["name"], found["roles"]) if found and found["expires"] > now else None


async def sweep(unit: Unit, now: datetime) -> None:
    """Forget what is over. Safe at any time: what is over answers nothing."""
    for table in ("person_session", "sign_in", "sign_in_link"):
        await unit.execute(f"DELETE FROM {table} WHERE expires <= $1", now)  # noqa: S608
