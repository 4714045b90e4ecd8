"""Talking to a partner: our own token endpoint plays the partner's, with real keys on both sides."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from smart_client import Hands, Site, served
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from service.consent import release
from service.consent.release import Released
from service.delivery.outcome import Answer, Dead, Delivered, Retry, judge
from service.remote.outside import outside
from service.remote.partner import Partners, Peer, Reply
from service.remote.tokens import TokenFailed, Tokens
from service.store import keys, tokens
from service.store.vault import vault as vault_of

pytest_plugins = ["smart_site"]
ORGANIZATION = "Organization/agency"


def released(document: Any, recipient: str = ORGANIZATION) -> Released:
    """A document as consent lets it go (its gate has tests of its own)."""
    return Released(document, recipient, permit=None, seal=release._SEAL)  # type: ignore[arg-type]


class Agency:
    """A partner's FHIR server behind the site's token endpoint."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.seen: list[dict[str, Any]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.refuse_tokens = 0
        self.base = ""

    async def answer(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        async with self.site.context.database.reading() as connection:
            known = await tokens.living(connection, token, self.site.context.clock())
        body = await request.body()
        self.seen.append(
            {
                "method": request.method,
                "path": request.url.path,
                "body": body,
                "token": token,
                "headers": dict(request.headers),
            }
        )
        if known is None or self.refuse_tokens > 0:
            self.refuse_tokens -= 1
            return JSONResponse({}, 401)
        return JSONResponse({"resourceType": "Bundle"}, self.status, self.headers)


@asynccontextmanager
async def agency(site: Site) -> AsyncIterator[Agency]:
    found = Agency(site)
    methods = ["GET", "POST"]
    app = Starlette(routes=[Route("/fhir{path:path}", found.answer, methods=methods)])
    async with served(app) as origin:
        found.base = f"{origin}/fhir"
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def partners(site: Site) -> AsyncIterator[Partners]:
    """Our client side, registered at the site with our published JWKS URL."""
    jwks = f"{site.origin}/.well-known/jwks.json"
    described = (await site.client("referral-recipient", jwks=jwks)).described
    vault = vault_of(site.context.settings)

    async def signers() -> list[keys.SigningKey]:
        async with site.context.database.reading() as connection:
            return await keys.active(connection, vault, site.hands())

    async with outside(site.context.settings, site.hands, signers, described["client_id"]) as out:
        yield out.partners


def peer(site: Site, found: Agency) -> Peer:
    return Peer(ORGANIZATION, found.base, site.token_url)


def status(reply: Reply) -> int:
    assert isinstance(reply.result, Answer), reply
    return reply.result.status


async def test_what_was_released_arrives_with_a_token_and_its_request_id(
    site: Site, partners: Partners
) -> None:
    bundle = {"resourceType": "Bundle", "type": "transaction"}
    async with agency(site) as found:
        reply = await partners.send(released(bundle), peer(site, found), "request-1")
    assert status(reply) == 200
    [seen] = found.seen
    assert (seen["method"], seen["path"]) == ("POST", "/fhir")
    assert json.loads(seen["body"]) == bundle
    assert seen["headers"]["x-request-id"] == "request-1"
    assert seen["headers"]["content-type"] == "application/fhir+json"
    assert reply.milliseconds >= 0
    assert isinstance(judge(reply.result, 1, 0.5), Delivered)


async def test_released_bytes_go_untouched(site: Site, partners: Partners) -> None:
    async with agency(site) as found:
        await partners.send(released(b'{ "value": 1.00 }'), peer(site, found), "r")
    assert found.seen[0]["body"] == b'{ "value": 1.00 }'


async def test_a_document_released_to_another_is_not_sent(site: Site, partners: Partners) -> None:
    async with agency(site) as found:
        with pytest.raises(ValueError, match="another recipient"):
            await partners.send(released({}, "Organization/other"), peer(site, found), "r")
    assert found.seen == []


async def test_a_token_is_kept_until_shortly_before_its_end(site: Site, partners: Partners) -> None:
    async with agency(site) as found:
        for _ in range(3):
            await partners.read("Task/1", peer(site, found), "r")
        assert len({seen["token"] for seen in found.seen}) == 1
        site.hands.ahead = timedelta(seconds=285)
        try:
            assert status(await partners.read("Task/1", peer(site, found), "r")) == 200
        finally:
            site.hands.ahead = timedelta()
        assert len({seen["token"] for seen in found.seen}) == 2


async def test_a_401_is_answered_once_with_a_new_token(site: Site, partners: Partners) -> None:
    async with agency(site) as found:
        await partners.read("Task/1", peer(site, found), "r")
        found.refuse_tokens = 1
        reply = await partners.read("Task/1", peer(site, found), "r")
        assert (status(reply), reply.refreshed) == (200, True)
        first, second, third = (seen["token"] for seen in found.seen)
        assert first == second != third
        found.refuse_tokens = 5
        before = len(found.seen)
        reply = await partners.read("Task/1", peer(site, found), "r")
        assert (status(reply), len(found.seen) - before) == (401, 2)
    assert isinstance(judge(reply.result, 1, 0.5, refreshed=reply.refreshed), Retry)


async def test_many_at_once_ask_for_one_token(site: Site, partners: Partners) -> None:
    async with agency(site) as found:
        await asyncio.gather(*(partners.read("Task/1", peer(site, found), "r") for _ in range(10)))
    assert len({seen["token"] for seen in found.seen}) == 1


async def test_without_a_token_url_no_token_is_shown(site: Site, partners: Partners) -> None:
    async with agency(site) as found:
        reply = await partners.read("Task/1", Peer(ORGANIZATION, found.base), "r")
    assert status(reply) == 401
    assert [seen["path"] for seen in found.seen] == ["/fhir/.well-known/smart-configuration", "/fhir/Task/1"]
    assert {seen["token"] for seen in found.seen} == {""}


async def test_a_search_is_posted(site: Site, partners: Partners) -> None:
    async with agency(site) as found:
        await partners.search(
            "Task", {"owner": "Organization/1", "_lastUpdated": "gt2026"}, peer(site, found), "r"
        )
    assert found.seen[0]["path"] == "/fhir/Task/_search"
    assert found.seen[0]["body"] == b"owner=Organization%2F1&_lastUpdated=gt2026"


async def test_our_token_is_shown_to_the_partners_own_server_only(site: Site, partners: Partners) -> None:
    async with agency(site) as found, agency(site) as other:
        base = found.base
        for url in (
            f"{other.base}/Task/1",
            base + "x/Task/1",
            base.replace("/fhir", "/other"),
            f"{base}/../auth/token",
            f"{base}/%2e%2e/x",
            "//127.0.0.1/",
            "https://partner.example/",
            base.replace("http", "https") + "/Task/1",
            "javascript:alert(1)",
            f"{base}/Task/1#x",
            f"{base.replace('127', 'u@127')}/Task/1",
        ):
            reply = await partners.read(url, peer(site, found), "r")
            assert reply.result == "refused-address", url
        assert status(await partners.read(f"{base}/Task?_page=2", peer(site, found), "r")) == 200
        assert other.seen == [] and len(found.seen) == 1


@pytest.mark.parametrize("token_status", [307, 400, 401, 500])
async def test_a_refused_token_request_is_a_token_fault(
    site: Site, partners: Partners, token_status: int
) -> None:
    async def deny(request: Request) -> Response:
        return RedirectResponse("/fhir", 307) if token_status == 307 else JSONResponse({}, token_status)

    async with (
        agency(site) as found,
        served(Starlette(routes=[Route("/t", deny, methods=["POST"])])) as origin,
    ):
        reply = await partners.read("Task/1", Peer(ORGANIZATION, found.base, f"{origin}/t"), "r")
    assert reply.result == "token"
    assert str(token_status) in reply.detail
    assert found.seen == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"access_token":"a b","token_type":"bearer"}',
        b'{"access_token":7,"token_type":"bearer"}',
        b'{"access_token":"a\\r\\nX: y","token_type":"bearer"}',
        b'{"access_token":"a","token_type":"mac"}',
        b"<html>",
    ],
)
async def test_a_strange_token_answer_is_a_token_fault(site: Site, partners: Partners, body: bytes) -> None:
    async def say(request: Request) -> Response:
        return Response(body)

    async with (
        agency(site) as found,
        served(Starlette(routes=[Route("/t", say, methods=["POST"])])) as origin,
    ):
        reply = await partners.read("Task/1", Peer(ORGANIZATION, found.base, f"{origin}/t"), "r")
    assert reply.result == "token"
    assert found.seen == []


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
async def test_our_assertions_meet_our_own_verifier(site: Site, algorithm: str) -> None:
    jwks = f"{site.origin}/.well-known/jwks.json"
    client = await site.client("referral-recipient", jwks=jwks)
    vault = vault_of(site.context.settings)

    async def signers() -> list[keys.SigningKey]:
        async with site.context.database.reading() as connection:
            return await keys.active(connection, vault, site.hands())

    ours = Tokens(site.wiring.outside.door, site.hands, signers, client.id)
    token = await ours.get(site.token_url, algorithm=algorithm)
    assert isinstance(token, str)
    assert (await site.ping(token)).json()["client_id"] == client.id


