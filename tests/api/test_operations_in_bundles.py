"""Operations as entries of a batch or transaction, at every level FHIR gives them; what an answer looks like."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from parts import Service

from service.fhir.json import decode_object, encode
from service.fhir.xml import from_xml

LESLIE = {
    "resourceType": "Patient",
    "identifier": [{"system": "http://county.example/id", "value": "77"}],
    "name": [{"family": "Moreno", "given": ["Leslie"]}],
    "birthDate": "1991-11-23",
}
TAG = {"system": "http://county.example/tags", "code": "winter"}


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Riverbend", "ehr", scopes=["system/*.cruds"])
    async with await service.client("Riverbend") as found:
        yield found


async def made(client: httpx.AsyncClient, resource: dict[str, Any]) -> str:
    response = await client.post(f"/fhir/{resource['resourceType']}", content=encode(resource))
    assert response.status_code == 201, response.text
    return f"{resource['resourceType']}/{decode_object(response.content)['id']}"


def entry(method: str, url: str, resource: Any = None, **more: str) -> dict[str, Any]:
    row: dict[str, Any] = {"request": {"method": method, "url": url, **more}}
    return row if resource is None else {**row, "resource": resource}


async def send(client: httpx.AsyncClient, kind: str, *rows: dict[str, Any], **more: Any) -> httpx.Response:
    return await client.post(
        "/fhir", content=encode({"resourceType": "Bundle", "type": kind, "entry": rows}), **more
    )


async def answers(
    client: httpx.AsyncClient, kind: str, *rows: dict[str, Any], **more: Any
) -> list[dict[str, Any]]:
    response = await send(client, kind, *rows, **more)
    assert response.status_code == 200, response.text
    return decode_object(response.content)["entry"]


MATCH = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": LESLIE}]}


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_what_only_asks_is_answered_in_a_bundle(client: httpx.AsyncClient, kind: str) -> None:
    who = await made(client, {**LESLIE, "meta": {"tag": [TAG]}})
    found = await answers(
        client, kind,
        entry("GET", f"{who}/$everything?_count=5"),
        entry("POST", "Patient/$match", MATCH),
        entry("POST", "Patient/$validate", {**LESLIE, "gender": "spaceship"}),
        entry("GET", f"{who}/$validate"),
        entry("GET", f"{who}/$meta"),
        entry("GET", f"{who}/_history/1/$meta"),
        entry("GET", "Patient/$meta"),
        entry("POST", "$meta"),
        entry("GET", "Patient/$everything"),
    )  # fmt: skip
    assert [each["response"]["status"] for each in found] == ["200 OK"] * 9
    shown = [each["resource"] for each in found]
    assert [each["resourceType"] for each in shown] == [
        "Bundle", "Bundle", "OperationOutcome", "OperationOutcome", *["Parameters"] * 4, "Bundle"
    ]  # fmt: skip
    assert shown[1]["entry"][0]["search"]["extension"][0]["valueCode"] == "certain"
    assert "error" in {issue["severity"] for issue in shown[2]["issue"]}
    assert "error" not in {issue["severity"] for issue in shown[3]["issue"]}
    assert all(TAG in each["parameter"][0]["valueMeta"]["tag"] for each in shown[4:8])


async def test_an_operation_sees_what_its_transaction_wrote(client: httpx.AsyncClient) -> None:
    found = await answers(
        client, "transaction", entry("POST", "Patient/$match", MATCH), entry("POST", "Patient", LESLIE)
    )
    assert len(found[0]["resource"]["entry"]) == 1


async def test_what_changes_something_stands_in_a_batch_and_not_in_a_transaction(
    client: httpx.AsyncClient,
) -> None:
    who = await made(client, LESLIE)
    add = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [TAG]}}]}
    refused = await send(
        client, "transaction", entry("POST", f"{who}/$meta-add", add), entry("POST", "Patient", LESLIE)
    )
    assert (refused.status_code, "Bundle.entry[0]" in refused.text) == (400, True)
    assert decode_object((await client.get("/fhir/Patient?_summary=count")).content)["total"] == 1
    stale, done, again = await answers(
        client, "batch",
        entry("POST", f"{who}/$meta-add", add, ifMatch='W/"9"'),
        entry("POST", f"{who}/$meta-add", add, ifMatch='W/"1"'),
        entry("GET", f"{who}/$meta-add"),
    )  # fmt: skip
    assert (stale["response"]["status"], done["response"]["status"], again["response"]["status"]) == (
        "412",
        "200 OK",
        "405",
    )
    assert done["resource"]["parameter"][0]["valueMeta"]["tag"] == [TAG]


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "$spaceship", "404"), ("GET", "Patient/$spaceship", "404"), ("POST", "Goal/$match", "404"),
        ("GET", "$everything", "404"), ("GET", "Goal/x/$everything", "404"), ("GET", "Spaceship/$meta", "404"),
        ("GET", "Patient/x/$everything", "404"), ("POST", "Consent/$decide", "400"), ("GET", "Patient/$meta?x=1", "400"),
        ("GET", "Patient/a/b/c/$meta", "404"), ("POST", "Patient/$match", "400"), ("POST", "Patient/x/$meta-add", "400"),
    ],
)  # fmt: skip
async def test_what_is_not_offered_is_said_at_its_entry(
    client: httpx.AsyncClient, method: str, url: str, status: str
) -> None:
    bad, good = await answers(client, "batch", entry(method, url), entry("GET", "Patient?_summary=count"))
    assert (bad["response"]["status"], good["response"]["status"]) == (status, "200 OK")
    assert bad["response"]["outcome"]["issue"][0]["severity"] == "error"


async def test_every_operation_we_say_we_offer_answers_in_a_bundle_or_says_why_not(
    client: httpx.AsyncClient,
) -> None:
    """At each level, asked either way, with and without something in hand."""
    [rest] = decode_object((await client.get("/fhir/metadata")).content)["rest"]
    who = await made(client, LESLIE)
    urls = [f"${each['name']}" for each in rest["operation"]]
    for resource in rest["resource"]:
        for each in resource.get("operation", []):
            type_ = resource["type"]
            urls += [f"{place}/${each['name']}" for place in (type_, f"{type_}/nobody")]
            urls += [f"{who}/${each['name']}"] if type_ == "Patient" else []
    assert {"Consent/$decide", "Patient/$export", "Questionnaire/$populate", f"{who}/$disclosures"} <= {*urls}
    given = (None, {"resourceType": "Parameters"}, MATCH, LESLIE)
    rows = [entry("POST", url, body) for url in urls for body in given] + [entry("GET", url) for url in urls]
    said: dict[str, set[str]] = {}
    for start in range(0, len(rows), 100):
        part = rows[start : start + 100]
        for asked, answer in zip(part, await answers(client, "batch", *part), strict=True):
            status = answer["response"]["status"]
            assert status < "500", (asked, answer)
            if status >= "4":
                [issue, *_] = answer["response"]["outcome"]["issue"]
                assert issue["details"]["text"], asked
            said.setdefault(asked["request"]["url"], set()).add(status[:3])
    assert said["Consent/$decide"] == {"400"}
    assert "200" in said[f"{who}/$everything"]


async def test_the_meta_of_a_type_is_what_the_caller_may_see(
    service: Service, client: httpx.AsyncClient
) -> None:
    await made(client, {**LESLIE, "meta": {"tag": [TAG], "profile": ["http://county.example/leslie"]}})
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "x"},
        "subject": {"display": "she"},
    }
    await made(client, {**goal, "meta": {"tag": [TAG, {**TAG, "code": "spring"}]}})

    async def seen(asker: httpx.AsyncClient, path: str) -> dict[str, Any]:
        response = await asker.get(f"/fhir/{path}")
        assert response.status_code == 200, response.text
        return decode_object(response.content)["parameter"][0]["valueMeta"]

    assert await seen(client, "Patient/$meta") == {"profile": ["http://county.example/leslie"], "tag": [TAG]}
    assert {each["code"] for each in (await seen(client, "$meta"))["tag"]} == {"winter", "spring"}
    await service.partner("Lakeview", "ehr", scopes=["system/*.cruds"])
    async with await service.client("Lakeview") as other:
        assert await seen(other, "Patient/$meta") == {}
        assert "tag" not in await seen(other, "$meta")
    await service.partner("Harbor", "casework")
    async with await service.client("Harbor") as harbor:
        assert (await seen(harbor, "Patient/$meta"))["tag"] == [TAG]


async def test_everything_of_all_clients_and_of_an_encounter(
    service: Service, client: httpx.AsyncClient
) -> None:
    one, two = (
        await made(client, LESLIE),
        await made(client, {**LESLIE, "identifier": []} | {"identifier": LESLIE["identifier"]}),
    )
    visit = {
        "resourceType": "Encounter", "status": "finished", "subject": {"reference": one},
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
    }  # fmt: skip
    where = await made(client, visit)
    done = {"resourceType": "Procedure", "status": "completed", "subject": {"reference": one}}
    inside, outside = (
        await made(client, {**done, "encounter": {"reference": where}}),
        await made(client, done),
    )
    agency = await made(client, {"resourceType": "Organization", "name": "Northside"})

    async def found(path: str) -> list[str]:
        seen, url = [], f"/fhir/{path}"
        while url:
            response = await client.get(url)
            assert response.status_code == 200, response.text
            page = decode_object(response.content)
            seen += [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in page.get("entry", [])]
            url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
        return seen

    assert set(await found("Patient/$everything?_count=2")) == {one, two, where, inside, outside}
    assert set(await found("Patient/$everything?_type=Encounter,Procedure")) == {where, inside, outside}
    assert set(await found(f"{where}/$everything")) == {where, inside, one}
    assert agency not in await found("Patient/$everything")
    await service.partner("Lakeview", "ehr", scopes=["system/*.cruds"])
    async with await service.client("Lakeview") as other:
        assert (await other.get(f"/fhir/{where}/$everything")).status_code == 404
        assert "entry" not in decode_object((await other.get("/fhir/Patient/$everything")).content)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_findings_that_stop_nothing_are_said_at_their_entry(
    client: httpx.AsyncClient, kind: str
) -> None:
    """A Goal that claims no profile is looked at by ours too; what that asks beyond R4 is a warning."""
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "x"},
        "subject": {"display": "she"},
    }
    alone = await client.post(
        "/fhir/Goal", content=encode(goal), headers={"Prefer": "return=OperationOutcome"}
    )
    said = [each["details"]["text"] for each in decode_object(alone.content)["issue"]]
    assert said and said != ["All OK"]
    wish = {"headers": {"Prefer": "return=OperationOutcome"}}
    found = await answers(client, kind, entry("POST", "Patient", LESLIE), entry("POST", "Goal", goal), **wish)
    assert [each["details"]["text"] for each in found[1]["response"]["outcome"]["issue"]] == said
    assert "resource" not in found[1]


async def test_xml_is_indented_when_asked_and_says_the_same(client: httpx.AsyncClient) -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>a <b>b</b>\n c</p></div>'
    who = await made(client, {**LESLIE, "text": {"status": "generated", "div": div}})
    plain = (await client.get(f"/fhir/{who}?_format=xml")).content
    shown = (await client.get(f"/fhir/{who}?_format=xml&_pretty=true")).content
    assert (plain.count(b"\n"), b'\n  <birthDate value="1991-11-23"/>\n' in shown) == (1, True)
    assert b"\n    <div" in shown and from_xml(shown) == from_xml(plain)
    assert from_xml(shown)["text"]["div"] == div


async def test_the_form_of_a_posted_search_may_say_how_to_answer(client: httpx.AsyncClient) -> None:
    await made(client, LESLIE)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/fhir+json"}

    async def asked(body: bytes, query: str = "") -> httpx.Response:
        return await client.post(f"/fhir/Patient/_search{query}", content=body, headers=form)

    xml = await asked(b"family=Moreno&_format=xml&_pretty=true")
    assert xml.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    assert b'\n  <type value="searchset"/>\n' in xml.content
    assert (
        (await asked(b"_format=xml", "?_format=json"))
        .headers["content-type"]
        .startswith("application/fhir+json")
    )
    assert (await asked(b"_format=text/csv")).status_code == 406
    assert (await asked(b"family=Moreno")).headers["content-type"].startswith("application/fhir+json")
