"""The one way out: a request in, an answer as a value out. Nothing expected is raised."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Protocol

import httpcore
import httpx

from service.delivery.outcome import Fault
from service.remote.guard import (
    GuardedTransport,
    Identity,
    NoSuchHost,
    RefusedAddress,
    check_url,
    origin_text,
)

MAX_ANSWER = 5_000_000


@dataclass(frozen=True, slots=True)
class Received:
    """An answer: headers with lower-case names, body whole and under the cap."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer, and why; `text` is for an operator and holds no content."""

    fault: Fault
    text: str
    milliseconds: int


class Shown(Protocol):
    """What is shown at one origin (store.credentials.Credential)."""

    @property
    def certificate(self) -> str:
        """PEM, '' for none."""

    @property
    def private(self) -> bytes | None:
        """The certificate's key, PEM."""

    @property
    def bearer(self) -> str | None:
        """A token that the partner gave us."""


Credentials = Callable[[str], Awaitable[Shown | None]]
"""What to show at an origin; asked for each request, so that a change needs no restart."""


class Door:
    """Outbound HTTP. One a process; closed with `close`.

    Redirects are not followed, proxies and .netrc of the environment are not read, cookies are not kept, and
    compressed answers are not asked for (a small body could unfold into gigabytes).
    """

    def __init__(
        self, transport: GuardedTransport, seconds: float, credentials: Credentials | None = None
    ) -> None:
        self._seconds = seconds
        self._credentials = credentials
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(seconds),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "Casebridge", "Accept-Encoding": "identity"},
        )
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    async def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        body: bytes | None = None,
        cap: int = MAX_ANSWER,
        seconds: float | None = None,
    ) -> Received | Failed:
        """Send one request; the whole exchange, to the last byte, has `seconds` (the door's own, where not given)."""
        allowed = self._seconds if seconds is None else seconds
        began = time.perf_counter()
        try:
            check_url(url)
            async with asyncio.timeout(allowed):
                shown = await self._shown(url)
                given = list(headers.items()) if isinstance(headers, Mapping) else list(headers or ())
                if shown and shown.bearer and not any(name.lower() == "authorization" for name, _ in given):
                    given.append(("Authorization", f"Bearer {shown.bearer}"))
                request = self._client.build_request(
                    method, url, headers=given, content=body, timeout=allowed
                )
                if shown and shown.private:
                    request.extensions["identity"] = Identity(shown.certificate, shown.private)
                answer = await self._client.send(request, stream=True)
                try:
                    content = await _content(answer, cap)
                finally:
                    await answer.aclose()
        except _EXPECTED as error:
            return Failed(_fault(error), _text(error), _since(began))
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Received(answer.status_code, found, content, _since(began))

    async def has_bearer(self, url: str) -> bool:
        """Did the partner give us a bearer token for this server, so that none is to be fetched?"""
        try:
            shown = await self._shown(url)
        except RefusedAddress:
            return False
        return bool(shown and shown.bearer)

    async def _shown(self, url: str) -> Shown | None:
        return await self._credentials(origin_text(url)) if self._credentials else None

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


class _Oversized(Exception):
    """The answer is longer than the cap, or compressed."""


_EXPECTED = (
    httpx.HTTPError, httpx.InvalidURL, httpcore.NetworkError, httpcore.ProtocolError,
    httpcore.TimeoutException, httpcore.UnsupportedProtocol, TimeoutError, OSError, UnicodeError, _Oversized,
)  # fmt: skip


async def _content(answer: httpx.Response, cap: int) -> bytes:
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise _Oversized("the answer is compressed, though only identity was accepted")
    chunks, size = [], 0
    async for chunk in answer.aiter_raw():
        size += len(chunk)
        if size > cap:
            raise _Oversized(f"the answer is longer than {cap} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _fault(error: BaseException) -> Fault:
    match error:
        case RefusedAddress() | httpx.InvalidURL() | httpx.UnsupportedProtocol() | UnicodeError():
            return "refused-address"
        case NoSuchHost():
            return "dns"
        case _Oversized():
            return "oversized"
        case httpx.TimeoutException() | httpcore.TimeoutException() | TimeoutError():
            return "timeout"
        case httpx.ProtocolError() | httpcore.ProtocolError() | httpx.DecodingError():
            return "protocol"
    return "tls" if _about_tls(error) else "connection"


def _about_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _text(error: BaseException) -> str:
    own = isinstance(error, RefusedAddress | NoSuchHost | _Oversized)
    return str(error) if own else type(error).__name__


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
