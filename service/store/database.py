"""The pool of connections to PostgreSQL, and what its errors mean to a person."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from service.fhir.audited import Audited
from service.kernel.failures import Unavailable
from service.store.audit import Query, Recorder
from service.store.away import AWAY
from service.store.unit import Unit

Connection = Any
"""An asyncpg connection (the library is untyped)."""

_SETTINGS = {"timezone": "UTC", "application_name": "casebridge", "jit": "off", "statement_timeout": "30000"}


class Database:
    """A pool, and units of work on it. Made by `open_database`; closed with `close`."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._recorder = Recorder(pool)

    async def record(self, rows: Sequence[Audited], queries: Sequence[Query] = ()) -> None:
        """Audit rows of what was only looked at, refused or decided: durable on return, many at a time."""
        await self._recorder.record(rows, queries)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection for plain reads: each statement sees the latest commit."""
        connection = await _acquire(self._pool)
        try:
            yield connection
        except AWAY as error:
            raise Unavailable("the database is not reachable") from error
        finally:
            await self._pool.release(connection)

    def unit(self, *locks: str) -> Unit:
        """One transaction: `async with database.unit("Patient?identifier=…") as unit`. See `Unit`.

        `locks` are names taken as advisory locks, in sorted order, before anything else is read or written:
        what is decided under a name is decided by one at a time, across all processes.
        """
        return Unit(self._pool, locks)

    @asynccontextmanager
    async def listening(
        self, channel: str, heard: Callable[[], None]
    ) -> AsyncIterator[tuple[Connection, asyncio.Event]]:
        """A connection of its own on which `heard` is called for each notification; the event: it was lost.

        A database that goes away meanwhile is Unavailable, and never anything worse: whoever listens tries again.
        """
        connection = await _acquire(self._pool)
        lost = asyncio.Event()

        def call(*_: object) -> None:
            heard()

        def gone(*_: object) -> None:
            lost.set()

        try:
            connection.add_termination_listener(gone)
            await connection.add_listener(channel, call)
            yield connection, lost
        except AWAY as error:
            raise Unavailable("the database is not reachable") from error
        finally:
            with suppress(*AWAY):  # a lost connection has gone back to the pool by itself
                connection.remove_termination_listener(gone)
                await connection.remove_listener(channel, call)
                await connection.execute("SELECT pg_advisory_unlock_all()")
            with suppress(*AWAY):
                await self._pool.release(connection)

    async def ping(self) -> None:
        """Raises Unavailable if the database does not answer."""
        async with self.reading() as connection:
            await connection.execute("SELECT 1")

    async def close(self) -> None:
        """Give every connection back."""
        await self._pool.close()


async def _acquire(pool: Any) -> Connection:
    try:
        return await pool.acquire(timeout=10)
    except (*AWAY, asyncpg.PostgresError, TimeoutError) as error:
        raise Unavailable("the database is not reachable or has no free connection") from error


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    """Our units always commit or roll back and set nothing on the session: skip the costly pool reset."""

    def get_reset_query(self) -> str:
        return ""


async def open_database(url: str, size: int) -> Database:
    """Connect to `url` with up to `size` connections. Raises Unavailable with a sentence."""
    try:
        pool = await asyncpg.create_pool(
            url, min_size=1, max_size=size, server_settings=_SETTINGS, connection_class=_Connection
        )
    except (OSError, asyncpg.PostgresError, ValueError) as error:
        raise no_connection(error) from error
    return Database(pool)


def no_connection(error: Exception) -> Unavailable:
    """Why the database cannot be reached, so that an operator knows what to correct; no address, no password."""
    return Unavailable(
        f"no connection to PostgreSQL: {_why(error)}; CASEBRIDGE_DATABASE_URL says where it is"
    )


def _why(error: Exception) -> str:
    match error:
        case asyncpg.InvalidAuthorizationSpecificationError():
            return "it does not accept the user or the password"
        case asyncpg.InvalidCatalogNameError():
            return "it has no database of this name"
        case asyncpg.PostgresError():
            return f"it refuses ({type(error).__name__})"
        case socket.gaierror():
            return "there is no host of this name"
        case ConnectionRefusedError():
            return "nothing listens at this address"
        case TimeoutError():
            return "it does not answer"
        case ValueError():
            return "the URL cannot be read, it should be postgresql://user:password@host:5432/name"
    return type(error).__name__
