"""The edge, before any door: which address asks, how much it may ask, and how long it may take to say it.

Pure ASGI. Behind proxies that the operator lists (CASEBRIDGE_PROXIES) the address is the last one in X-Forwarded-For
that is not such a proxy; from anybody else that header says nothing.
"""

import asyncio
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.certificates import certificate_of
from service.api.limits import Limits, Visit
from service.api.middleware import plain_answer
from service.api.proxies import is_address, proxied
from service.fhir.outcome import Issue
from service.kernel.failures import Refused
from service.settings import Network, Settings


class Edge:
    """See the module. Leaves the visit in the request's state, where `callers` finds it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._limits = Limits(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["shown"] = certificate_of(scope, self._settings)
        address = address_of(scope, self._settings.proxies)
        scope["client"] = (address, 0)
        visit = Visit(self._limits, address)
        wait = visit.knock(scope["path"])
        if wait:
            issue = Issue("error", "throttled", f"too many requests from your address; try again in {wait} s")
            await plain_answer(send, scope, 429, issue, [(b"retry-after", str(wait).encode())])
            return
        scope["state"]["visit"] = visit
        try:
            await self._app(scope, _hurried(receive, self._settings.body_seconds), send)
        finally:
            visit.leave()


def _hurried(receive: Receive, seconds: float) -> Receive:
    """The body has to arrive within this time; what comes after it (the end of the connection) has no hurry."""
    arrived, until = False, 0.0

    async def receiving() -> Message:
        nonlocal arrived, until
        if arrived:
            return await receive()
        until = until or asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise Refused("slow", f"the body did not arrive within {seconds:g} s") from None
        arrived = not message.get("more_body", False)
        return message

    return receiving


def address_of(scope: Scope, proxies: Iterable[Network]) -> str:
    """Who speaks to us: the peer, or who stands behind our own proxies. '' when the server does not know."""
    client = scope.get("client")
    peer = str(client[0]) if client else ""
    if not proxied(peer, proxies):
        return peer
    told = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    for hop in reversed(told.decode("latin-1").split(",")):
        text = hop.strip()
        if not is_address(text):
            break
        peer = text
        if not proxied(peer, proxies):
            break
    return peer
