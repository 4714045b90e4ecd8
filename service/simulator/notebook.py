"""What reached the agency, word for word, and what it did: for tests that ask whether a name ever left."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.kernel.clock import instant, system_clock

_OPEN = ("/simulator",)
MOST = 20_000


@dataclass
class Heard:
    """One request: the whole body, and the status it was answered with (0 for none)."""

    at: datetime
    method: str
    target: str
    body: bytes = b""
    status: int = 0

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        body = self.body.decode("utf-8", "replace")
        said = {"method": self.method, "target": self.target, "status": self.status}
        return {"at": instant(self.at), **said, "body": body}


@dataclass
class Notebook:
    """All requests in order; the oldest are forgotten behind MOST."""

    heard: list[Heard] = field(default_factory=list)

    def add(self, heard: Heard) -> None:
        """Remember one."""
        self.heard.append(heard)
        del self.heard[:-MOST]


class Listening:
    """ASGI layer that writes every request into the notebook before anything else happens to it.

    It also leaves the connection's transport in the scope (uvicorn's `receive` is a method of the cycle that
    holds it), for those who want to cut it.
    """

    def __init__(self, app: ASGIApp, notebook: Notebook) -> None:
        self._app = app
        self._notebook = notebook

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["path"].startswith(_OPEN):
            await self._app(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        heard = Heard(system_clock(), scope["method"], scope["path"] + (f"?{query}" if query else ""))
        self._notebook.add(heard)
        body = await _whole(receive)
        heard.body = body

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                heard.status = message["status"]
            await send(message)

        scope["transport"] = getattr(getattr(receive, "__self__", None), "transport", None)
        await self._app(scope, _again(body, receive), sending)


async def _whole(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the body once more, then whatever the connection says."""
    left = [body]

    async def receiving() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return receiving
