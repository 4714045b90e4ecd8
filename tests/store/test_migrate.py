"""The schema: from empty to current, equal to the tables as declared, and never downwards."""

import asyncio
import os

import alembic.command
import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from parts import with_database
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from service.fhir.search import keys
from service.kernel.failures import Unavailable
from service.store import migrate, upgrade
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


async def test_references_of_resources_written_before_hold_too(empty_url: str) -> None:
    """Revision 0006 gives every resource the keys of its references, as `version_of` would."""
    connection = await asyncpg.connect(empty_url)
    await upgrade_to(empty_url, "0005")
    body = b'{"resourceType":"Task","input":[{"valueReference":{"reference":"https://us.example/fhir/Patient/p"}}]}'
    insert = """INSERT INTO resource (type, id, version, updated, author, body, keys)
                VALUES ($1, $2, 1, now(), '', $3, '{}')"""
    await connection.execute(insert, "Task", "t", body)
    await connection.execute(insert, "Patient", "p", b'{"resourceType":"Patient"}')
    await migrate.migrate(empty_url)
    found = await connection.fetch(
        "SELECT id FROM resource WHERE keys @> ARRAY[hashtextextended($1, 0)]", keys.leading("Patient", "p")
    )
    waiting = await connection.fetch("SELECT id, version FROM newcomer")
    await connection.close()
    assert [tuple(each) for each in found] == [("t",)]
    assert [tuple(each) for each in waiting] == [("p", 1)]


async def upgrade_to(url: str, revision: str) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))

    def run(connection: Connection) -> None:
        made = upgrade.config()
        made.attributes["connection"] = connection
        alembic.command.upgrade(made, revision)

    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()
