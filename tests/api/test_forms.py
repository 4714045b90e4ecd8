"""JSON and XML, what is read and what is written; bytes as they are. https://hl7.org/fhir/R4/http.html#mime-type"""

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from parts import Service

from service.fhir.json import decode_object, encode
from service.fhir.xml import from_xml, to_xml

GOAL = (
    b'{"resourceType":"Goal","lifecycleStatus":"active","description":{"text":"A door that locks"},'
    b'"subject":{"reference":"Patient/leslie"},"text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">A door</div>"},'
    b'"extension":[{"url":"http://partner.example/weight","valueDecimal":1.00}]}'
)
XML, JSON = "application/fhir+xml", "application/fhir+json"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 500


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Riverbend", "ehr")
    async with await service.client("Riverbend") as found:
        yield found


async def made(client: httpx.AsyncClient) -> str:
    return "/fhir/Goal/" + str(decode_object((await client.post("/fhir/Goal", content=GOAL)).content)["id"])


async def test_xml_in_and_out_is_the_same_resource_as_json(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/fhir/Goal", content=to_xml(decode_object(GOAL)), headers={"Content-Type": XML, "Accept": XML}
    )
    assert response.status_code == 201, response.text
    assert response.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    assert b'<valueDecimal value="1.00"/>' in response.content
    kept = await client.get(f"/fhir/Goal/{from_xml(response.content)['id']}")
    assert encode(from_xml(response.content)) == encode(decode_object(kept.content))


@pytest.mark.parametrize(
    ("accept", "query", "form"),
    [
        ("*/*", "", JSON), ("", "", JSON), (XML, "", XML), ("application/xml", "", XML), ("text/xml", "", XML),
        ("application/json", "", JSON), (f"{JSON};q=0.5, {XML}", "", XML), (f"{XML};q=0.5, {JSON}", "", JSON),
        ("text/html, application/xml;q=0.9, */*;q=0.8", "", XML), (f"{JSON}; fhirVersion=4.0", "", JSON),
        (XML, "?_format=json", JSON), (JSON, "?_format=xml", XML), (JSON, "?_format=application/fhir%2Bxml", XML),
        (JSON, "?_format=application/fhir+xml", XML), ("text/csv", "?_format=json", JSON),
        (f"{XML};q=0, */*", "", JSON),
    ],
)  # fmt: skip
async def test_the_form_is_the_one_the_client_reads(
    client: httpx.AsyncClient, accept: str, query: str, form: str
) -> None:
    response = await client.get(await made(client) + query, headers={"Accept": accept})
    assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (200, form)


@pytest.mark.parametrize(("accept", "query"), [("text/csv", ""), (f"{JSON}; charset=latin-1", ""), (f"{JSON}; fhirVersion=3.0", ""),
                                                ("*/*", "?_format=ttl"), ("image/png", "")])  # fmt: skip
async def test_what_is_not_written_here_is_406_before_anything_is_done(
    client: httpx.AsyncClient, accept: str, query: str
) -> None:
    headers = {"Accept": accept}
    assert (await client.get(await made(client) + query, headers=headers)).status_code == 406
    before = decode_object((await client.get("/fhir/Goal?_summary=count")).content)["total"]
    if not query:
        assert (await client.post("/fhir/Goal", content=GOAL, headers=headers)).status_code == 406
    assert decode_object((await client.get("/fhir/Goal?_summary=count")).content)["total"] == before


@pytest.mark.parametrize(
    "kind", ["text/plain", f"{JSON}; charset=latin-1", f"{JSON}; fhirVersion=3.0", "application/pdf", ""]
)
async def test_what_is_not_read_here_is_415(client: httpx.AsyncClient, kind: str) -> None:
    response = await client.post("/fhir/Goal", content=GOAL, headers={"Content-Type": kind})
    assert response.status_code == 415
    assert decode_object(response.content)["resourceType"] == "OperationOutcome"


async def test_refusals_come_in_the_clients_form(client: httpx.AsyncClient) -> None:
    for path, status in [("/fhir/Goal/nobody", 404), ("/fhir/Goal?spaceship=1", 400)]:
        response = await client.get(path, headers={"Accept": XML})
        assert response.status_code == status
        assert from_xml(response.content)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "raw",
    [
        b"<Goal", b"<html/>", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Goal xmlns="http://hl7.org/fhir">&a;</Goal>',
        b"\xff\xfe", b"", b'<Goal xmlns="http://hl7.org/fhir"><spaceship value="1"/></Goal>',
    ],
)  # fmt: skip
async def test_bad_xml_is_refused(client: httpx.AsyncClient, raw: bytes) -> None:
    response = await client.post("/fhir/Goal", content=raw, headers={"Content-Type": XML})
    assert response.status_code == 400, response.text
    assert b"root:" not in response.content


