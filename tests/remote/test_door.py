"""Outbound HTTP as values: whatever the other side does, an answer or a named fault comes back in time."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest
from smart_client import served
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from service.remote.door import Door, Failed, Received
from service.remote.guard import GuardedTransport

LOOPBACK = (ip_network("127.0.0.0/8"),)


async def _slow(request: Request) -> Response:
    await asyncio.sleep(30)
    return PlainTextResponse("late")


async def _drip(request: Request) -> Response:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(300):
            await asyncio.sleep(0.1)
            yield b"x"

    return StreamingResponse(drops())


async def _bomb(request: Request) -> Response:
    return Response(gzip.compress(b"0" * 10_000_000), headers={"Content-Encoding": "gzip"})


async def _big(request: Request) -> Response:
    return Response(b"0" * 2000)


async def _cookie(request: Request) -> Response:
    answer = PlainTextResponse(request.headers.get("cookie", "none"))
    answer.set_cookie("who", "partner-a")
    return answer


async def _echo(request: Request) -> Response:
    return PlainTextResponse(request.headers.get("accept-encoding", ""))


APP = Starlette(
    routes=[
        Route("/slow", _slow), Route("/drip", _drip), Route("/bomb", _bomb), Route("/big", _big),
        Route("/cookie", _cookie), Route("/echo", _echo),
    ]
)  # fmt: skip


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    found = Door(GuardedTransport(LOOPBACK), 0.5)
    yield found
    await found.close()


@pytest.mark.parametrize("path", ["/slow", "/drip"])
async def test_the_whole_exchange_has_its_time(door: Door, path: str) -> None:
    async with served(APP) as origin:
        began = time.perf_counter()
        answer = await door.ask("GET", origin + path)
        assert time.perf_counter() - began < 2
    assert isinstance(answer, Failed) and answer.fault == "timeout"


async def test_a_body_over_the_cap_is_not_read(door: Door) -> None:
    async with served(APP) as origin:
        assert isinstance(await door.ask("GET", origin + "/big", cap=2000), Received)
        answer = await door.ask("GET", origin + "/big", cap=1999)
    assert isinstance(answer, Failed) and answer.fault == "oversized"


async def test_a_compressed_answer_is_not_unfolded(door: Door) -> None:
    async with served(APP) as origin:
        said = await door.ask("GET", origin + "/echo")
        assert isinstance(said, Received) and said.body == b"identity"
        answer = await door.ask("GET", origin + "/bomb")
    assert isinstance(answer, Failed) and answer.fault == "oversized"


async def test_cookies_are_not_kept(door: Door) -> None:
    async with served(APP) as origin:
        for _ in range(2):
            answer = await door.ask("GET", origin + "/cookie")
            assert isinstance(answer, Received) and answer.body == b"none"


async def test_a_closed_port_is_a_connection_fault(door: Door) -> None:
    answer = await door.ask("GET", "http://127.0.0.1:1/")
    assert isinstance(answer, Failed) and answer.fault == "connection"


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"]
)
async def test_broken_http_is_a_fault_not_an_exception(door: Door, said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(said)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        answer = await door.ask("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert isinstance(answer, Failed) and answer.fault in ("protocol", "connection")


async def test_plain_text_where_tls_is_wanted_is_a_tls_fault(door: Door) -> None:
    async with served(APP) as origin:
        answer = await door.ask("GET", origin.replace("http:", "https:"))
    assert isinstance(answer, Failed) and answer.fault == "tls"
