"""The index written anew: by stories that can be told again, while others write."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from parts import Service

from service.fhir.search.edition import EDITION
from service.flows import reindex
from service.kernel.failures import Refused


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Case system", "casework")
    async with await service.client("Case system") as client:
        yield client


async def fill(client: httpx.AsyncClient, count: int = 5) -> None:
    for number in range(count):
        patient = {"resourceType": "Patient", "gender": "female", "name": [{"family": f"Moreno {number}"}]}
        assert (await client.post("/fhir/Patient", json=patient)).status_code == 201


async def forget(service: Service) -> None:
    """As an older release left it: without keys, and saying so."""
    async with service.wiring.context.database.unit() as unit:
        await unit.execute(
            "UPDATE resource SET keys = '{}', orders = '{}', indexed = 1 WHERE type = 'Patient'"
        )
        await unit.execute("DELETE FROM search_string WHERE type = 'Patient'")


async def told(service: Service, **more: Any) -> list[reindex.Progress]:
    return [each async for each in reindex.reindex(service.wiring.context, **more)]


async def count(client: httpx.AsyncClient, search: str) -> int:
    answer = await client.get(f"/fhir/{search}&_summary=count")
    assert answer.status_code == 200
    return int(answer.json()["total"])


async def test_what_an_older_release_indexed_is_found_after_reindexing(
    service: Service, client: httpx.AsyncClient
) -> None:
    await fill(client)
    before = (await client.get("/fhir/Patient?_sort=gender,family")).json()
    await forget(service)
    assert await count(client, "Patient?gender=female") == await count(client, "Patient?family=moreno") == 0
    assert await reindex.needed(service.wiring.context)
    assert await told(service) == [reindex.Progress("Patient", 5, 5)]
    assert await count(client, "Patient?gender=female") == await count(client, "Patient?family=moreno") == 5
    after = (await client.get("/fhir/Patient?_sort=gender,family")).json()
    assert after["entry"] == before["entry"]
    assert not await reindex.needed(service.wiring.context)
    assert await told(service) == []


async def test_a_run_that_was_ended_goes_on_where_it_was(
    service: Service, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(client)
    await forget(service)
    monkeypatch.setattr(reindex, "BATCH", 2)
    async for step in reindex.reindex(service.wiring.context):
        assert step == reindex.Progress("Patient", 2, 5)
        break
    assert await count(client, "Patient?gender=female") == 2
    assert (await told(service))[-1] == reindex.Progress("Patient", 3, 3)
    assert await count(client, "Patient?gender=female") == 5


async def test_one_type_or_everything_can_be_asked_for(service: Service, client: httpx.AsyncClient) -> None:
    await fill(client, 2)
    assert await told(service, types=("Task",), everything=True) == []
    assert {each.type for each in await told(service, everything=True)} >= {"Patient", "Organization"}
    with pytest.raises(Refused):
        await told(service, types=("Medication",))


async def test_others_write_meanwhile_and_nothing_of_theirs_is_undone(
    service: Service, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(client, 12)
    entries = (await client.get("/fhir/Patient?_count=100")).json()["entry"]
    await forget(service)
    monkeypatch.setattr(reindex, "BATCH", 1)

    async def change(resource: dict[str, Any]) -> None:
        answer = await client.put(f"/fhir/Patient/{resource['id']}", json={**resource, "gender": "male"})
        assert answer.status_code == 200

    await asyncio.gather(told(service), *(change(entry["resource"]) for entry in entries[::2]))
    assert await count(client, "Patient?gender=male") == 6
    assert await count(client, "Patient?gender=female") == 6
    async with service.wiring.context.database.reading() as connection:
        held = await connection.fetch("SELECT DISTINCT indexed FROM resource WHERE type = 'Patient'")
        doubled = await connection.fetchval(
            "SELECT count(*) FROM (SELECT 1 FROM search_string GROUP BY type, param, id, value HAVING count(*) > 1) x"
        )
    assert [each["indexed"] for each in held] == [EDITION]
    assert doubled == 0
