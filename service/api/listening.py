"""How we listen: uvicorn with the limits its protocol lacks.

llhttp holds a header however long it grows, and uvicorn waits for one however slowly it comes. Here a request's head
has a size and a time, connections are counted, in all and by address, and a client's certificate is kept for `edge`.
"""

import asyncio
import ssl
from collections import Counter
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.api.certificates import SHOWN
from service.api.limits import network_of
from service.api.proxies import proxied
from service.fhir.json import encode
from service.settings import Settings

MAX_HEAD = 65_536
"""Bytes of a request line and its headers."""
_WORDS = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


def config(app: ASGIApp, settings: Settings, **more: Any) -> uvicorn.Config:
    """uvicorn's configuration for our application. X-Forwarded-For is read by `edge`, not here."""
    protocol: Any = partial(Protocol, settings=settings, crowd=Counter())
    if settings.tls_certificate:
        files: dict[str, Any] = {"ssl_certfile": settings.tls_certificate, "ssl_keyfile": settings.tls_key}
        if settings.tls_client_ca:
            files |= {"ssl_ca_certs": settings.tls_client_ca, "ssl_cert_reqs": ssl.CERT_OPTIONAL}
        more = {**files, **more}
    given = {"lifespan": "off", "timeout_graceful_shutdown": 10, **more}
    return uvicorn.Config(
        app, http=protocol, ws="none", log_level="error", access_log=False, server_header=False, proxy_headers=False,
        **given,
    )  # fmt: skip


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *positional: Any, settings: Settings, crowd: Counter[str], **named: Any) -> None:
        super().__init__(*positional, **named)
        self._settings, self._crowd = settings, crowd
        self._place = ""
        self._head, self._in_head = 0, True
        self._hurry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Counted, and in a hurry until a first head is here."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        shown = tls.getpeercert(binary_form=True) if tls else None
        self.app_state = {**self.app_state, SHOWN: shown} if shown else self.app_state
        peer = self.client[0] if self.client else ""
        self._place = network_of(peer)
        self._crowd[self._place] += 1
        crowded = self._crowd[self._place] > self._settings.address_connections
        if self._crowd.total() > self._settings.connections or (
            crowded and not proxied(peer, self._settings.proxies)
        ):
            self._refuse(503, "too many connections")
            return
        self._hurry_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Counted out."""
        self._take_time()
        self._crowd[self._place] -= 1
        if self._crowd[self._place] <= 0:
            del self._crowd[self._place]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A head that grows too long ends here, before the parser has it whole."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._in_head and self.parser is not None:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(431, f"the request line and headers are longer than {MAX_HEAD} bytes")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._head, self._in_head = 0, True
        self._hurry_up()

    def on_headers_complete(self) -> None:
        """The head is here; how long the body may take is the application's affair."""
        self._in_head = False
        self._take_time()
        if sum(len(name) + len(value) + 4 for name, value in self.headers) + len(self.url) > MAX_HEAD:
            raise ValueError("the head is too long")
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What cannot be parsed, said as problem details."""
        self._refuse(400, "the request is not HTTP/1.1 as RFC 9112 has it")

    def _hurry_up(self) -> None:
        self._take_time()
        self._hurry = self.loop.call_later(self._settings.head_seconds, self._too_slow)

    def _take_time(self) -> None:
        if self._hurry:
            self._hurry.cancel()
            self._hurry = None

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self._refuse(408, "the headers did not arrive in time")

    def _refuse(self, status: int, text: str) -> None:
        body = encode({"type": "about:blank", "title": text, "status": status})
        lines = [
            b"HTTP/1.1 %d %s" % (status, _WORDS[status]), b"content-type: application/problem+json",
            b"cache-control: no-store", b"connection: close", b"content-length: %d" % len(body), b"", body,
        ]  # fmt: skip
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(b"\r\n".join(lines))
        self.transport.close()
