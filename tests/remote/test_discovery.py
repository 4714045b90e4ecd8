"""A partner's token endpoint, found where SMART says, believed only on the partner's own server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from smart_client import Hands, served
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.fhir.json import encode
from service.remote.discovery import Discovery
from service.remote.door import Door, Failed
from service.remote.guard import GuardedTransport


class Server:
    """Says what it is told to say at its SMART configuration."""

    def __init__(self) -> None:
        self.body, self.status, self.visits, self.base = b"{}", 200, 0, ""

    async def answer(self, request: Request) -> Response:
        self.visits += 1
        return Response(self.body, self.status)


@asynccontextmanager
async def server(says: Any = None, status: int = 200) -> AsyncIterator[tuple[Server, Discovery, Hands]]:
    found, hands = Server(), Hands()
    found.status = status
    door = Door(GuardedTransport((ip_network("127.0.0.0/8"),)), 3)
    routes = [Route("/fhir/.well-known/smart-configuration", found.answer)]
    async with served(Starlette(routes=routes)) as origin:
        found.base = f"{origin}/fhir"
        found.body = says if isinstance(says, bytes) else encode(says).replace(b"ORIGIN", origin.encode())
        yield found, Discovery(door, hands), hands
    await door.close()


async def test_the_token_endpoint_is_found_and_remembered_for_an_hour() -> None:
    async with server({"token_endpoint": "ORIGIN/token"}) as (found, discovery, hands):
        for _ in range(3):
            assert await discovery.token_url(found.base) == found.base.replace("/fhir", "/token")
        assert found.visits == 1
        hands.ahead = timedelta(hours=1, seconds=1)
        await discovery.token_url(found.base)
        assert found.visits == 2


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_server_without_a_configuration_wants_no_token(status: int) -> None:
    async with server({}, status) as (found, discovery, _):
        assert await discovery.token_url(found.base) is None


@pytest.mark.parametrize(
    "elsewhere",
    ["https://other-partner.example/token", "http://127.0.0.1:1/token", "ORIGIN.evil.example/token", "/token",
     7, "javascript:alert(1)", "https://u@127.0.0.1/token"],
)  # fmt: skip
async def test_an_endpoint_on_another_server_is_not_believed(elsewhere: Any) -> None:
    async with server({"token_endpoint": elsewhere}) as (found, discovery, _):
        told = await discovery.token_url(found.base)
    assert isinstance(told, Failed) and told.fault == "token" and "--token-url" in told.text


@pytest.mark.parametrize(("says", "status"), [(b"{", 200), (b"[]", 200), (b"", 500), (b"", 302), (b"", 429)])
async def test_what_cannot_be_known_now_is_asked_again_later(says: bytes, status: int) -> None:
    async with server(says, status) as (found, discovery, _):
        for _ in range(2):
            assert isinstance(await discovery.token_url(found.base), Failed)
        assert found.visits == 2
