"""Where outbound connections may go, checked on the address actually dialled.

A partner's URL is data that somebody typed or sent, so it is resolved once, every address it has is judged,
and the connection goes to a judged address: no second resolution for a rebinding name to win. TLS still
speaks the name (SNI, certificate). Plain http, private and loopback networks only where the operator lists
them in CASEBRIDGE_OUTBOUND_ALLOW. (SECURITY.md §3.5; CVE-2026-34359/60.)
"""

import asyncio
import re
import secrets
import socket
import ssl
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, urlsplit

import httpcore
import httpx
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from service.kernel.failures import Unavailable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Awaitable[list[str]]]

PORTS = frozenset({443, 8443})
"""Public servers are reached on these; allowed networks on any."""

_CLOSED_4 = tuple(ip_network(text) for text in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
))  # fmt: skip
_OPEN_6 = IPv6Network("2000::/3")
_CLOSED_6 = tuple(ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
"""IPv6 is open only where it is global unicast; of that, tunnels (Teredo, 6to4) could carry a private IPv4.
NAT64, mapped, link-local, unique-local and multicast lie outside 2000::/3. 168.63.129.16 is Azure's host."""


class RefusedAddress(httpx.RequestError):
    """Our own rules forbid the address. The text names the rule, safe to show to an operator."""


class NoSuchHost(httpx.ConnectError):
    """The name does not resolve."""


def plain(text: str) -> Address:
    """An IP address, IPv4 inside IPv6 taken out. ValueError for a scoped address or none at all."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        if address.scope_id:
            raise ValueError("a scoped address")
        return address.ipv4_mapped or address
    return address


def public(address: Address) -> bool:
    """True for an address on the open internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_4)
    return address in _OPEN_6 and not any(address in network for network in _CLOSED_6)


def listed(address: Address, allow: Iterable[Network]) -> bool:
    """True for an address in a network of CASEBRIDGE_OUTBOUND_ALLOW."""
    return any(address.version == network.version and address in network for network in allow)


def check_url(url: str) -> SplitResult:
    """The URL's parts if its form may be used at all; RefusedAddress otherwise. Does not resolve anything.

    Addresses written as numbers in a form no browser agrees on, user names, and other schemes end here.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RefusedAddress("the URL cannot be read") from None
    if parts.scheme not in ("https", "http"):
        raise RefusedAddress("only https URLs are used")
    if not parts.hostname or not parts.hostname.isascii() or "%" in parts.netloc or port == 0:
        raise RefusedAddress("the URL names no usable host")
    if "@" in parts.netloc or re.search(r"[\\\x00-\x20\x7f]", url):
        raise RefusedAddress("the URL holds a user name, a backslash or a space")
    return parts


def check_endpoint(url: str, allow: Iterable[Network]) -> None:
    """RefusedAddress for a URL that we would certainly not call: plain http where nothing is allowed, an address that
    is not public. A name is judged when it is resolved, at each call."""
    parts, allowed = check_url(url), tuple(allow)
    try:
        address = plain(parts.hostname or "")
    except ValueError:
        address = None
    if address is not None and listed(address, allowed):
        return
    if address is not None and not public(address):
        raise RefusedAddress("the address is not public")
    if parts.scheme == "http" and (address is not None or not allowed):
        raise RefusedAddress("https is required")
    if parts.port not in (None, *PORTS) and (address is not None or not allowed):
        raise RefusedAddress(f"port {parts.port} is not used")


def same_origin(one: str, other: str) -> bool:
    """True when both URLs have the same scheme, host and port: never compared as text prefixes."""
    return _origin(check_url(one)) == _origin(check_url(other))


def origin_text(url: str) -> str:
    """`https://host:port`, in one spelling for each origin; RefusedAddress for a URL that may not be used."""
    scheme, host, port = _origin(check_url(url))
    return f"{scheme}://[{host}]:{port}" if ":" in str(host) else f"{scheme}://{host}:{port}"


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


async def system_resolver(host: str, port: int) -> list[str]:
    """Every address the system knows for a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in found))


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Dials only judged addresses. `tls` says whether a handshake will follow on this connection."""

    def __init__(self, allow: tuple[Network, ...], resolver: Resolver, *, tls: bool) -> None:
        self._allow = allow
        self._resolver = resolver
        self._tls = tls
        self._dial = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address of `host` that answers, if all its addresses may be used."""
        failure: Exception = NoSuchHost("the name has no address")
        for address in await self.addresses(host, port):
            try:
                where = (str(address), port, timeout, local_address, socket_options)
                return await self._dial.connect_tcp(*where)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise RefusedAddress("no local sockets")

    async def sleep(self, seconds: float) -> None:
        """As httpcore asks."""
        await asyncio.sleep(seconds)

    async def addresses(self, host: str, port: int) -> list[Address]:
        """All addresses of a host, every one of them judged; RefusedAddress if any may not be used."""
        try:
            found = [plain(text) for text in await self._resolver(host, port)]
        except (OSError, UnicodeError) as error:
            raise NoSuchHost("the name does not resolve") from error
        except ValueError:
            raise RefusedAddress("the name resolves to an address that cannot be used") from None
        for address in found:
            self._judge(address, port)
        return found

    def _judge(self, address: Address, port: int) -> None:
        if listed(address, self._allow):
            return
        if not public(address):
            raise RefusedAddress(f"{address} is not public; CASEBRIDGE_OUTBOUND_ALLOW does not list it")
        if not self._tls:
            raise RefusedAddress("https is required outside CASEBRIDGE_OUTBOUND_ALLOW")
        if port not in PORTS:
            raise RefusedAddress(f"port {port} is not used outside CASEBRIDGE_OUTBOUND_ALLOW")


