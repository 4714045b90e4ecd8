"""The agency's bad days, as one ASGI layer around its FHIR and token endpoints."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.simulator.behaviour import Manner

_OPEN = ("/simulator",)
"""The control desk is no part of the agency's system and always works."""


class Faulty:
    """Delays, 503s, cut connections and silence, as the manner of the moment says."""

    def __init__(self, app: ASGIApp, manner: Manner) -> None:
        self._app = app
        self._manner = manner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["path"].startswith(_OPEN):
            await self._app(scope, receive, send)
            return
        await asyncio.sleep(self._manner.delay)
        match self._manner.fault():
            case None:
                await self._app(scope, receive, send)
            case "unavailable":
                await _unavailable(send)
            case "reset-before":
                await _cut(scope)
            case "reset-after":
                await self._app(scope, receive, _nowhere)
                await _cut(scope)
            case "silence-before":
                await self._silence(scope)
            case "silence-after":
                await self._app(scope, receive, _nowhere)
                await self._silence(scope)

    async def _silence(self, scope: Scope) -> None:
        await asyncio.sleep(self._manner.silence)
        await _cut(scope)


async def _unavailable(send: Send) -> None:
    headers = [(b"retry-after", b"1"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _nowhere(_: Message) -> None:
    """An answer that is never sent."""


async def _cut(scope: Scope) -> None:
    """Reset the TCP connection, and let uvicorn learn of it before it would answer 500 in our place."""
    transport: Any = scope.get("transport")
    if transport is not None:
        transport.abort()
        await asyncio.sleep(0.01)
