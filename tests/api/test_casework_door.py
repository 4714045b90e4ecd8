"""The casework door: records in one's own words, their history, many at once, and where what they became is from."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from parts import Service, running

from service.casework.records import kinds
from service.fhir.json import JsonObject, decode_object, encode
from service.flows.remap_records import Difference, remap
from service.flows.report_unmapped import report_unmapped
from service.mapping.terms import terms

BASE = "/casework/v1"
LESLIE = {"name": {"family": "Moreno", "given": ["Leslie"]}, "birthDate": "1991-11-23"}


@pytest.fixture
async def harbor(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Harbor", "casework")
    async with await service.client("Harbor") as client:
        client.headers["Content-Type"] = "application/json"
        yield client


async def file(client: httpx.AsyncClient, path: str, record: JsonObject) -> JsonObject:
    answer = await client.put(f"{BASE}/{path}", json=record)
    assert answer.status_code in (200, 201), answer.text
    return decode_object(answer.content)


async def fhir(client: httpx.AsyncClient, path: str) -> JsonObject:
    answer = await client.get(f"/fhir/{path}")
    assert answer.status_code == 200, answer.text
    return decode_object(answer.content)


@pytest.mark.parametrize("kind", sorted(kinds))
async def test_every_kind_is_filed_read_and_described(harbor: httpx.AsyncClient, kind: str) -> None:
    await file(harbor, "clients/leslie-moreno", LESLIE)
    example = kinds[kind].example
    filed = await file(harbor, f"{kind}/{example['id']}", example)
    assert filed["resources"]
    read = decode_object((await harbor.get(f"{BASE}/{kind}/{example['id']}")).content)
    assert read["id"] == example["id"]
    schema = decode_object((await harbor.get(f"{BASE}/schema/{kind}")).content)
    assert schema["examples"] == [example]


async def test_every_version_of_a_record_is_kept(harbor: httpx.AsyncClient) -> None:
    await file(harbor, "clients/leslie", LESLIE)
    await file(harbor, "clients/leslie", {**LESLIE, "gender": "female"})
    await file(harbor, "clients/leslie", {**LESLIE, "gender": "female"})
    assert (await harbor.delete(f"{BASE}/clients/leslie")).status_code == 204
    await file(harbor, "clients/leslie", LESLIE)
    history = decode_object((await harbor.get(f"{BASE}/clients/leslie/_history")).content)
    told = [(each["version"], each.get("deleted", False)) for each in history["versions"]]
    assert told == [(4, False), (3, True), (2, False), (1, False)]
    assert [each["record"].get("gender") for each in history["versions"] if "record" in each] == [
        "unknown", "female", "unknown",
    ]  # fmt: skip
    page = decode_object((await harbor.get(f"{BASE}/clients/leslie/_history?limit=3")).content)
    rest = decode_object((await harbor.get(page["older"])).content)
    assert [each["version"] for each in rest["versions"]] == [1]
    second = decode_object((await harbor.get(f"{BASE}/clients/leslie/_history/2")).content)
    assert second["record"]["gender"] == "female"
    assert (await harbor.get(f"{BASE}/clients/leslie/_history/9")).status_code == 404
    assert (await harbor.get(f"{BASE}/clients/nobody/_history")).status_code == 404


async def test_an_outdated_version_is_refused(harbor: httpx.AsyncClient) -> None:
    await file(harbor, "clients/leslie", LESLIE)
    path = f"{BASE}/clients/leslie"
    changed = {**LESLIE, "gender": "female"}
    assert (await harbor.put(path, json=changed, headers={"If-Match": 'W/"2"'})).status_code == 412
    assert (await harbor.put(path, json=changed, headers={"If-Match": 'W/"1"'})).status_code == 200
    assert (await harbor.delete(path, headers={"If-Match": 'W/"1"'})).status_code == 412


async def test_a_batch_files_changes_and_withdraws_each_for_itself(harbor: httpx.AsyncClient) -> None:
    await file(harbor, "clients/old", LESLIE)
    rows = [
        {"kind": "clients", "id": "leslie", "record": LESLIE},
        {"kind": "clients", "id": "bad", "record": {"gender": "unknown"}},
        {"kind": "clients", "id": "old", "delete": True, "version": 1},
        {"kind": "clients", "id": "leslie", "record": {**LESLIE, "gender": "female"}, "version": 7},
        {"kind": "nothing", "id": "x", "record": {}},
    ]
    answer = decode_object((await harbor.post(f"{BASE}/batch", json={"records": rows})).content)
    assert [each["status"] for each in answer["results"]] == [201, 422, 204, 412, 400]
    dry = decode_object((await harbor.post(f"{BASE}/batch?dry-run=true", json={"records": rows[:1]})).content)
    assert dry["results"][0]["fhir"][0]["resourceType"] == "Patient"


async def test_what_a_record_became_says_which_record_version_and_mapping_made_it(
    harbor: httpx.AsyncClient,
) -> None:
    first = await file(harbor, "clients/leslie", LESLIE)
    patient = first["resources"][-1]
    again = await file(harbor, "clients/leslie", LESLIE)
    assert "provenance" not in again, "nothing was made"
    second = await file(harbor, "clients/leslie", {**LESLIE, "gender": "female"})
    made = await fhir(harbor, second["provenance"])
    assert made["target"] == [{"reference": f"{patient}/_history/2"}]
    [entity] = made["entity"]
    assert entity["what"]["identifier"]["value"].endswith("/leslie")
    assert entity["extension"][0]["valueString"] == "2"
    assert made["extension"][0]["valueString"]
    found = await fhir(harbor, f"Provenance?target={patient}")
    assert {entry["resource"]["activity"]["coding"][0]["code"] for entry in found["entry"]} == {
        "CREATE",
        "UPDATE",
    }
    together = await fhir(harbor, f"Patient?_id={patient.split('/')[1]}&_revinclude=Provenance:target")
    assert len(together["entry"]) == 3


async def test_records_are_mapped_anew_only_where_something_differs(
    service: Service, harbor: httpx.AsyncClient
) -> None:
    context = service.wiring.context
    filed = await file(harbor, "clients/leslie", LESLIE)
    await file(harbor, "agencies/northside", {"name": "Northside"})

    async def differences(**how: bool) -> list[Difference]:
        return [each async for each in remap(context, **how)]

    assert await differences(everything=True) == []
    async with context.database.unit() as unit:  # as an older mapping made it
        await unit.execute("UPDATE record SET mapping = '0'")
        await unit.execute(
            "UPDATE resource SET body = replace(convert_from(body, 'utf8'), '\"birthDate\":\"1991-11-23\"', "
            "'\"birthDate\":\"1991\"')::bytea WHERE type = 'Patient'"
        )
    [shown] = await differences()
    assert (shown.resource, shown.change, shown.elements) == (
        filed["resources"][0],
        "changed",
        ("birthDate",),
    )
    assert (await fhir(harbor, shown.resource))["birthDate"] == "1991", "only shown"
    assert await differences(apply=True) == [shown]
    assert (await fhir(harbor, shown.resource))["birthDate"] == "1991-11-23"
    assert await differences() == []


async def test_codes_that_no_map_knows_are_reported(service: Service, harbor: httpx.AsyncClient) -> None:
    await file(harbor, "clients/leslie-moreno", LESLIE)
    outcome = {
        "client": "leslie-moreno",
        "service": {
            "text": "Falconry",
            "codings": [{"system": "https://county.example/codes", "code": "F1"}],
        },
    }
    await file(harbor, "service-outcomes/a", outcome)
    await file(harbor, "service-outcomes/b", outcome)
    await file(harbor, "service-outcomes/c", {"client": "leslie-moreno", "service": "kite-flying"})
    found = await report_unmapped(service.wiring.context)
    assert [(each.finding, each.records) for each in found] == [
        ("no map for https://county.example/codes|F1", 2),
        ("kite-flying is not in the service list", 1),
    ]


async def test_a_map_dropped_into_a_guide_maps_what_was_filed_before(
    database_url: str, tmp_path: Path
) -> None:
    county = "https://county.example/codes"
    maps = tmp_path / "maps"
    maps.mkdir()
    target = {"code": "710911006", "display": "Referral to housing service", "equivalence": "equivalent"}
    group = {
        "source": county,
        "target": "http://snomed.info/sct",
        "element": [{"code": "H7", "target": [target]}],
    }
    told = {"resourceType": "ConceptMap", "id": "county", "url": "https://county.example/ConceptMap/county"}
    outcome = {
        "client": "leslie",
        "service": {"text": "Room finder", "codings": [{"system": county, "code": "H7"}]},
    }

    async with running(database_url, tmp_path) as service:
        await service.partner("Harbor", "casework")
        async with await service.client("Harbor") as client:
            client.headers["Content-Type"] = "application/json"
            await file(client, "service-outcomes/a", outcome)
        assert [each.finding for each in await report_unmapped(service.wiring.context)] == [
            f"no map for {county}|H7"
        ]

    (maps / "ConceptMap-county.json").write_bytes(encode({**told, "group": [group]}))
    async with running(database_url, tmp_path, guides=str(maps)) as service:
        assert await report_unmapped(service.wiring.context) == []
        found = [each async for each in remap(service.wiring.context, everything=True, apply=True)]
        assert [(each.change, each.elements) for each in found] == [("changed", ("code",))]
    async with running(database_url, tmp_path):
        pass
    assert len(terms().translate_coding(county, "H7")) == 0


async def test_a_signature_taken_out_of_a_plan_and_a_signed_plan_taken_back_leave_valid_resources(
    harbor: httpx.AsyncClient,
) -> None:
    await file(harbor, "clients/leslie-moreno", LESLIE)
    plan = kinds["care-plans"].example
    signed = await file(harbor, f"care-plans/{plan['id']}", plan)
    signatures = [each for each in signed["resources"] if each.startswith("Provenance/")]
    await file(harbor, f"care-plans/{plan['id']}", {**plan, "signatures": plan["signatures"][:1]})
    assert ["signature" in await fhir(harbor, each) for each in signatures] == [True, False]
    assert (await harbor.delete(f"{BASE}/care-plans/{plan['id']}")).status_code == 204
    assert ["signature" in await fhir(harbor, each) for each in signatures] == [False, False]
    for each in signatures:
        checked = await harbor.get(f"/fhir/{each}/$validate")
        assert [issue["severity"] for issue in checked.json()["issue"] if issue["severity"] == "error"] == []
