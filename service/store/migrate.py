"""Bring the schema up to date (Alembic), and say clearly when it cannot be."""

from pathlib import Path
from typing import Literal

import alembic.command
import alembic.config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from service.kernel.failures import Unavailable

State = Literal["current", "behind", "empty", "newer"]

_LOCK = 4_215_300_001
"""Advisory lock of migrations: replicas that start together upgrade one after the other."""


def _config() -> alembic.config.Config:
    here = Path(__file__).resolve()
    found = (here.parents[2] / "migrations", here.parents[1] / "_data" / "migrations")
    config = alembic.config.Config()
    config.set_main_option("script_location", str(next(path for path in found if path.is_dir())))
    return config


def _state(connection: Connection) -> State:
    scripts = ScriptDirectory.from_config(_config())
    now = MigrationContext.configure(connection).get_current_revision()
    if now is None:
        return "empty"
    if now == scripts.get_current_head():
        return "current"
    known = {script.revision for script in scripts.walk_revisions()}
    return "behind" if now in known else "newer"


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


async def schema_state(url: str) -> State:
    """Where the database at `url` stands against this release's migrations."""
    return await _run(url, upgrade=False)


async def migrate(url: str) -> State:
    """Upgrade to this release; returns the state found before. Raises Unavailable for a newer schema."""
    before = await _run(url, upgrade=True)
    if before == "newer":
        raise Unavailable(
            "the database was written by a newer release of Casebridge; start that release, or restore a backup"
        )
    return before


async def _run(url: str, upgrade: bool) -> State:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            state = await connection.run_sync(_state)
            if upgrade and state in ("empty", "behind"):
                await connection.run_sync(_upgrade)
        return state
    except (OSError, DBAPIError) as error:
        raise Unavailable(f"the schema cannot be read or upgraded: {type(error).__name__}") from error
    finally:
        await engine.dispose()
