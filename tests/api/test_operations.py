"""$validate, $meta, $everything, $match, and the definitions we publish: https://hl7.org/fhir/R4/operations.html"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from parts import Service

from service.fhir.json import decode_object, encode
from service.fhir.matching import weigh

GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "A door that locks"},
    "subject": {"reference": "Patient/leslie"},
}
LESLIE: dict[str, Any] = {
    "resourceType": "Patient",
    "identifier": [{"system": "http://county.example/id", "value": "77"}],
    "name": [{"family": "Núñez", "given": ["Leslie"]}],
    "birthDate": "1988-04-09",
    "gender": "female",
    "telecom": [{"system": "phone", "value": "+1 555 010 0177"}],
    "address": [{"line": ["12 Bridge St"], "postalCode": "97201"}],
}
CLIENT = "https://casebridge.example/fhir/StructureDefinition/casebridge-client"
OURS = "https://casebridge.example/fhir/StructureDefinition/casebridge-goal"


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Riverbend", "ehr")
    async with await service.client("Riverbend") as found:
        yield found


async def made(client: httpx.AsyncClient, resource: dict[str, Any]) -> str:
    response = await client.post(f"/fhir/{resource['resourceType']}", content=encode(resource))
    assert response.status_code == 201, response.text
    return f"/fhir/{resource['resourceType']}/{decode_object(response.content)['id']}"


def parameters(**values: Any) -> bytes:
    rows = []
    for name, value in values.items():
        key = "resource" if name == "resource" else f"value{type(value).__name__.capitalize()}"
        key = {
            "valueStr": "valueString",
            "valueBool": "valueBoolean",
            "valueInt": "valueInteger",
            "valueDict": "valueMeta",
        }.get(key, key)
        rows.append({"name": name, key: value})
    return encode({"resourceType": "Parameters", "parameter": rows})


async def issues(client: httpx.AsyncClient, path: str, content: bytes) -> list[dict[str, Any]]:
    response = await client.post(path, content=content)
    assert response.status_code == 200, response.text
    return [
        each for each in decode_object(response.content)["issue"] if each["severity"] in ("error", "fatal")
    ]


# $validate


async def test_validate_says_what_a_write_would_say(client: httpx.AsyncClient) -> None:
    bad = encode({**GOAL, "lifecycleStatus": "bogus"})
    for path in ("/fhir/$validate", "/fhir/Goal/$validate"):
        assert await issues(client, path, encode(GOAL)) == []
        assert "bogus" in (await issues(client, path, bad))[0]["details"]["text"]
        assert await issues(client, path, parameters(resource=GOAL)) == []
    assert await issues(client, "/fhir/Patient/$validate", encode(GOAL)) != []
    assert "entry" not in decode_object((await client.get("/fhir/Goal")).content)


async def test_validate_looks_at_profiles_asked_for(client: httpx.AsyncClient) -> None:
    for path, content in [("/fhir/Goal/$validate", parameters(resource=GOAL, profile=CLIENT)),
                          (f"/fhir/Goal/$validate?profile={CLIENT}", encode(GOAL))]:  # fmt: skip
        assert await issues(client, path, content) != []
    unknown = await issues(client, "/fhir/Goal/$validate?profile=http://nobody.example/x", encode(GOAL))
    assert unknown[0]["code"] == "not-found"


async def test_validate_takes_any_r4_type(client: httpx.AsyncClient) -> None:
    account = {"resourceType": "Account", "status": "active"}
    assert await issues(client, "/fhir/Account/$validate", encode(account)) == []
    assert await issues(client, "/fhir/Bundle/$validate", encode({"resourceType": "Bundle"})) != []
    assert (await client.post("/fhir/Spaceship/$validate", content=encode(account))).status_code == 404


async def test_validate_knows_the_intention(client: httpx.AsyncClient) -> None:
    url = await made(client, GOAL)
    kept = decode_object((await client.get(url)).content)
    assert await issues(client, f"{url}/$validate", parameters(resource=kept, mode="update")) == []
    assert (
        await issues(client, f"{url}/$validate", parameters(resource={**kept, "id": "x"}, mode="update"))
        != []
    )
    assert await issues(client, f"{url}/$validate", parameters(mode="delete")) == []
    assert (
        await issues(
            client, "/fhir/$validate?mode=create", encode({"resourceType": "Account", "status": "active"})
        )
        != []
    )
    assert (await client.get(f"{url}/$validate")).status_code == 200
    assert (await client.get("/fhir/Goal/nobody/$validate")).status_code == 404
    assert (await client.get(url)).status_code == 200
    who = await made(client, LESLIE)
    await made(client, {**GOAL, "subject": {"reference": who.removeprefix("/fhir/")}})
    assert (
        "refer" in (await issues(client, f"{who}/$validate", parameters(mode="delete")))[0]["details"]["text"]
    )


@pytest.mark.parametrize("content", [b"", b'{"resourceType":"Parameters"}', b'{"resourceType":"Parameters","parameter":{}}',
                                     b'{"resourceType":"Parameters","parameter":[{"name":"spaceship","valueString":"x"}]}'])  # fmt: skip
async def test_validate_without_a_question_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    response = await client.post("/fhir/$validate", content=content)
    assert response.status_code == 400
    assert decode_object(response.content)["resourceType"] == "OperationOutcome"


# $meta


async def test_meta_is_read_added_and_taken_away(client: httpx.AsyncClient) -> None:
    url = await made(client, GOAL)
    tag = {"system": "http://partner.example/tags", "code": "follow-up"}
    added = await client.post(f"{url}/$meta-add", content=parameters(meta={"tag": [tag]}))
    assert added.status_code == 200, added.text
    again = await client.post(f"{url}/$meta-add", content=parameters(meta={"tag": [tag]}))
    shown = decode_object((await client.get(f"{url}/$meta")).content)["parameter"][0]["valueMeta"]
    assert decode_object(again.content)["parameter"][0]["valueMeta"] == shown
    assert (shown["tag"], shown["versionId"]) == ([tag], "2")
    first = decode_object((await client.get(f"{url}/_history/1/$meta")).content)["parameter"][0]["valueMeta"]
    assert "tag" not in first
    stale = await client.post(
        f"{url}/$meta-delete", content=parameters(meta={"tag": [tag]}), headers={"If-Match": 'W/"1"'}
    )
    assert stale.status_code == 412
    gone = await client.post(f"{url}/$meta-delete", content=parameters(meta={"tag": [tag]}))
    assert "tag" not in decode_object(gone.content)["parameter"][0]["valueMeta"]
    for content in (parameters(meta="x"), parameters(), encode(GOAL)):
        assert (await client.post(f"{url}/$meta-add", content=content)).status_code == 400


# $everything


async def test_everything_is_the_client_and_all_that_is_about_the_client(client: httpx.AsyncClient) -> None:
    who = await made(client, LESLIE)
    reference = who.removeprefix("/fhir/")
    agency = await made(client, {"resourceType": "Organization", "name": "Northside"})
    for number in range(5):
        await made(
            client, {**GOAL, "subject": {"reference": reference}, "description": {"text": f"goal {number}"}}
        )
    await made(client, {**GOAL, "subject": {"reference": "Patient/another"}})
    asked = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"text": "Housing"},
        "subject": {"reference": reference},
        "requester": {"reference": agency.removeprefix("/fhir/")},
    }
    await made(client, asked)

    async def types(query: str) -> list[str]:
        response = await client.get(f"{who}/$everything{query}")
        assert response.status_code == 200, response.text
        bundle = decode_object(response.content)
        assert bundle["type"] == "searchset"
        return sorted(each["resource"]["resourceType"] for each in bundle.get("entry", []))

    assert await types("") == [*["Goal"] * 5, "Organization", "Patient", "ServiceRequest"]
    assert await types("?_type=Goal,Organization") == ["Goal"] * 5
    assert await types("?_type=Patient") == ["Patient"]
    assert await types("?_since=2999-01-01T00:00:00Z") == []
    seen, url = [], f"{who}/$everything?_count=2"
    while url:
        page = decode_object((await client.get(url)).content)
        seen += [each["resource"]["id"] for each in page["entry"]]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    assert len(seen) == len(set(seen)) == 8
    posted = await client.post(f"{who}/$everything", content=parameters(_count=100))
    assert len(decode_object(posted.content)["entry"]) == 8


async def test_everything_about_nobody_and_about_others_is_404(
    service: Service, client: httpx.AsyncClient
) -> None:
    who = await made(client, LESLIE)
    assert (await client.get("/fhir/Patient/nobody/$everything")).status_code == 404
    await service.partner("Lakeview", "ehr")
    async with await service.client("Lakeview") as other:
        assert (await other.get(f"{who}/$everything")).status_code == 404
    for query in ("_type=Spaceship", "_since=x", "_count=0", "_cursor=x", "spaceship=1"):
        assert (await client.get(f"{who}/$everything?{query}")).status_code in (400, 404), query


# $match


async def test_match_grades_whom_it_finds(client: httpx.AsyncClient) -> None:
    await made(client, LESLIE)
    sparse = {key: LESLIE[key] for key in ("resourceType", "name", "birthDate", "gender")}
    await made(client, sparse)
    await made(
        client, {**sparse, "birthDate": "1961-01-01", "name": [{"family": "Núñez", "given": ["Marta"]}]}
    )
    response = await client.post("/fhir/Patient/$match", content=parameters(resource=LESLIE))
    assert response.status_code == 200, response.text
    entries = decode_object(response.content)["entry"]
    grades = [each["search"]["extension"][0]["valueCode"] for each in entries]
    assert grades == ["certain", "probable"]
    assert b'"score":0.99' in response.content
    only = await client.post(
        "/fhir/Patient/$match", content=parameters(resource=LESLIE, onlyCertainMatches=True)
    )
    assert len(decode_object(only.content)["entry"]) == 1
    one = await client.post("/fhir/Patient/$match", content=parameters(resource=LESLIE, count=1))
    assert len(decode_object(one.content)["entry"]) == 1


async def test_match_finds_only_whom_the_caller_may_know(service: Service, client: httpx.AsyncClient) -> None:
    await made(client, LESLIE)
    await service.partner("Lakeview", "ehr")
    async with await service.client("Lakeview") as other:
        response = await other.post("/fhir/Patient/$match", content=parameters(resource=LESLIE))
        assert (response.status_code, "entry" in decode_object(response.content)) == (200, False)


async def test_match_needs_somebody_to_look_for(client: httpx.AsyncClient) -> None:
    for content, status in [(b"", 400), (parameters(resource=GOAL), 400), (parameters(resource={"resourceType": "Patient"}), 422),
                            (parameters(resource=LESLIE, count=0), 400)]:  # fmt: skip
        assert (await client.post("/fhir/Patient/$match", content=content)).status_code == status


@pytest.mark.parametrize(
    ("change", "grade"),
    [
        ({}, "certain"),
        ({"identifier": [], "telecom": [], "address": []}, "probable"),
        ({"identifier": [], "telecom": [], "address": [], "birthDate": None}, "possible"),
        ({"birthDate": "1961-01-01"}, "probable"),
        ({"birthDate": "1961-01-01", "name": [{"family": "Bell", "given": ["Marcus"]}], "gender": "male"}, "certainly-not"),
        ({"name": [{"family": "NUNEZ", "given": ["leslie"]}]}, "certain"),
        ({"identifier": [{"system": "http://other.example", "value": "77"}]}, "certain"),
        ({"identifier": [], "name": [], "birthDate": None, "telecom": [], "address": []}, "certainly-not"),
    ],
)  # fmt: skip
def test_the_weights_grade_as_the_guide_says(change: dict[str, Any], grade: str) -> None:
    assert weigh(LESLIE, {**LESLIE, **change}).grade == grade


# definitions


async def test_what_we_publish_is_read_and_found_by_anybody(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as anybody:
        one = await anybody.get("/fhir/StructureDefinition/casebridge-goal")
        assert decode_object(one.content)["url"] == OURS
        for query in (
            f"url={OURS}",
            f"url={OURS}|1.0.0",
            "name=casebridgegoal",
            "name:exact=CasebridgeGoal",
            "_id=casebridge-goal",
        ):
            found = decode_object((await anybody.get(f"/fhir/StructureDefinition?{query}")).content)
            assert "casebridge-goal" in [each["resource"]["id"] for each in found["entry"]], query
        assert (
            decode_object((await anybody.get(f"/fhir/StructureDefinition?url={OURS}|9")).content)["total"]
            == 0
        )
        page = decode_object((await anybody.get("/fhir/ValueSet?_count=5")).content)
        following = next(link["url"] for link in page["link"] if link["relation"] == "next")
        assert len(page["entry"]) == 5
        ids = {each["fullUrl"] for each in page["entry"]}
        assert ids.isdisjoint(
            each["fullUrl"] for each in decode_object((await anybody.get(following)).content)["entry"]
        )
        assert (await anybody.get("/fhir/ValueSet/nobody")).status_code == 404
        assert (await anybody.get("/fhir/ValueSet?spaceship=1")).status_code == 400
        refused = await anybody.post("/fhir/ValueSet", content=b"{}")
        assert (refused.status_code, "GET" in refused.headers["allow"]) == (405, True)
        assert (await anybody.get("/fhir/ValueSet/nobody")).status_code == 404


async def test_every_operation_definition_is_valid_and_served(
    service: Service, client: httpx.AsyncClient
) -> None:
    found = decode_object((await client.get("/fhir/OperationDefinition")).content)
    folder = Path(__file__).parents[2] / "fhir_profiles" / "operations"
    assert found["total"] == len(list(folder.glob("*.json")))
    for each in found["entry"]:
        assert await issues(client, "/fhir/OperationDefinition/$validate", encode(each["resource"])) == []
