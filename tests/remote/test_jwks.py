"""Key sets by URL: kept as long as allowed, asked for anew seldom, never because an assertion says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from smart_client import Hands, Key, Site, assertion, es384, form, served
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.remote.jwks import LONGEST, UNSAID, KeySets, NoKeys, lifetime

pytest_plugins = ["smart_site"]


class Publisher:
    """A partner's JWKS URL, counting its visitors."""

    def __init__(self, *keys: Key, cache: str | None = "max-age=60") -> None:
        self.keys, self.cache, self.visits, self.status = list(keys), cache, 0, 200
        self.accept = ""
        self.url = ""

    async def answer(self, request: Request) -> Response:
        self.visits += 1
        self.accept = request.headers["accept"]
        headers = {"Cache-Control": self.cache} if self.cache else {}
        return JSONResponse({"keys": [key.public for key in self.keys]}, self.status, headers)


@asynccontextmanager
async def publishing(*keys: Key, **options: Any) -> AsyncIterator[Publisher]:
    publisher = Publisher(*keys, **options)
    async with served(Starlette(routes=[Route("/jwks.json", publisher.answer)])) as origin:
        publisher.url = f"{origin}/jwks.json"
        yield publisher


@pytest.mark.parametrize(
    ("said", "age", "kept"),
    [
        (None, None, UNSAID),
        ("max-age=60", None, timedelta(seconds=60)),
        ("public, max-age=60", "20", timedelta(seconds=40)),
        ("max-age=60", "90", timedelta()),
        ("max-age=60, max-age=10", None, timedelta(seconds=10)),
        ("no-store", None, timedelta()),
        ("No-Cache, max-age=600", None, timedelta()),
        ("max-age=0", None, timedelta()),
        ("max-age=999999", None, LONGEST),
        ("public", None, UNSAID),
    ],
)
def test_a_set_is_kept_no_longer_than_its_cache_control(said: Any, age: Any, kept: timedelta) -> None:
    assert lifetime(said, age) == kept


async def test_keys_registered_by_url_prove_a_client_and_are_cached(site: Site) -> None:
    key = es384()
    async with publishing(key) as publisher:
        client = await site.client(key=key, jwks=publisher.url)
        for _ in range(3):
            assert (await site.ask(client)).status_code == 200
        assert publisher.visits == 1
        assert publisher.accept == "application/json"
        site.hands.ahead = timedelta(seconds=61)
        try:
            assert (await site.ask(client)).status_code == 200
        finally:
            site.hands.ahead = timedelta()
        assert publisher.visits == 2


async def test_a_set_that_may_not_be_cached_is_fetched_each_time(site: Site) -> None:
    key = es384()
    async with publishing(key, cache="no-store") as publisher:
        client = await site.client(key=key, jwks=publisher.url)
        for _ in range(3):
            assert (await site.ask(client)).status_code == 200
        assert publisher.visits == 3


async def test_a_rotated_key_is_found_at_once(site: Site) -> None:
    old, new = es384("old"), es384("new")
    async with publishing(old) as publisher:
        client = await site.client(key=old, jwks=publisher.url)
        assert (await site.ask(client)).status_code == 200
        publisher.keys, client.key = [new], new
        assert (await site.ask(client)).status_code == 200
        client.key = old
        assert (await site.ask(client)).json()["error"] == "invalid_client"


async def test_invented_kids_do_not_hammer_the_partner(site: Site) -> None:
    key = es384()
    async with publishing(key) as publisher:
        client = await site.client(key=key, jwks=publisher.url)
        for number in range(20):
            answer = await site.ask(client, header={"kid": f"invented-{number}"})
            assert answer.json()["error"] == "invalid_client"
        assert publisher.visits <= 2
        assert (await site.ask(client)).status_code == 200


async def test_a_set_is_fetched_ten_times_a_minute_at_most(site: Site) -> None:
    hands = Hands()
    sets = KeySets(site.wiring.outside.door, hands)
    async with publishing(es384(), cache="no-store") as publisher:
        for _ in range(10):
            await sets.get(publisher.url)
        with pytest.raises(NoKeys, match="too often"):
            await sets.get(publisher.url)
        hands.ahead = timedelta(seconds=61)
        await sets.get(publisher.url)
    assert publisher.visits == 11


async def test_many_at_once_make_one_fetch(site: Site) -> None:
    sets = KeySets(site.wiring.outside.door, Hands())
    async with publishing(es384()) as publisher:
        await asyncio.gather(*(sets.get(publisher.url) for _ in range(20)))
    assert publisher.visits == 1


async def test_a_set_that_cannot_be_had_proves_nobody(site: Site) -> None:
    key = es384()
    async with publishing(key) as publisher:
        client = await site.client(key=key, jwks=publisher.url)
        publisher.status = 500
        answer = await site.ask(client)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_failed_refetch_does_not_lose_a_good_set(site: Site) -> None:
    key = es384()
    async with publishing(key) as publisher:
        client = await site.client(key=key, jwks=publisher.url)
        assert (await site.ask(client)).status_code == 200
        publisher.status = 500
        assert (await site.ask(client, header={"kid": "invented"})).status_code == 401
        assert (await site.ask(client)).status_code == 200


async def test_a_jku_is_good_only_if_it_is_the_registered_url(site: Site) -> None:
    key = es384()
    async with publishing(key) as publisher, publishing(key) as other:
        client = await site.client(key=key, jwks=publisher.url)
        assert (await site.ask(client, header={"jku": publisher.url})).status_code == 200
        for jku in (other.url, publisher.url + "?", publisher.url + "#x", 7, ""):
            answer = await site.ask(client, header={"jku": jku})
            assert answer.json()["error"] == "invalid_client", jku
        assert other.visits == 0


async def test_a_jku_of_a_client_with_keys_by_value_is_never_fetched(site: Site) -> None:
    client = await site.client()
    async with publishing(client.key) as publisher:
        made = assertion(client.key, client.id, site.token_url, header={"jku": publisher.url})
        answer = await site.http.post("/auth/token", data=form(made))
        assert answer.json()["error"] == "invalid_client"
        assert publisher.visits == 0
