"""A transaction: all of it or none of it, wherever it breaks."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from parts import Service

from service.fhir.json import decode_object, encode

PATIENT, REQUEST, TASK = (f"urn:uuid:{digit}1111111-1111-4111-8111-111111111111" for digit in "123")


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("County Access Line", "referral-source")
    async with await service.client("County Access Line") as found:
        yield found


def entry(
    resource: dict[str, Any], url: str = "", full_url: str = "", method: str = "POST", **request: str
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "resource": resource,
        "request": {"method": method, "url": url or resource["resourceType"], **request},
    }
    return row | ({"fullUrl": full_url} if full_url else {})


def referral() -> list[dict[str, Any]]:
    patient = {
        "resourceType": "Patient",
        "identifier": [{"system": "http://county.example/id", "value": "77"}],
        "name": [{"family": "Moreno"}],
    }
    request = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"text": "Case management"},
        "subject": {"reference": PATIENT},
    }
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "focus": {"reference": REQUEST},
        "for": {"reference": PATIENT},
    }
    return [entry(task, full_url=TASK), entry(request, full_url=REQUEST), entry(patient, full_url=PATIENT)]


async def send(
    client: httpx.AsyncClient, rows: list[dict[str, Any]], kind: str = "transaction"
) -> httpx.Response:
    return await client.post("/fhir", content=encode({"resourceType": "Bundle", "type": kind, "entry": rows}))


async def count(client: httpx.AsyncClient, *types: str) -> int:
    return sum(
        [len(decode_object((await client.get(f"/fhir/{type_}")).content).get("entry", [])) for type_ in types]
    )


async def test_entries_find_each_other_in_any_order(client: httpx.AsyncClient) -> None:
    answer = decode_object((await send(client, referral())).content)
    task, request, patient = (each["resource"] for each in answer["entry"])
    assert task["focus"]["reference"] == f"ServiceRequest/{request['id']}"
    assert task["for"]["reference"] == request["subject"]["reference"] == f"Patient/{patient['id']}"
    assert [each["response"]["status"] for each in answer["entry"]] == ["201 Created"] * 3


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_one_invalid_entry_leaves_nothing_behind(client: httpx.AsyncClient, place: int) -> None:
    rows = referral()
    rows[place]["resource"]["spaceship"] = True
    response = await send(client, rows)
    assert response.status_code == 422
    assert f"Bundle.entry[{place}].resource" in response.text
    assert await count(client, "Patient", "ServiceRequest", "Task") == 0


async def test_a_reference_to_no_entry_is_named(client: httpx.AsyncClient) -> None:
    response = await send(client, referral()[:2])
    assert response.status_code == 400
    assert "Bundle.entry[0]" in response.text


async def test_a_conditional_create_that_finds_its_resource_uses_it(client: httpx.AsyncClient) -> None:
    rows = referral()
    rows[2]["request"]["ifNoneExist"] = "identifier=http://county.example/id|77"
    first = decode_object((await send(client, rows)).content)
    second = decode_object((await send(client, rows)).content)
    assert second["entry"][2]["response"]["status"] == "200 OK"
    assert second["entry"][0]["resource"]["for"] == first["entry"][0]["resource"]["for"]
    assert await count(client, "Patient") == 1


async def test_two_entries_that_mean_the_same_are_refused(client: httpx.AsyncClient) -> None:
    rows = referral()
    rows[2]["request"]["ifNoneExist"] = "identifier=http://county.example/id|77"
    twin = {**rows[2], "fullUrl": "urn:uuid:41111111-1111-4111-8111-111111111111"}
    response = await send(client, [*rows, twin])
    assert response.status_code == 400
    assert "Bundle.entry[3]" in response.text


async def test_a_put_with_an_old_version_undoes_the_whole(client: httpx.AsyncClient) -> None:
    made = decode_object((await send(client, referral())).content)["entry"][2]["resource"]
    rows = [
        *referral(),
        entry({**made, "gender": "female"}, f"Patient/{made['id']}", method="PUT", ifMatch='W/"9"'),
    ]
    assert (await send(client, rows)).status_code == 412
    assert await count(client, "Task") == 1


async def test_deletes_come_first_and_reads_last(client: httpx.AsyncClient) -> None:
    made = decode_object((await send(client, referral()[2:])).content)["entry"][0]["resource"]
    other = {"resourceType": "Patient", "id": "new", "name": [{"family": "Bell"}]}
    rows = [
        {"request": {"method": "GET", "url": "Patient/new"}},
        entry(other, "Patient/new", method="PUT"),
        {"request": {"method": "DELETE", "url": f"Patient/{made['id']}"}},
    ]
    answer = decode_object((await send(client, rows)).content)
    assert [each["response"]["status"][:3] for each in answer["entry"]] == ["200", "201", "204"]


async def test_a_batch_answers_each_entry_for_itself(client: httpx.AsyncClient) -> None:
    good = {"resourceType": "Patient", "name": [{"family": "Bell"}]}
    rows = [
        entry(good),
        entry({**good, "spaceship": 1}),
        {"request": {"method": "GET", "url": "Patient/nobody"}},
    ]
    answer = decode_object((await send(client, rows, "batch")).content)
    assert [each["response"]["status"][:3] for each in answer["entry"]] == ["201", "422", "404"]


async def test_the_scope_of_every_entry_is_asked_for(service: Service) -> None:
    await service.partner(
        "Narrow", "referral-source", scopes=["system/Patient.cruds", "system/ServiceRequest.cruds"]
    )
    async with await service.client("Narrow") as narrow:
        response = await send(narrow, referral())
        assert response.status_code == 403
        assert "Bundle.entry[0]" in response.text


async def test_too_many_entries_are_refused(client: httpx.AsyncClient) -> None:
    rows = [entry({"resourceType": "Patient"}) for _ in range(1001)]
    assert (await send(client, rows)).status_code == 413


async def test_a_thousand_entries_are_kept(client: httpx.AsyncClient) -> None:
    rows = [
        entry({"resourceType": "Patient", "name": [{"family": f"Crowd {number}"}]}) for number in range(1000)
    ]
    answer = await send(client, rows)
    assert answer.status_code == 200
    assert len(decode_object(answer.content)["entry"]) == 1000


@pytest.mark.parametrize("bad", [{"entry": {}}, {"entry": [1]}, {"entry": [{}]}, {"entry": [{"request": {"method": "STEAL", "url": "x"}}]},
                                 {"entry": [{"request": {"method": "POST", "url": "Patient"}}]}, {"type": "collection"}])  # fmt: skip
async def test_a_misshapen_bundle_is_refused(client: httpx.AsyncClient, bad: dict[str, Any]) -> None:
    response = await client.post(
        "/fhir", content=encode({"resourceType": "Bundle", "type": "transaction", **bad})
    )
    assert response.status_code in (400, 422)
    assert decode_object(response.content)["resourceType"] == "OperationOutcome"
