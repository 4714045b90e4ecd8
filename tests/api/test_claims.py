"""What the CapabilityStatement and the OpenAPI document say is what works: both are walked."""

from typing import Any

import httpx
from least import LEAST
from parts import Service

from service.api.app import bare_app
from service.api.fhir.routes import routes
from service.fhir.json import decode_object, encode
from service.wiring import validator

NOT_HERE = {404, 410}


async def test_every_interaction_that_is_claimed_works(service: Service) -> None:
    await service.partner("Riverbend", "ehr", scopes=["system/*.cruds"])
    async with await service.client("Riverbend") as client:
        statement = decode_object((await client.get("/fhir/metadata")).content)
        assert [issue for issue in validator().validate(statement) if issue.fails] == []
        for row in statement["rest"][0]["resource"]:
            claimed = {each["code"] for each in row["interaction"]}
            if "create" in claimed:
                await writes(client, row, LEAST.get(row["type"], {}))
            else:
                await refuses(client, row["type"])
            assert (await client.get(f"/fhir/{row['type']}")).status_code == 200
            for parameter in row["searchParam"]:
                response = await client.get(f"/fhir/{row['type']}?{parameter['name']}:missing=true")
                assert response.status_code in (200, 400), (row["type"], parameter["name"], response.text)
                assert "has no search parameter" not in response.text
        for code, response in [
            ("history-system", await client.get("/fhir/_history")),
            ("search-system", await client.get("/fhir?_count=1")),
        ]:
            assert code in {each["code"] for each in statement["rest"][0]["interaction"]}
            assert response.status_code == 200


async def writes(client: httpx.AsyncClient, row: dict[str, Any], rest: dict[str, Any]) -> None:
    """The life of one resource, by every interaction that its type claims."""
    type_ = row["type"]
    claimed = {each["code"] for each in row["interaction"]}
    json = {"Accept": "application/fhir+json"}
    body = {"resourceType": type_, "id": "one", **rest}
    language = [{"op": "add", "path": "/language", "value": "en"}]
    patched = {"Content-Type": "application/json-patch+json"}
    steps = {
        "create": (
            await client.post(f"/fhir/{type_}", content=encode({k: v for k, v in body.items() if k != "id"})),
            201,
        ),
        "update": (await client.put(f"/fhir/{type_}/one", content=encode(body)), 201),
        "read": (await client.get(f"/fhir/{type_}/one", headers=json), 200),
        "vread": (await client.get(f"/fhir/{type_}/one/_history/1", headers=json), 200),
        "patch": (await client.patch(f"/fhir/{type_}/one", content=encode(language), headers=patched), 200),
        "search-type": (await client.get(f"/fhir/{type_}?_id=one"), 200),
        "conditionalUpdate": (await client.put(f"/fhir/{type_}?_id=one", content=encode(body)), 200),
        "conditionalRead": (
            await client.get(f"/fhir/{type_}/one", headers={**json, "If-None-Match": 'W/"3"'}),
            304,
        ),
        "history-instance": (await client.get(f"/fhir/{type_}/one/_history"), 200),
        "history-type": (await client.get(f"/fhir/{type_}/_history"), 200),
        "$meta": (await client.get(f"/fhir/{type_}/one/$meta"), 200),
        "$validate": (await client.get(f"/fhir/{type_}/one/$validate"), 200),
        "conditionalDelete": (await client.delete(f"/fhir/{type_}?_id=one"), 204),
        "delete": (await client.delete(f"/fhir/{type_}/one"), 204),
    }
    for name, (response, status) in steps.items():
        assert response.status_code == status, (type_, name, response.text)
    operations = {f"${each['name']}" for each in row["operation"]}
    assert {name for name in steps if name[0] == "$"} <= operations
    assert {name for name in steps if name[0] != "$" and not name.startswith("conditional")} == claimed


async def refuses(client: httpx.AsyncClient, type_: str) -> None:
    """A type that is only read answers writes with 405."""
    for method, path in [
        ("POST", f"/fhir/{type_}"),
        ("PUT", f"/fhir/{type_}/one"),
        ("DELETE", f"/fhir/{type_}/one"),
    ]:
        response = await client.request(method, path, content=encode({"resourceType": type_, "id": "one"}))
        assert response.status_code == 405, (method, path, response.text)


def test_the_openapi_document_names_every_path_of_the_fhir_door() -> None:
    described = set(bare_app().openapi()["paths"])
    assert {"/fhir/Goal/{id}", "/fhir/Goal/_history", "/fhir/_history", "/fhir/Patient/$match",
            "/fhir/Patient/{id}/$everything", "/fhir/$validate", "/fhir/ValueSet/{id}"} <= described  # fmt: skip


def test_the_openapi_document_describes_only_what_there_is() -> None:
    for path, item in bare_app().openapi()["paths"].items():
        if not path.startswith("/fhir") or ".well-known" in path:
            continue
        real = path.replace("{id}", "one").replace("{vid}", "1")
        route = next(each for each in routes if each.path_regex.match(real))
        for method in item.keys() - {"parameters"}:
            assert method.upper() in route.app.allow.split(", "), (path, method)  # type: ignore[attr-defined]
