"""The FHIR door, as a partner's client library meets it: https://hl7.org/fhir/R4/http.html"""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from parts import Service

from service.fhir.json import decode_object, encode

GOAL = b'{"resourceType":"Goal","lifecycleStatus":"active","description":{"text":"A door that locks"},"subject":{"reference":"Patient/leslie"},"extension":[{"url":"http://partner.example/weight","valueDecimal":1.00}]}'


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Riverbend", "ehr")
    async with await service.client("Riverbend") as found:
        yield found


def outcome(response: httpx.Response) -> str:
    body = decode_object(response.content)
    assert body["resourceType"] == "OperationOutcome", body
    assert response.headers["content-type"].startswith("application/fhir+json")
    return str(body["issue"][0]["details"]["text"])


async def made(client: httpx.AsyncClient, raw: bytes = GOAL) -> str:
    response = await client.post("/fhir/Goal", content=raw)
    assert response.status_code == 201, response.text
    return str(decode_object(response.content)["id"])


async def test_a_created_resource_says_where_it_is_and_which_version(client: httpx.AsyncClient) -> None:
    response = await client.post("/fhir/Goal", content=GOAL)
    body = decode_object(response.content)
    assert response.status_code == 201
    assert response.headers["etag"] == 'W/"1"'
    assert response.headers["location"].endswith(f"/fhir/Goal/{body['id']}/_history/1")
    assert body["meta"]["versionId"] == "1"
    assert b'"valueDecimal":1.00' in response.content


async def test_an_update_makes_the_next_version_and_the_old_one_stays(client: httpx.AsyncClient) -> None:
    id_ = await made(client)
    changed = encode({**decode_object(GOAL), "id": id_, "lifecycleStatus": "completed"})
    response = await client.put(f"/fhir/Goal/{id_}", content=changed, headers={"If-Match": 'W/"1"'})
    assert (response.status_code, response.headers["etag"]) == (200, 'W/"2"')
    first = decode_object((await client.get(f"/fhir/Goal/{id_}/_history/1")).content)
    assert first["lifecycleStatus"] == "active"
    bundle = decode_object((await client.get(f"/fhir/Goal/{id_}/_history")).content)
    assert [entry["resource"]["meta"]["versionId"] for entry in bundle["entry"]] == ["2", "1"]
    assert [entry["request"]["method"] for entry in bundle["entry"]] == ["PUT", "POST"]


async def test_an_update_that_changes_nothing_keeps_its_version(client: httpx.AsyncClient) -> None:
    id_ = await made(client)
    same = encode({**decode_object(GOAL), "id": id_})
    response = await client.put(f"/fhir/Goal/{id_}", content=same)
    assert (response.status_code, response.headers["etag"]) == (200, 'W/"1"')


async def test_an_outdated_if_match_is_refused(client: httpx.AsyncClient) -> None:
    id_ = await made(client)
    changed = encode({**decode_object(GOAL), "id": id_, "lifecycleStatus": "completed"})
    assert (
        await client.put(f"/fhir/Goal/{id_}", content=changed, headers={"If-Match": 'W/"7"'})
    ).status_code == 412
    assert (
        await client.put(f"/fhir/Goal/{id_}", content=changed, headers={"If-Match": "seven"})
    ).status_code == 400


async def test_twenty_updates_at_once_with_one_if_match_are_one_success(client: httpx.AsyncClient) -> None:
    id_ = await made(client)

    async def update(number: int) -> int:
        body = encode({**decode_object(GOAL), "id": id_, "description": {"text": f"goal {number}"}})
        return (
            await client.put(f"/fhir/Goal/{id_}", content=body, headers={"If-Match": 'W/"1"'})
        ).status_code

    statuses = await asyncio.gather(*(update(number) for number in range(20)))
    assert sorted(statuses) == [200] + [412] * 19


