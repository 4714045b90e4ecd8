"""Nothing is dialled that our rules forbid, whatever the URL looks like and the name resolves to."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from pathlib import Path

import pytest
from smart_client import served
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route

from service.remote.door import Door, Failed, Received
from service.remote.guard import (
    GuardedTransport,
    RefusedAddress,
    check_url,
    plain,
    public,
    same_origin,
    system_resolver,
)

CORPUS = Path("/work/shared/corpus/hostile/ssrf_urls.txt")
LOOPBACK = (ip_network("127.0.0.0/8"),)
PUBLIC = "93.184.215.14"


def urls() -> list[str]:
    if not CORPUS.exists():
        return []
    return [line for line in CORPUS.read_text().splitlines() if line and not line.startswith("#")]


def resolving(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def resolver(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolver


async def partner_is_public(host: str, port: int) -> list[str]:
    """As DNS would have it: the partner is on the internet, tricksters point inwards."""
    if host.endswith("nip.io") or host == "metadata.google.internal":
        return ["169.254.169.254"]
    return [PUBLIC] if "example" in host else await system_resolver(host, port)


async def asked(transport: GuardedTransport, url: str) -> Received | Failed:
    door = Door(transport, 3)
    try:
        return await door.ask("GET", url)
    finally:
        await door.close()


class Watched(GuardedTransport):
    """Counts what is really dialled."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.dialled: list[str] = []
        for pool in (self._secure, self._plain):
            network = pool._network_backend
            network._dial = self  # type: ignore[attr-defined]

    async def connect_tcp(self, address: str, *rest: object) -> object:
        self.dialled.append(address)
        raise OSError("not in this test")


@pytest.mark.skipif(not urls(), reason="the hostile corpus is not here")
def test_the_corpus_has_its_53_urls() -> None:
    assert len(urls()) == 53


@pytest.mark.skipif(not urls(), reason="the hostile corpus is not here")
@pytest.mark.parametrize("url", urls())
async def test_a_hostile_url_is_never_dialled_or_is_not_the_partners(url: str) -> None:
    transport = Watched((), partner_is_public)
    answer = await asked(transport, url)
    assert isinstance(answer, Failed)
    elsewhere = "evil.example" in url
    assert set(transport.dialled) <= ({PUBLIC} if elsewhere else set())
    if elsewhere and "@" not in url:
        assert not same_origin(url, "https://partner.example/")
    else:
        assert answer.fault in ("refused-address", "dns")


async def test_a_public_https_url_is_dialled() -> None:
    """The positive control: the guard does not simply refuse everything."""
    transport = Watched((), partner_is_public)
    answer = await asked(transport, "https://partner.example/fhir")
    assert isinstance(answer, Failed) and answer.fault == "connection"
    assert transport.dialled == [PUBLIC]


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
        "169.254.169.254", "168.63.129.16", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1",
        "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b:1::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "fc00::1",
        "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "100::1", "5f00::1",
    ],
)  # fmt: skip
async def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not public(plain(address))
    transport = Watched((), resolving(address))
    answer = await asked(transport, "https://partner.example/")
    assert isinstance(answer, Failed) and answer.fault == "refused-address"
    assert transport.dialled == []


