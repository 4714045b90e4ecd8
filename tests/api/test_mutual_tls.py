"""Mutual TLS both ways, on loopback with real certificates: RFC 8705 certificate-bound tokens, and our own certificate
at partners' servers."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from parts import Service, running
from pki import Pair, client_tls, issue, server_tls
from smart_client import assertion, es384, form

from service.flows import credentials, onboard_partner
from service.flows.access.certificates import thumbprint
from service.kernel.failures import Refused
from service.remote.door import Failed, Received
from service.remote.partner import Peer


@dataclass
class Papers:
    """Who there is: an authority, the service, two agencies of it, and somebody with a certificate of their own."""

    authority: Pair
    server: Pair
    clinic: Pair
    other: Pair
    stranger: Pair


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("pki")
    authority = issue(folder, "authority", ca=True)
    named = [issue(folder, name, authority) for name in ("server", "clinic", "other")]
    return Papers(authority, *named, issue(folder, "stranger"))


@asynccontextmanager
async def secure(url: str, home: Path, papers: Papers, **more: Any) -> AsyncIterator[Service]:
    given = {
        "tls_certificate": papers.server.file, "tls_key": papers.server.key_file,
        "tls_client_ca": papers.authority.file, "outbound_ca": papers.authority.file, **more,
    }  # fmt: skip
    async with running(url, home, **given) as service:
        yield service


def http(service: Service, papers: Papers, own: Pair | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=service.url, verify=client_tls(papers.authority, own), trust_env=False)


@dataclass
class Clinic:
    name: str
    key: Any
    id: str

    async def ask(self, client: httpx.AsyncClient, service: Service) -> httpx.Response:
        made = assertion(self.key, self.id, f"{service.url}/auth/token")
        return await client.post("/auth/token", data=form(made, "system/*.rs"))


async def clinic(service: Service, home: Path, name: str = "Clinic") -> Clinic:
    key = es384()
    path = home / f"{key.kid}.json"
    path.write_text(json.dumps({"keys": [key.public]}))
    shown = await service.partner(name, "ehr", jwks=str(path))
    return Clinic(name, key, shown["client_id"])


async def test_a_token_is_good_only_with_the_certificate_it_was_bought_with(
    database_url: str, tmp_path: Path, papers: Papers
) -> None:
    async with secure(database_url, tmp_path, papers) as service:
        known, context = await clinic(service, tmp_path), service.wiring.context
        shown = await credentials.require_certificate(context, "Clinic", papers.clinic.file, None)
        assert shown["certificate"] == f"x5t#S256={thumbprint(papers.clinic.der)}"
        async with (
            http(service, papers, papers.clinic) as with_own,
            http(service, papers, papers.other) as with_others,
            http(service, papers) as with_none,
        ):
            for client in (with_others, with_none):
                refused = await known.ask(client, service)
                assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
            token = (await known.ask(with_own, service)).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            assert (await with_own.get("/fhir/Task", headers=headers)).status_code == 200
            for client in (with_others, with_none):
                answer = await client.get("/fhir/Task", headers=headers)
                assert answer.status_code == 401
                assert 'error="invalid_token"' in answer.headers["www-authenticate"]
            told = await with_own.post("/auth/introspect", data={"token": token}, headers=headers)
            assert told.json()["cnf"] == {"x5t#S256": thumbprint(papers.clinic.der)}
            smart = (await with_none.get("/fhir/.well-known/smart-configuration")).json()
            assert smart["tls_client_certificate_bound_access_tokens"] is True


async def test_a_certificate_may_be_registered_by_its_subject(
    database_url: str, tmp_path: Path, papers: Papers
) -> None:
    async with secure(database_url, tmp_path, papers) as service:
        known, context = await clinic(service, tmp_path), service.wiring.context
        await credentials.require_certificate(context, "Clinic", None, "CN=clinic,O=Tests")
        async with http(service, papers, papers.clinic) as own, http(service, papers, papers.other) as other:
            token = (await known.ask(own, service)).json()["access_token"]
            assert (await known.ask(other, service)).status_code == 401
            headers = {"Authorization": f"Bearer {token}"}
            assert (await own.get("/fhir/Task", headers=headers)).status_code == 200
            assert (await other.get("/fhir/Task", headers=headers)).status_code == 401
        with pytest.raises(Refused, match="its own to fetch"):
            await onboard_partner.mint_token(context, "Clinic")


async def test_once_a_certificate_is_required_tokens_without_one_stop_counting(
    database_url: str, tmp_path: Path, papers: Papers
) -> None:
    async with secure(database_url, tmp_path, papers) as service:
        known = await clinic(service, tmp_path)
        async with http(service, papers, papers.clinic) as client:
            token = (await known.ask(client, service)).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            assert (await client.get("/fhir/Task", headers=headers)).status_code == 200
            await credentials.require_certificate(service.wiring.context, "Clinic", papers.clinic.file, None)
            assert (await client.get("/fhir/Task", headers=headers)).status_code == 401


async def test_a_certificate_of_nobody_we_believe_ends_the_handshake(
    database_url: str, tmp_path: Path, papers: Papers
) -> None:
    async with secure(database_url, tmp_path, papers) as service:
        async with http(service, papers, papers.stranger) as client:
            with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
                await client.get("/fhir/metadata")
        async with http(service, papers) as client:
            answer = await client.get("/fhir/metadata")
            assert answer.headers["strict-transport-security"]


async def test_no_older_tls_than_1_2_is_spoken(database_url: str, tmp_path: Path, papers: Papers) -> None:
    async with secure(database_url, tmp_path, papers) as service:
        host, port = service.url.removeprefix("https://").split(":")
        old = client_tls(papers.authority)
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning):
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(host, int(port), ssl=old)
        _, writer = await asyncio.open_connection(host, int(port), ssl=client_tls(papers.authority))
        assert writer.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3")
        writer.close()


@pytest.mark.parametrize("form_of_it", ["rfc9440", "nginx", "base64"])
async def test_a_proxy_passes_the_certificate_on_and_nobody_else_can(
    database_url: str, tmp_path: Path, papers: Papers, form_of_it: str
) -> None:
    plain = base64.b64encode(papers.clinic.der).decode()
    value = {"rfc9440": f":{plain}:", "nginx": quote(papers.clinic.pem.decode()), "base64": plain}[form_of_it]
    given = {"certificate_header": "Client-Cert", "proxies": "127.0.0.1/32"}
    async with running(database_url, tmp_path, **given) as service, httpx.AsyncClient() as client:
        known = await clinic(service, tmp_path)
        await credentials.require_certificate(service.wiring.context, "Clinic", papers.clinic.file, None)
        client.base_url = httpx.URL(service.url)
        assert (await known.ask(client, service)).status_code == 401
        client.headers["Client-Cert"] = value
        assert (await known.ask(client, service)).status_code == 200
        client.headers["Client-Cert"] = value[:-40]
        assert (await known.ask(client, service)).status_code == 401
    async with (
        running(database_url, tmp_path, certificate_header="Client-Cert") as service,
        httpx.AsyncClient(base_url=service.url) as client,
    ):
        client.headers["Client-Cert"] = value  # from somebody who is no proxy of ours
        assert (await known.ask(client, service)).status_code == 401


# --- at partners' servers ---


@asynccontextmanager
async def partner_server(tls: ssl.SSLContext) -> AsyncIterator[tuple[str, list[tuple[str, str]]]]:
    """Answers every request with an empty Bundle; notes who came (common name) with which Authorization."""
    seen: list[tuple[str, str]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        peer = writer.get_extra_info("ssl_object").getpeercert() or {}
        name = next((v for rdn in peer.get("subject", ()) for k, v in rdn if k == "commonName"), "")
        token = next((line for line in head.split("\r\n") if line.lower().startswith("authorization:")), "")
        seen.append((name, token.partition(":")[2].strip()))
        body = b'{"resourceType":"Bundle","type":"searchset"}'
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


async def test_our_certificate_is_shown_at_its_server_and_nowhere_else(
    database_url: str, tmp_path: Path, papers: Papers
) -> None:
    asks = server_tls(papers.authority, papers.server, asks=True)
    wants = server_tls(papers.authority, papers.server)
    async with (
        running(database_url, tmp_path, outbound_ca=papers.authority.file) as service,
        partner_server(asks) as (theirs, seen),
        partner_server(wants) as (elsewhere, seen_elsewhere),
    ):
        context, door = service.wiring.context, service.wiring.outside.door
        await service.partner("Agency", "referral-recipient", fhir_base=f"{theirs}/fhir")
        await service.partner("Another", "ehr")
        assert isinstance(await door.ask("GET", f"{theirs}/fhir/metadata"), Failed)
        shown = await credentials.present(
            context, "Agency", f"{theirs}/fhir", papers.clinic.file, papers.clinic.key_file, None
        )
        assert shown["shown_at"] == [theirs]
        assert isinstance(await door.ask("GET", f"{theirs}/fhir/metadata"), Received)
        await door.ask("GET", f"{elsewhere}/fhir/metadata")
        assert (seen, seen_elsewhere) == ([("clinic", "")], [("", "")])
        with pytest.raises(Refused, match="another partner"):
            await credentials.present(
                context, "Another", theirs, papers.other.file, papers.other.key_file, None
            )
        # another certificate: the next connection shows it
        await credentials.present(context, "Agency", theirs, papers.other.file, papers.other.key_file, None)
        assert isinstance(await door.ask("GET", f"{theirs}/fhir/metadata"), Received)
        assert seen[-1] == ("other", "")
        await credentials.present(context, "Agency", theirs, None, None, None)
        assert isinstance(await door.ask("GET", f"{theirs}/fhir/metadata"), Failed)


async def test_a_bearer_token_they_gave_us_is_shown_without_asking_for_another(
    database_url: str, tmp_path: Path, papers: Papers
) -> None:
    wants = server_tls(papers.authority, papers.server)
    file = tmp_path / "token"
    file.write_text("legacy-token-1\n")
    async with (
        running(database_url, tmp_path, outbound_ca=papers.authority.file) as service,
        partner_server(wants) as (theirs, seen),
    ):
        made = await service.partner("Agency", "referral-recipient", fhir_base=f"{theirs}/fhir")
        await credentials.present(service.wiring.context, "Agency", theirs, None, None, file)
        peer = Peer(made["organization"], f"{theirs}/fhir")
        reply = await service.wiring.outside.partners.search("Task", {"status": "requested"}, peer, "r1")
        assert not isinstance(reply.result, str) and reply.result.status == 200
        assert seen == [("", "Bearer legacy-token-1")]
        async with service.wiring.context.database.reading() as connection:
            rows = [str(row) for row in await connection.fetch("SELECT c::text FROM credential c")]
        assert rows and "legacy-token-1" not in rows[0] and b"legacy-token-1".hex() not in rows[0]


async def test_a_server_of_an_unknown_authority_is_not_spoken_to(
    database_url: str, tmp_path: Path, papers: Papers
) -> None:
    async with (
        running(database_url, tmp_path) as service,
        partner_server(server_tls(papers.authority, papers.server)) as (theirs, seen),
    ):
        answer = await service.wiring.outside.door.ask("GET", f"{theirs}/fhir/metadata")
        assert isinstance(answer, Failed) and answer.fault == "tls"
        assert seen == []


async def test_what_is_no_pair_is_refused(service: Service, tmp_path: Path, papers: Papers) -> None:
    await service.partner("Agency", "ehr")
    context, at = service.wiring.context, "https://ehr.example"
    (tmp_path / "empty").write_bytes(b"")
    for certificate, key in (
        (papers.clinic.file, papers.other.key_file),
        (papers.clinic.file, None),
        (None, papers.clinic.key_file),
        (tmp_path / "empty", papers.clinic.key_file),
        (papers.clinic.file, tmp_path / "not here"),
    ):
        with pytest.raises(Refused) as refused:
            await credentials.present(context, "Agency", at, certificate, key, None)
        assert refused.value.reason == "malformed"
    for file, subject in ((tmp_path / "empty", None), (None, "no subject at all")):
        with pytest.raises(Refused):
            await credentials.require_certificate(context, "Agency", file, subject)


# --- fixed tokens, for software that knows nothing else ---


async def test_a_fixed_token_lives_as_long_as_agreed_and_ends_with_its_partner(service: Service) -> None:
    await service.partner("Old Agency", "referral-recipient")
    context = service.wiring.context
    token = await onboard_partner.mint_token(context, "Old Agency", days=90)
    async with httpx.AsyncClient(
        base_url=service.url, headers={"Authorization": f"Bearer {token}"}
    ) as client:
        assert (await client.get("/fhir/Task")).status_code == 200
        told = (await client.post("/auth/introspect", data={"token": token})).json()
        assert 89 * 86400 < told["exp"] - context.clock().timestamp() < 91 * 86400
        assert await onboard_partner.revoke_tokens(context, "Old Agency") == 1
        assert (await client.get("/fhir/Task")).status_code == 401
