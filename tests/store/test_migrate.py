"""The schema: from empty to current, equal to the tables as declared, and never downwards."""

import asyncio
import os

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from parts import with_database
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from service.kernel.failures import Unavailable
from service.store import migrate
from service.store.schema import metadata


@pytest.fixture
async def empty_url(server_url: str):
    name = f"empty_{os.getpid()}"
    admin = await asyncpg.connect(with_database(server_url, "postgres"))
    await admin.execute(f'CREATE DATABASE "{name}"')
    yield with_database(server_url, name)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


async def test_an_empty_database_becomes_current(empty_url: str) -> None:
    assert await migrate.schema_state(empty_url) == "empty"
    assert await migrate.migrate(empty_url) == "empty"
    assert await migrate.schema_state(empty_url) == "current"
    assert await migrate.migrate(empty_url) == "current"


async def test_two_replicas_may_start_on_an_empty_database_at_once(empty_url: str) -> None:
    before = await asyncio.gather(migrate.migrate(empty_url), migrate.migrate(empty_url))
    assert set(before) <= {"current", "empty"}


async def test_the_migrations_make_what_the_tables_declare(database_url: str) -> None:
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://", 1))

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


async def test_a_newer_schema_is_said_and_left_alone(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    assert await migrate.schema_state(database_url) == "newer"
    with pytest.raises(Unavailable, match="newer release"):
        await migrate.migrate(database_url)
