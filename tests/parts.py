"""The whole service on loopback, and what the fixtures of conftest.py are made of."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from service.api.app import make_app
from service.api.listening import config as listening_config
from service.flows import onboard_partner
from service.kernel.clock import Clock, system_clock
from service.settings import Settings
from service.store import keys, migrate
from service.store.database import open_database
from service.store.vault import vault
from service.wiring import Wiring, wire

SECRET = "only for these tests"


async def prepare(url: str, home: Path) -> None:
    """The schema, and our signing keys: making an RSA key for every test would take longer than the test."""
    await migrate.migrate(url)
    opened = await open_database(url, 2)
    async with opened.unit(keys.LOCK) as unit:
        await keys.ensure(
            unit, vault(Settings(data_dir=home, secret_key=SECRET, _env_file=None)), system_clock()
        )
    await opened.close()


def database_name(url: str) -> str:
    return url.split("?")[0].rsplit("/", 1)[1]


def with_database(url: str, name: str) -> str:
    head, mark, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}{mark}{query}"


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Service:
    """A running service, and clients for it."""

    wiring: Wiring
    url: str

    @property
    def base(self) -> str:
        """Its FHIR base."""
        return f"{self.url}/fhir"

    async def partner(self, name: str, *roles: str, **more: Any) -> dict[str, Any]:
        """Register a partner."""
        wanted = onboard_partner.Registration(name=name, roles=roles, **more)
        return await onboard_partner.add(self.wiring.context, wanted)

    async def client(self, name: str) -> httpx.AsyncClient:
        """An HTTP client with a token of this partner; its paths are relative to the service's root."""
        token = await onboard_partner.mint_token(self.wiring.context, name)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30, trust_env=False)


@asynccontextmanager
async def running(
    database_url: str, data_dir: Path, clock: Clock = system_clock, **settings: Any
) -> AsyncIterator[Service]:
    """The whole service in this process, listening on loopback, without its delivery worker."""
    port = free_port()
    given = {
        "outbound_allow": "127.0.0.0/8",
        "poll_seconds": 0.2,
        "worker_idle_seconds": 0.1,
        "partner_ids": "free",
        "secret_key": SECRET,
        "caller_rate": 100_000,  # counted, as in earnest; a test that means the limits sets its own
        "address_rate": 100_000,
        "token_rate": 100_000,
        **settings,
    }
    chosen = Settings(data_dir=data_dir, database_url=database_url, _env_file=None, **given)
    scheme = "https" if chosen.tls_certificate else "http"
    wiring = wire(chosen, database_url, f"{scheme}://127.0.0.1:{port}", clock)
    config = listening_config(make_app(wiring), chosen, port=port, lifespan="on")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0.01)
    try:
        yield Service(wiring, f"{scheme}://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        await task


SHARED = Path(__file__).resolve().parents[2] / "shared"
