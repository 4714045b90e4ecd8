"""Write the next Alembic revision from service.store.schema: `python scripts/new_migration.py 0002 "why"`."""

import asyncio
import sys
import tempfile
from pathlib import Path

import alembic.command
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from service.store import embedded, upgrade


async def main(revision: str, message: str) -> None:
    config = upgrade.config()

    def write(connection: Connection) -> None:
        config.attributes["connection"] = connection
        if list(Path("migrations/versions").glob("*.py")):
            alembic.command.upgrade(config, "head")
        alembic.command.revision(config, message=message, autogenerate=True, rev_id=revision)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        url = embedded.start(Path(folder), "next")
        engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
        async with engine.begin() as connection:
            await connection.run_sync(write)
        await engine.dispose()


asyncio.run(main(sys.argv[1], sys.argv[2]))