@pytest.mark.parametrize("address", ["8.8.8.8", PUBLIC, "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_public(address: str) -> None:
    assert public(plain(address))


async def test_one_bad_address_among_good_ones_refuses_the_name() -> None:
    for order in ([PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, "fe80::1%eth0"]):
        transport = Watched((), resolving(*order))
        answer = await asked(transport, "https://partner.example/")
        assert isinstance(answer, Failed) and answer.fault == "refused-address"
        assert transport.dialled == []


async def test_the_name_is_resolved_once_and_the_judged_address_is_dialled() -> None:
    names: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        names.append(host)
        return [PUBLIC] if len(names) == 1 else ["127.0.0.1"]

    transport = Watched((), rebinding)
    await asked(transport, "https://partner.example/")
    assert (names, transport.dialled) == (["partner.example"], [PUBLIC])
    await asked(transport, "https://partner.example/")
    assert transport.dialled == [PUBLIC]


async def test_plain_http_to_a_public_address_is_refused() -> None:
    transport = Watched((), resolving(PUBLIC))
    answer = await asked(transport, "http://partner.example/")
    assert isinstance(answer, Failed) and "https is required" in answer.text
    assert transport.dialled == []


@pytest.mark.parametrize("port", [22, 25, 80, 5432, 6379, 65535])
async def test_an_odd_port_of_a_public_address_is_refused(port: int) -> None:
    transport = Watched((), resolving(PUBLIC))
    answer = await asked(transport, f"https://partner.example:{port}/")
    assert isinstance(answer, Failed) and answer.fault == "refused-address"
    assert transport.dialled == []


async def test_an_unknown_name_is_a_dns_fault() -> None:
    async def nobody(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    answer = await asked(GuardedTransport((), nobody), "https://partner.example/")
    assert isinstance(answer, Failed) and answer.fault == "dns"


async def test_loopback_is_refused_by_default_and_reached_when_listed() -> None:
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("hello"))])
    async with served(app) as origin:
        closed = await asked(GuardedTransport(), origin)
        opened = await asked(GuardedTransport(LOOPBACK), origin)
    assert isinstance(closed, Failed) and closed.fault == "refused-address"
    assert isinstance(opened, Received) and opened.body == b"hello"


async def test_a_redirect_is_an_answer_not_a_way() -> None:
    visited: list[str] = []

    async def trap(request: object) -> PlainTextResponse:
        visited.append("trap")
        return PlainTextResponse("caught")

    routes = [Route("/", lambda request: RedirectResponse("/trap")), Route("/trap", trap)]
    async with served(Starlette(routes=routes)) as origin:
        answer = await asked(GuardedTransport(LOOPBACK), origin)
    assert isinstance(answer, Received) and answer.status == 307
    assert visited == []


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("direct"))])
    async with served(app) as origin:
        answer = await asked(GuardedTransport(LOOPBACK), origin)
    assert isinstance(answer, Received) and answer.body == b"direct"


@pytest.mark.parametrize(
    "url",
    [
        "https://u:p@partner.example/", "https://partner.example\\@x/", "https:///x", "https://[::1", "//x/",
        "https://partner.example:0/", "https://partner.example:99999/", "https://part%6eer.example/",
        "https://①②⑦.0.0.1/", "https://partner.example/ x", "https://partner.example/\r\nX: y", "", "x",
    ],
)  # fmt: skip
def test_a_url_of_doubtful_form_is_refused(url: str) -> None:
    with pytest.raises(RefusedAddress):
        check_url(url)


def test_origins_are_compared_by_parts_never_by_prefix() -> None:
    base = "https://partner.example/fhir"
    assert same_origin("https://PARTNER.example:443/other", base)
    for other in (
        "https://partner.example.evil.example/fhir", "http://partner.example/fhir",
        "https://partner.example:8443/fhir", "https://partner.exampleevil.example/fhir",
    ):  # fmt: skip
        assert not same_origin(other, base)


async def test_tls_speaks_the_name_though_an_address_is_dialled() -> None:
    """The handshake names the partner (SNI), so its certificate is checked against the name."""
    seen: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.set_result(await reader.read(4096))
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        transport = GuardedTransport(LOOPBACK, resolving("127.0.0.1"))
        answer = await asked(transport, f"https://partner.example:{port}/")
    assert isinstance(answer, Failed) and answer.fault in ("tls", "connection")
    assert b"partner.example" in await seen


def test_tls_is_1_2_or_newer_and_checks_certificates() -> None:
    context = GuardedTransport()._secure._ssl_context
    assert context is not None
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