async def test_twenty_updates_at_once_without_if_match_are_twenty_versions(client: httpx.AsyncClient) -> None:
    id_ = await made(client)

    async def update(number: int) -> int:
        body = encode({**decode_object(GOAL), "id": id_, "description": {"text": f"goal {number}"}})
        return (await client.put(f"/fhir/Goal/{id_}", content=body)).status_code

    assert set(await asyncio.gather(*(update(number) for number in range(20)))) == {200}
    bundle = decode_object((await client.get(f"/fhir/Goal/{id_}/_history")).content)
    assert [int(entry["resource"]["meta"]["versionId"]) for entry in bundle["entry"]] == list(
        range(21, 0, -1)
    )


async def test_twenty_conditional_creates_at_once_make_one_resource(client: httpx.AsyncClient) -> None:
    patient = b'{"resourceType":"Patient","identifier":[{"system":"http://county.example/id","value":"77"}],"name":[{"family":"Moreno"}]}'
    headers = {"If-None-Exist": "identifier=http://county.example/id|77"}
    answers = await asyncio.gather(
        *(client.post("/fhir/Patient", content=patient, headers=headers) for _ in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({decode_object(answer.content)["id"] for answer in answers}) == 1


async def test_a_deleted_resource_is_gone_but_its_history_stays(client: httpx.AsyncClient) -> None:
    id_ = await made(client)
    assert (await client.delete(f"/fhir/Goal/{id_}")).status_code == 204
    gone = await client.get(f"/fhir/Goal/{id_}")
    assert gone.status_code == 410
    assert "deleted" in outcome(gone)
    assert (await client.get(f"/fhir/Goal/{id_}/_history/1")).status_code == 200
    assert (await client.get(f"/fhir/Goal/{id_}/_history/2")).status_code == 410
    assert (await client.delete(f"/fhir/Goal/{id_}")).status_code == 204
    bundle = decode_object((await client.get(f"/fhir/Goal/{id_}/_history")).content)
    assert bundle["entry"][0]["request"]["method"] == "DELETE"


async def test_a_deleted_id_can_live_again(client: httpx.AsyncClient) -> None:
    id_ = await made(client)
    await client.delete(f"/fhir/Goal/{id_}")
    back = await client.put(f"/fhir/Goal/{id_}", content=encode({**decode_object(GOAL), "id": id_}))
    assert (back.status_code, back.headers["etag"]) == (201, 'W/"3"')


async def test_a_client_may_choose_the_id_by_putting(client: httpx.AsyncClient) -> None:
    body = encode({**decode_object(GOAL), "id": "a-goal.1"})
    assert (await client.put("/fhir/Goal/a-goal.1", content=body)).status_code == 201
    assert (await client.put("/fhir/Goal/another", content=body)).status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [("/fhir/Goal/nobody", 404), ("/fhir/Spaceship/1", 404), ("/fhir/Goal/not_an_id!", 400), ("/fhir/nothing", 404),
     ("/fhir/Goal/x/_history/abc", 404), ("/elsewhere", 404)],
)  # fmt: skip
async def test_what_does_not_exist_is_said_plainly(client: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await client.get(path)).status_code == status


@pytest.mark.parametrize(
    ("raw", "status", "words"),
    [
        (b'{"resourceType":"Goal","resourceType":"Goal"}', 400, "occurs twice"),
        (b"{", 400, "JSON"),
        (b"[]", 400, "object"),
        (b"{}", 400, "resourceType"),
        (b'{"resourceType":"Patient"}', 400, "the URL says Goal"),
        (b'{"resourceType":"Goal","lifecycleStatus":"bogus","description":{"text":"x"},"subject":{"reference":"Patient/1"}}', 422, "bogus"),
        (b'{"resourceType":"Goal","lifecycleStatus":"active","description":{"text":"x"}}', 422, "subject"),
    ],
)  # fmt: skip
async def test_a_bad_body_is_refused_with_its_place(
    client: httpx.AsyncClient, raw: bytes, status: int, words: str
) -> None:
    response = await client.post("/fhir/Goal", content=raw)
    assert response.status_code == status, response.text
    assert words in outcome(response)


async def test_other_media_types_are_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/fhir/Goal", content=GOAL, headers={"Content-Type": "text/plain"})
    assert response.status_code == 415


async def test_a_body_beyond_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/fhir/Goal", content=b" " * 5_000_001)
    assert response.status_code == 413


async def test_a_create_with_search_parameters_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/fhir/Goal?identifier=x", content=GOAL)).status_code == 400


async def test_prefer_minimal_and_outcome(client: httpx.AsyncClient) -> None:
    minimal = await client.post("/fhir/Goal", content=GOAL, headers={"Prefer": "return=minimal"})
    assert (minimal.status_code, minimal.content) == (201, b"")
    said = await client.post("/fhir/Goal", content=GOAL, headers={"Prefer": "return=OperationOutcome"})
    assert decode_object(said.content)["resourceType"] == "OperationOutcome"


async def test_an_unchanged_read_is_304(client: httpx.AsyncClient) -> None:
    id_ = await made(client)
    assert (await client.get(f"/fhir/Goal/{id_}", headers={"If-None-Match": 'W/"1"'})).status_code == 304


async def test_without_a_token_nothing_is_read(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as stranger:
        response = await stranger.get("/fhir/Goal/1")
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert (await stranger.get("/fhir/metadata")).status_code == 200


async def test_a_token_covers_what_its_scopes_say(service: Service) -> None:
    await service.partner("Narrow", "ehr", scopes=["system/Goal.rs"])
    async with await service.client("Narrow") as narrow:
        response = await narrow.post("/fhir/Goal", content=GOAL)
        assert response.status_code == 403
        assert "system/Goal.c" in outcome(response)
        assert (await narrow.get("/fhir/Patient/1")).status_code == 403


async def test_what_another_partner_wrote_does_not_exist(service: Service, client: httpx.AsyncClient) -> None:
    id_ = await made(client)
    await service.partner("Lakeview", "ehr")
    async with await service.client("Lakeview") as other:
        for path in (f"/fhir/Goal/{id_}", f"/fhir/Goal/{id_}/_history", f"/fhir/Goal/{id_}/_history/1"):
            foreign, unknown = await other.get(path), await other.get(path.replace(id_, "unknown"))
            assert foreign.status_code == unknown.status_code == 404
            assert foreign.text.replace(id_, "unknown") == unknown.text
        assert (await other.delete(f"/fhir/Goal/{id_}")).status_code == 204
        changed = encode({**decode_object(GOAL), "id": id_, "lifecycleStatus": "completed"})
        assert (await other.put(f"/fhir/Goal/{id_}", content=changed)).status_code == 404
        found = decode_object((await other.get("/fhir/Goal")).content)
        assert found.get("entry", []) == []
    assert (await client.get(f"/fhir/Goal/{id_}")).headers["etag"] == 'W/"1"'


async def test_the_capability_statement_claims_what_the_routes_offer(client: httpx.AsyncClient) -> None:
    statement = decode_object((await client.get("/fhir/metadata")).content)
    assert statement["fhirVersion"] == "4.0.1"
    for resource in statement["rest"][0]["resource"]:
        response = await client.get(f"/fhir/{resource['type']}")
        assert response.status_code == 200, (resource["type"], response.text)


@pytest.mark.parametrize(
    ("said", "taken"),
    [("0190163d-8694-739b-aea5-966c26f8ad91", True), ("01ARZ3NDEKTSV4RRFFQ69G5FAV", True), ("4bf92f3577b34da6", True),
     ("Leslie-Moreno", False), ("abe", False), ("1991-11-23", False), ("614-555-0142", False), ("a" * 65, False)],
)  # fmt: skip
async def test_a_caller_s_request_id_is_taken_over_when_it_can_be_nothing_else(
    client: httpx.AsyncClient, said: str, taken: bool
) -> None:
    response = await client.get("/fhir/metadata", headers={"X-Request-Id": said})
    assert (response.headers["x-request-id"] == said) is taken


async def test_every_answer_carries_a_request_id_and_safety_headers(client: httpx.AsyncClient) -> None:
    response = await client.get(
        "/fhir/metadata", headers={"X-Request-Id": "0af7651916cd43dd8448eb211c80319c"}
    )
    assert response.headers["x-request-id"] == "0af7651916cd43dd8448eb211c80319c"
    assert response.headers["x-content-type-options"] == "nosniff"