@dataclass(frozen=True, slots=True)
class Identity:
    """A client certificate (with the chain to its CA) and its key, PEM."""

    certificate: str
    private: bytes = field(repr=False)

    def context(self, more_ca: Path | None = None) -> ssl.SSLContext:
        """TLS that shows this certificate. OpenSSL reads files only, so the key is in one for a moment, encrypted."""
        password = secrets.token_hex(32)
        key = load_pem_private_key(self.private, None)
        sealed = key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode())
        )
        context = tls_context(more_ca)
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.certificate.encode() + sealed)
            file.flush()
            context.load_cert_chain(file.name, password=password)
        return context


def tls_context(more_ca: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer, certificates checked; `more_ca`: a PEM file of authorities beside the public ones."""
    context = httpx.create_ssl_context(trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if more_ca is not None:
        try:
            context.load_verify_locations(more_ca)
        except (OSError, ssl.SSLError):
            raise Unavailable(f"CASEBRIDGE_OUTBOUND_CA: {more_ca} holds no PEM certificates") from None
    return context


class GuardedTransport(httpx.AsyncBaseTransport):
    """httpx's way out: two pools, one that speaks TLS and one that may only reach allowed networks."""

    def __init__(
        self,
        allow: tuple[Network, ...] = (),
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        more_ca: Path | None = None,
    ) -> None:
        self._more_ca = more_ca
        context = tls or tls_context(more_ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._dials = CheckedNetwork(allow, resolver, tls=True)
        self._known: dict[str, tuple[Identity, httpcore.AsyncConnectionPool]] = {}
        self._secure = _pool(CheckedNetwork(allow, resolver, tls=True), context)
        self._plain = _pool(CheckedNetwork(allow, resolver, tls=False), context)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request, no redirects; RefusedAddress before anything is dialled that may not be."""
        check_url(str(request.url))
        pool = await self._pool(request)
        assert isinstance(request.stream, httpx.AsyncByteStream)
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        asked = httpcore.Request(
            request.method,
            url,
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        answer = await pool.handle_async_request(asked)
        assert isinstance(answer.stream, AsyncIterable)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
        )

    async def _pool(self, request: httpx.Request) -> httpcore.AsyncConnectionPool:
        """Connections that showed a certificate are used for nothing else, and end when the certificate is another."""
        identity: Identity | None = request.extensions.get("identity")
        if request.url.scheme != "https" or identity is None:
            return self._secure if request.url.scheme == "https" else self._plain
        origin = origin_text(str(request.url))
        known = self._known.get(origin)
        if known is not None and known[0] == identity:
            return known[1]
        made = _pool(self._dials, identity.context(self._more_ca))
        self._known[origin] = (identity, made)
        if known is not None:
            await known[1].aclose()
        return made

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._secure.aclose()
        await self._plain.aclose()
        for _, pool in self._known.values():
            await pool.aclose()


def _pool(network: CheckedNetwork, context: ssl.SSLContext) -> httpcore.AsyncConnectionPool:
    return httpcore.AsyncConnectionPool(
        ssl_context=context,
        max_connections=100,
        max_keepalive_connections=20,
        keepalive_expiry=15.0,
        network_backend=network,
    )


class _Body(httpx.AsyncByteStream):
    """httpcore's stream under httpx's name."""

    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        """Give the connection back."""
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()