async def test_without_a_key_there_is_no_token(site: Site) -> None:
    async def nobody() -> list[keys.SigningKey]:
        return []

    found = await Tokens(site.wiring.outside.door, Hands(), nobody, "us").get(site.token_url)
    assert found == TokenFailed("we have no ES384 key", None)


async def test_retry_after_reaches_the_judge(site: Site, partners: Partners) -> None:
    async with agency(site) as found:
        found.status, found.headers = 503, {"Retry-After": "120"}
        reply = await partners.send(released({}), peer(site, found), "r")
    assert isinstance(reply.result, Answer) and reply.result.wish == timedelta(seconds=120)
    outcome = judge(reply.result, 1, 0.5)
    assert isinstance(outcome, Retry) and outcome.delay >= timedelta(seconds=120)


async def test_a_redirect_is_a_dead_delivery(site: Site, partners: Partners) -> None:
    async with agency(site) as found:
        found.status, found.headers = 307, {"Location": f"{found.base}/elsewhere"}
        reply = await partners.send(released({}), peer(site, found), "r")
    assert len(found.seen) == 1
    assert isinstance(judge(reply.result, 1, 0.5), Dead)


async def test_a_partner_that_is_down_is_a_retry(partners: Partners) -> None:
    reply = await partners.send(released({}), Peer(ORGANIZATION, "http://127.0.0.1:1/fhir"), "r")
    assert reply.result == "connection"
    assert isinstance(judge(reply.result, 1, 0.5), Retry)
