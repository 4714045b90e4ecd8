"""Alembic, run to the newest revision. Replicas that start together upgrade one after the other."""

import alembic.command
import alembic.config
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from service.kernel.failures import Unavailable
from service.store.revisions import folder

_LOCK = 4_215_300_001


def config() -> alembic.config.Config:
    """Alembic's configuration: where the migrations are, nothing else."""
    made = alembic.config.Config()
    made.set_main_option("script_location", str(folder()))
    return made


def _upgrade(connection: Connection) -> None:
    made = config()
    made.attributes["connection"] = connection
    alembic.command.upgrade(made, "head")


async def upgrade(url: str) -> None:
    """Bring the database at `url` to the newest revision; nothing happens if it is there already."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await connection.run_sync(_upgrade)
    except (OSError, DBAPIError) as error:
        raise Unavailable(f"the schema cannot be upgraded: {type(error).__name__}") from error
    finally:
        await engine.dispose()