async def test_bundles_and_searches_speak_xml_too(client: httpx.AsyncClient) -> None:
    await made(client)
    found = from_xml((await client.get("/fhir/Goal", headers={"Accept": XML})).content)
    assert found["entry"][0]["resource"]["lifecycleStatus"] == "active"
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": "Goal"}}],
    }
    answer = await client.post("/fhir", content=to_xml(bundle), headers={"Content-Type": XML, "Accept": XML})
    assert from_xml(answer.content)["type"] == "batch-response"
    assert from_xml((await client.get("/fhir/metadata?_format=xml")).content)["fhirVersion"] == "4.0.1"


async def test_parts_and_indentation_of_a_read(client: httpx.AsyncClient) -> None:
    url = await made(client)
    part = decode_object((await client.get(f"{url}?_elements=lifecycleStatus")).content)
    assert "extension" not in part
    assert part["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "text" not in decode_object((await client.get(f"{url}?_summary=data")).content)
    assert b'\n  "resourceType"' in (await client.get(f"{url}?_pretty=true")).content
    for query in ("_summary=sometimes", "_summary=count", "_elements=spaceship", "spaceship=1"):
        assert (await client.get(f"{url}?{query}")).status_code == 400
    assert (await client.get(f"{url}?spaceship=1", headers={"Prefer": "handling=lenient"})).status_code == 200


async def test_gzip_both_ways(client: httpx.AsyncClient) -> None:
    headers = {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    response = await client.post("/fhir/Goal", content=gzip.compress(GOAL), headers=headers)
    assert response.status_code == 201
    assert (await client.get("/fhir/metadata")).headers["content-encoding"] == "gzip"
    bomb = gzip.compress(b" " * 50_000_000)
    assert (await client.post("/fhir/Goal", content=bomb, headers=headers)).status_code == 413
    assert (await client.post("/fhir/Goal", content=GOAL, headers=headers)).status_code == 400
    assert (
        await client.post("/fhir/Goal", content=gzip.compress(GOAL)[:-5], headers=headers)
    ).status_code == 400
    assert (
        await client.post("/fhir/Goal", content=GOAL, headers={"Content-Encoding": "br"})
    ).status_code == 415


# Binary


async def test_bytes_go_in_and_come_out(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "image/png", "X-Security-Context": "Patient/leslie"}
    response = await client.post("/fhir/Binary", content=PNG, headers=headers)
    assert response.status_code == 201, response.text
    kept = decode_object(response.content)
    assert kept["securityContext"] == {"reference": "Patient/leslie"}
    url = f"/fhir/Binary/{kept['id']}"
    raw = await client.get(url, headers={"Accept": "image/png"})
    assert (raw.content, raw.headers["content-type"], raw.headers["etag"]) == (PNG, "image/png", 'W/"1"')
    assert raw.headers["x-security-context"] == "Patient/leslie"
    assert (await client.get(url, headers={"Accept": "*/*"})).content == PNG
    for accept, read in ((JSON, decode_object), (XML, from_xml)):
        assert read((await client.get(url, headers={"Accept": accept})).content)["contentType"] == "image/png"
    changed = await client.put(
        url, content=b"other", headers={"Content-Type": "text/plain; charset=utf-8", "If-Match": 'W/"1"'}
    )
    assert (changed.status_code, changed.headers["etag"]) == (200, 'W/"2"')
    assert (await client.get(url)).content == b"other"
    assert (await client.get(url, headers={"If-None-Match": 'W/"2"'})).status_code == 304
    assert (await client.delete(url)).status_code == 204


async def test_a_binary_as_fhir_is_a_resource(client: httpx.AsyncClient) -> None:
    body = {"resourceType": "Binary", "contentType": "text/plain", "data": "aGVsbG8="}
    response = await client.post("/fhir/Binary", content=encode(body))
    assert response.status_code == 201
    assert (await client.get(f"/fhir/Binary/{decode_object(response.content)['id']}")).content == b"hello"
    broken = encode({**body, "data": "a"})
    assert (await client.post("/fhir/Binary", content=broken)).status_code == 422


async def test_a_binary_has_a_limit_and_an_owner(service: Service, client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "image/png"}
    assert (await client.post("/fhir/Binary", content=b"x" * 5_000_001, headers=headers)).status_code == 413
    assert (
        await client.post("/fhir/Binary", content=b"x", headers={"Content-Type": "nonsense"})
    ).status_code == 415
    id_ = decode_object((await client.post("/fhir/Binary", content=PNG, headers=headers)).content)["id"]
    await service.partner("Lakeview", "ehr")
    async with await service.client("Lakeview") as other:
        assert (await other.get(f"/fhir/Binary/{id_}")).status_code == 404
