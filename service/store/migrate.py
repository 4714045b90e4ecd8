"""Where the schema stands, and bringing it up to date.

The usual answer is "current", and needs no migration machinery: Alembic and SQLAlchemy (a second of imports) are
loaded only when there is something to upgrade (`service.store.upgrade`).
"""

from typing import Literal

import asyncpg

from service.kernel.failures import Unavailable
from service.store.database import no_connection
from service.store.revisions import revisions

State = Literal["current", "behind", "empty", "newer"]


async def schema_state(url: str) -> State:
    """Where the database at `url` stands against this release's migrations. Unavailable if it cannot be asked."""
    try:
        connection = await asyncpg.connect(url, timeout=20)
    except (OSError, asyncpg.PostgresError, ValueError, TimeoutError) as error:
        raise no_connection(error) from error
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return "empty"
        now = await connection.fetchval("SELECT version_num FROM alembic_version")
    finally:
        await connection.close()
    known = revisions()
    if now is None:
        return "empty"
    return "current" if now == known[-1] else "behind" if now in known else "newer"


async def migrate(url: str) -> State:
    """Upgrade to this release; returns the state found before. Raises Unavailable for a newer schema."""
    before = await schema_state(url)
    if before == "newer":
        raise Unavailable(
            "the database was written by a newer release of Casebridge; start that release, or restore a backup"
        )
    if before != "current":
        from service.store.upgrade import upgrade

        await upgrade(url)
    return before
