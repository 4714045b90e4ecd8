"""The `site` fixture: the auth door on a real socket over a real database."""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import asyncpg
import httpx
import pytest
import pytest_asyncio
from smart_client import Hands, Site, served
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.api import auth
from service.api.callers import caller_of
from service.api.failures import outcome_response
from service.fhir.validate.definitions import Definitions
from service.flows.context import Context
from service.kernel.failures import Failure
from service.remote.outside import outside
from service.settings import Settings
from service.store import keys
from service.store.database import open_database
from service.store.vault import vault as vault_of


async def _ping(request: Request) -> Response:
    """Stands for any endpoint of the FHIR door."""
    try:
        caller = await caller_of(request)
        caller.require("Task", "read")
    except Failure as failure:
        return outcome_response(failure)
    return JSONResponse({"client_id": caller.client_id, "organization": caller.organization})


NAME = "site"


def _named(url: str, name: str) -> str:
    head, mark, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}{mark}{query}"


async def _copy(server_url: str) -> None:
    """A database of the site's own, from the migrated template of tests/conftest.py."""
    template = server_url.partition("?")[0].rpartition("/")[2]
    admin = await asyncpg.connect(_named(server_url, "postgres"))
    await admin.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)')
    await admin.execute(f'CREATE DATABASE "{NAME}" TEMPLATE "{template}"')
    await admin.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    settings = Settings(data_dir=folder, outbound_allow="127.0.0.0/8", delivery_timeout_seconds=3)  # type: ignore[arg-type]
    await _copy(server_url)
    database, hands, vault = await open_database(_named(server_url, NAME), 8), Hands(), vault_of(settings)
    async with database.unit(keys.LOCK) as unit:
        await unit.execute("DELETE FROM signing_key")  # the template's, kept under another secret
        await keys.ensure(unit, vault, hands())

    async def signers() -> list[keys.SigningKey]:
        async with database.reading() as connection:
            return await keys.active(connection, vault, hands())

    app = Starlette(routes=[*auth.routes, Route("/fhir/ping", _ping)])
    async with outside(settings, hands, signers, "casebridge") as out, served(app) as origin:
        context = Context(
            database, hands, settings, lambda resource, profiles: [], Definitions, f"{origin}/fhir"
        )
        app.state.wiring = SimpleNamespace(context=context, outside=out)
        async with httpx.AsyncClient(base_url=origin, trust_env=False) as http:
            yield Site(origin, context, app.state.wiring, hands, http, folder)
    await database.close()
