"""Two replicas over one database: what must be exact is exact across both."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from parts import Service, running
from smart_client import assertion, es384, form

from service.flows import onboard_partner


@dataclass
class Two:
    one: Service
    other: Service
    client_id: str
    key: Any

    def assertion(self, **claims: Any) -> dict[str, Any]:
        return form(
            assertion(self.key, self.client_id, f"{self.one.url}/auth/token", **claims), "system/*.rs"
        )


@pytest.fixture
async def two(database_url: str, tmp_path: Path) -> AsyncIterator[Two]:
    async with running(database_url, tmp_path) as one, running(database_url, tmp_path) as other:
        # behind one public address, as a load balancer would have it
        other.wiring.context = replace(other.wiring.context, base=one.wiring.context.base)
        key = es384()
        path = tmp_path / "jwks.json"
        path.write_text(json.dumps({"keys": [key.public]}))
        made = await one.partner("Clinic", "ehr", jwks=str(path))
        yield Two(one, other, made["client_id"], key)


async def test_sixteen_racing_uses_of_one_assertion_across_two_replicas_yield_one_token(two: Two) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        for _ in range(10):
            made = two.assertion()
            urls = [f"{(two.one, two.other)[number % 2].url}/auth/token" for number in range(16)]
            answers = await asyncio.gather(*(http.post(url, data=made) for url in urls))
            assert sorted(answer.status_code for answer in answers) == [200] + [401] * 15
            assert {a.json()["error"] for a in answers if a.status_code == 401} == {"invalid_client"}
    async with two.one.wiring.context.database.reading() as connection:
        assert await connection.fetchval("SELECT count(*) FROM access_token") == 10
        assert await connection.fetchval("SELECT count(*) FROM audit WHERE action = 'token-issued'") == 10


async def test_a_token_counts_at_both_until_one_of_them_ends_it(two: Two) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        token = (await http.post(f"{two.one.url}/auth/token", data=two.assertion())).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert (await http.get(f"{two.other.base}/Task", headers=headers)).status_code == 200
        revoked = await http.post(f"{two.one.url}/auth/revoke", data={"token": token}, headers=headers)
        assert revoked.status_code == 200
        for service in (two.other, two.one):
            assert (await http.get(f"{service.base}/Task", headers=headers)).status_code == 401


async def test_a_partner_disabled_at_one_is_refused_at_the_other_at_its_next_request(two: Two) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        token = (await http.post(f"{two.other.url}/auth/token", data=two.assertion())).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        for service in (two.one, two.other):
            assert (await http.get(f"{service.base}/Task", headers=headers)).status_code == 200
        await onboard_partner.disable(two.one.wiring.context, "Clinic")
        for service in (two.other, two.one):
            assert (await http.get(f"{service.base}/Task", headers=headers)).status_code == 401
            assert (await http.post(f"{service.url}/auth/token", data=two.assertion())).status_code == 401


async def test_both_replicas_publish_the_same_keys(two: Two) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        found = [
            (await http.get(f"{each.url}/.well-known/jwks.json")).json() for each in (two.one, two.other)
        ]
    assert found[0] == found[1] and len(found[0]["keys"]) == 2
