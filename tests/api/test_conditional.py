"""Resources named by a search, changed by a patch, guarded by versions: https://hl7.org/fhir/R4/http.html"""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from parts import Service, running

from service.fhir.json import decode_object, encode

JSON_PATCH = {"Content-Type": "application/json-patch+json"}


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Riverbend", "ehr")
    async with await service.client("Riverbend") as found:
        yield found


@pytest.fixture
async def wide(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A partner that may write every type."""
    await service.partner("County", "ehr", scopes=["system/*.cruds"])
    async with await service.client("County") as found:
        yield found


def patient(value: str = "77", **more: Any) -> dict[str, Any]:
    number = {"system": "http://county.example/id", "value": value}
    return {"resourceType": "Patient", "identifier": [number], "name": [{"family": "Moreno"}], **more}


def goal(subject: str = "Patient/leslie") -> dict[str, Any]:
    text = {"text": "A door that locks"}
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": text,
        "subject": {"reference": subject},
    }


async def made(client: httpx.AsyncClient, resource: dict[str, Any]) -> dict[str, Any]:
    response = await client.post(f"/fhir/{resource['resourceType']}", content=encode(resource))
    assert response.status_code == 201, response.text
    return decode_object(response.content)


def said(response: httpx.Response) -> str:
    body = decode_object(response.content)
    assert body["resourceType"] == "OperationOutcome", body
    return str(body["issue"][0]["details"]["text"])


WHERE = "/fhir/Patient?identifier=http://county.example/id|77"


async def test_a_json_patch_makes_the_next_version(client: httpx.AsyncClient) -> None:
    one = await made(client, goal())
    change = [{"op": "replace", "path": "/lifecycleStatus", "value": "completed"}]
    response = await client.patch(f"/fhir/Goal/{one['id']}", content=encode(change), headers=JSON_PATCH)
    assert (response.status_code, response.headers["etag"]) == (200, 'W/"2"')
    assert decode_object(response.content)["lifecycleStatus"] == "completed"


async def test_a_fhirpath_patch_makes_the_next_version(client: httpx.AsyncClient) -> None:
    one = await made(client, goal())
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Goal.lifecycleStatus"},
        {"name": "value", "valueCode": "completed"},
    ]
    change = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    response = await client.patch(f"/fhir/Goal/{one['id']}", content=encode(change))
    assert (response.status_code, decode_object(response.content)["lifecycleStatus"]) == (200, "completed")


async def test_a_patch_honours_if_match_and_the_rules(client: httpx.AsyncClient) -> None:
    url = f"/fhir/Goal/{(await made(client, goal()))['id']}"
    bogus = encode([{"op": "replace", "path": "/lifecycleStatus", "value": "bogus"}])
    missing = encode([{"op": "replace", "path": "/spaceship", "value": 1}])
    assert (
        await client.patch(url, content=bogus, headers={**JSON_PATCH, "If-Match": 'W/"2"'})
    ).status_code == 412
    assert (await client.patch(url, content=bogus, headers=JSON_PATCH)).status_code == 422
    assert (await client.patch(url, content=missing, headers=JSON_PATCH)).status_code == 422
    assert (await client.patch(url, content=b"{}", headers=JSON_PATCH)).status_code == 400
    assert (await client.patch(url, content=bogus, headers={"Content-Type": "text/plain"})).status_code == 415
    assert (await client.patch("/fhir/Goal/nobody", content=bogus, headers=JSON_PATCH)).status_code == 404
    assert (await client.get(url)).headers["etag"] == 'W/"1"'


async def test_a_patch_cannot_try_out_what_the_caller_may_not_see(
    service: Service, client: httpx.AsyncClient
) -> None:
    url = f"/fhir/Goal/{(await made(client, goal()))['id']}"
    await service.partner("Lakeview", "ehr")
    async with await service.client("Lakeview") as other:
        for value in ("active", "completed"):
            guess = encode([{"op": "test", "path": "/lifecycleStatus", "value": value}])
            assert (await other.patch(url, content=guess, headers=JSON_PATCH)).status_code == 404


async def test_a_conditional_update_creates_then_updates_then_refuses_several(
    client: httpx.AsyncClient,
) -> None:
    first = await client.put(WHERE, content=encode(patient()))
    assert first.status_code == 201, first.text
    id_ = decode_object(first.content)["id"]
    second = await client.put(WHERE, content=encode(patient(gender="female")))
    assert (second.status_code, second.headers["etag"]) == (200, 'W/"2"')
    assert decode_object(second.content)["id"] == id_
    other_id = await client.put(WHERE, content=encode(patient(id="other")))
    assert other_id.status_code == 400
    assert "other" not in said(other_id)
    await made(client, patient())
    several = await client.put(WHERE, content=encode(patient(gender="male")))
    assert several.status_code == 412
    assert decode_object(several.content)["issue"][0]["code"] == "multiple-matches"


async def test_a_conditional_update_without_a_match_may_bring_its_own_id(client: httpx.AsyncClient) -> None:
    response = await client.put(WHERE, content=encode(patient(id="leslie")))
    assert (response.status_code, decode_object(response.content)["id"]) == (201, "leslie")


async def test_a_conditional_update_honours_if_match(client: httpx.AsyncClient) -> None:
    body = encode(patient(gender="female"))
    assert (await client.put(WHERE, content=body, headers={"If-Match": 'W/"1"'})).status_code == 412
    await made(client, patient())
    assert (await client.put(WHERE, content=body, headers={"If-Match": 'W/"2"'})).status_code == 412
    assert (await client.put(WHERE, content=body, headers={"If-Match": 'W/"1"'})).status_code == 200


async def test_twenty_conditional_updates_at_once_make_one_resource(client: httpx.AsyncClient) -> None:
    bodies = [encode(patient(name=[{"family": f"Moreno {number}"}])) for number in range(20)]
    answers = await asyncio.gather(*(client.put(WHERE, content=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({decode_object(answer.content)["id"] for answer in answers}) == 1


async def test_a_conditional_delete_deletes_the_one_match(client: httpx.AsyncClient) -> None:
    assert (await client.delete(WHERE)).status_code == 204
    one = await made(client, patient())
    assert (await client.delete(WHERE)).status_code == 204
    assert (await client.get(f"/fhir/Patient/{one['id']}")).status_code == 410
    await made(client, patient())
    await made(client, patient())
    assert (await client.delete(WHERE)).status_code == 412


async def test_a_conditional_patch_needs_a_match(client: httpx.AsyncClient) -> None:
    change = encode([{"op": "add", "path": "/gender", "value": "female"}])
    assert (await client.patch(WHERE, content=change, headers=JSON_PATCH)).status_code == 404
    await made(client, patient())
    response = await client.patch(WHERE, content=change, headers=JSON_PATCH)
    assert (response.status_code, decode_object(response.content)["gender"]) == (200, "female")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_condition_that_selects_nothing_in_particular_is_refused(
    client: httpx.AsyncClient, method: str
) -> None:
    for query in ("", "?_count=1", "?spaceship=1", "?identifier=%ff"):
        content = encode(patient() if method == "PUT" else [{"op": "remove", "path": "/name"}])
        headers = JSON_PATCH if method == "PATCH" else {}
        response = await client.request(method, f"/fhir/Patient{query}", content=content, headers=headers)
        assert response.status_code == 400, (query, response.text)
        said(response)


async def test_what_another_partner_has_does_not_match(service: Service, client: httpx.AsyncClient) -> None:
    await made(client, patient())
    await service.partner("Lakeview", "ehr")
    async with await service.client("Lakeview") as other:
        assert (await other.put(WHERE, content=encode(patient()))).status_code == 201
        assert (await other.delete(WHERE)).status_code == 204
    assert len(decode_object((await client.get(WHERE)).content)["entry"]) == 1


async def test_if_none_match_on_a_write_means_only_if_there_is_nothing(client: httpx.AsyncClient) -> None:
    star = {"If-None-Match": "*"}
    body = encode(patient(id="leslie"))
    assert (await client.put("/fhir/Patient/leslie", content=body, headers=star)).status_code == 201
    changed = encode(patient(id="leslie", gender="female"))
    assert (await client.put("/fhir/Patient/leslie", content=changed, headers=star)).status_code == 412
    odd = await client.put("/fhir/Patient/leslie", content=changed, headers={"If-None-Match": 'W/"1"'})
    assert odd.status_code == 400


async def test_a_read_is_conditional_by_version_and_by_time(client: httpx.AsyncClient) -> None:
    one = await client.post("/fhir/Goal", content=encode(goal()))
    url = f"/fhir/Goal/{decode_object(one.content)['id']}"
    modified = one.headers["last-modified"]
    for headers, status in [
        ({"If-None-Match": 'W/"1"'}, 304),
        ({"If-None-Match": 'W/"7", "1"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": 'W/"2"'}, 200),
        ({"If-Modified-Since": modified}, 304),
        ({"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-None-Match": 'W/"2"', "If-Modified-Since": modified}, 200),
    ]:
        assert (await client.get(url, headers=headers)).status_code == status, headers


async def test_an_etag_that_was_never_ours_is_another_version(client: httpx.AsyncClient) -> None:
    one = await made(client, goal())
    body = encode({**goal(), "id": one["id"], "lifecycleStatus": "completed"})
    response = await client.put(f"/fhir/Goal/{one['id']}", content=body, headers={"If-Match": 'W/"abc"'})
    assert response.status_code == 412


# integrity


async def test_what_is_referred_to_is_not_deleted(client: httpx.AsyncClient) -> None:
    who = await made(client, patient())
    what = await made(client, goal(f"Patient/{who['id']}"))
    held = await client.delete(f"/fhir/Patient/{who['id']}")
    assert held.status_code == 409
    assert f"Goal/{what['id']}" in said(held)
    assert (await client.delete(f"/fhir/Goal/{what['id']}")).status_code == 204
    assert (await client.delete(f"/fhir/Patient/{who['id']}")).status_code == 204


async def test_both_go_together_in_a_transaction(client: httpx.AsyncClient) -> None:
    who = await made(client, patient())
    what = await made(client, goal(f"Patient/{who['id']}"))
    rows = [
        {"request": {"method": "DELETE", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in (who, what)
    ]
    alone = await client.post(
        "/fhir", content=encode({"resourceType": "Bundle", "type": "transaction", "entry": rows[:1]})
    )
    assert alone.status_code == 409
    both = await client.post(
        "/fhir", content=encode({"resourceType": "Bundle", "type": "transaction", "entry": rows})
    )
    assert both.status_code == 200, both.text


NESTED = [
    ({"resourceType": "Flag", "status": "active", "code": {"text": "x"}, "subject": {"display": "she"},
      "extension": [{"url": "http://county.example/ext", "valueReference": {"reference": "$"}}]}, "an extension"),
    ({"resourceType": "Task", "status": "draft", "intent": "proposal",
      "input": [{"type": {"text": "who"}, "valueReference": {"reference": "$"}}]}, "an input"),
    ({"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "x"}, "subject": {"display": "she"},
      "expressedBy": {"reference": "#who"},
      "contained": [{"resourceType": "RelatedPerson", "id": "who", "patient": {"reference": "$"}}]}, "contained"),
]  # fmt: skip


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize(("resource", "where"), NESTED, ids=[where for _, where in NESTED])
async def test_a_reference_holds_wherever_it_stands(
    service: Service, wide: httpx.AsyncClient, resource: dict[str, Any], where: str, absolute: bool
) -> None:
    who = await made(wide, patient())
    own = f"{service.base}/" if absolute else ""
    raw = encode(resource).replace(b'"$"', encode(f"{own}Patient/{who['id']}"))
    holder = await made(wide, decode_object(raw))
    held = await wide.delete(f"/fhir/Patient/{who['id']}")
    assert (held.status_code, holder["id"] in said(held)) == (409, True)
    assert (await wide.delete(f"/fhir/{holder['resourceType']}/{holder['id']}")).status_code == 204
    assert (await wide.delete(f"/fhir/Patient/{who['id']}")).status_code == 204


async def test_a_reference_to_a_version_or_to_a_name_elsewhere_is_kept_and_holds_nothing(
    client: httpx.AsyncClient,
) -> None:
    who = await made(client, patient())
    version = {"reference": f"Patient/{who['id']}/_history/1"}
    logical = {"identifier": {"system": "http://county.example/id", "value": "77"}}
    elsewhere = {"reference": f"http://county.example/fhir/Patient/{who['id']}"}
    kept = [await made(client, {**goal(), "subject": each}) for each in (version, logical, elsewhere)]
    assert (await client.delete(f"/fhir/Patient/{who['id']}")).status_code == 204
    for each, subject in zip(kept, (version, logical, elsewhere), strict=True):
        found = await client.get(f"/fhir/Goal/{each['id']}")
        assert decode_object(found.content)["subject"] == subject
    assert (await client.get(f"/fhir/{version['reference']}")).status_code == 200


async def test_an_operator_may_free_an_element(database_url: str, tmp_path: Path) -> None:
    async with running(database_url, tmp_path, free_references="Goal.subject") as service:
        await service.partner("Riverbend", "ehr")
        async with await service.client("Riverbend") as client:
            who = await made(client, patient())
            await made(client, goal(f"Patient/{who['id']}"))
            assert (await client.delete(f"/fhir/Patient/{who['id']}")).status_code == 204


async def test_many_that_hold_nothing_do_not_hide_the_one_that_holds(wide: httpx.AsyncClient) -> None:
    who = await made(wide, patient())
    item = {"item": {"reference": f"Patient/{who['id']}"}}
    rows = [
        entry(
            "POST", "List", {"resourceType": "List", "status": "current", "mode": "working", "entry": [item]}
        )
        for _ in range(420)
    ]
    assert (await send(wide, *rows)).status_code == 200
    what = await made(wide, {"resourceType": "Task", "status": "draft", "intent": "proposal",
                               "focus": {"reference": f"Patient/{who['id']}"}})  # fmt: skip
    held = await wide.delete(f"/fhir/Patient/{who['id']}")
    assert (held.status_code, f"Task/{what['id']}" in said(held)) == (409, True)
    assert (await wide.delete(f"/fhir/Task/{what['id']}")).status_code == 204
    assert (await wide.delete(f"/fhir/Patient/{who['id']}")).status_code == 204


async def test_a_provenance_does_not_hold_its_target(client: httpx.AsyncClient) -> None:
    what = await made(client, goal())
    proof = {
        "resourceType": "Provenance",
        "target": [{"reference": f"Goal/{what['id']}"}],
        "recorded": "2026-03-02T09:00:00Z",
        "agent": [{"who": {"display": "Victoria Chen"}}],
    }
    await made(client, proof)
    assert (await client.delete(f"/fhir/Goal/{what['id']}")).status_code == 204


# history


async def test_the_history_of_a_type_and_of_everything(client: httpx.AsyncClient) -> None:
    first = await made(client, goal())
    await made(client, patient())
    await client.put(
        f"/fhir/Goal/{first['id']}",
        content=encode({**goal(), "id": first["id"], "lifecycleStatus": "completed"}),
    )
    await client.delete(f"/fhir/Goal/{first['id']}")
    of_type = decode_object((await client.get("/fhir/Goal/_history")).content)
    assert of_type["type"] == "history"
    assert [entry["request"]["method"] for entry in of_type["entry"]] == ["DELETE", "PUT", "POST"]
    everything = decode_object((await client.get("/fhir/_history")).content)
    assert [entry["request"]["method"] for entry in everything["entry"]] == [
        "DELETE",
        "PUT",
        "POST",
        "POST",
        "POST",  # the partner's own Organization
    ]


async def test_history_is_paged_without_a_gap(client: httpx.AsyncClient) -> None:
    for number in range(7):
        await made(client, patient(str(number)))
    for path in ("/fhir/Patient/_history", "/fhir/_history"):
        seen, url = [], f"{path}?_count=3"
        while url:
            page = decode_object((await client.get(url)).content)
            seen += [entry["resource"]["id"] for entry in page["entry"]]
            url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
        assert len(seen) == len(set(seen)) == (7 if "Patient" in path else 8)


async def test_history_since_and_at_a_moment(client: httpx.AsyncClient) -> None:
    one = await made(client, goal())
    url = f"/fhir/Goal/{one['id']}"
    await asyncio.sleep(0.02)
    changed = {**goal(), "id": one["id"], "lifecycleStatus": "completed"}
    second = decode_object((await client.put(url, content=encode(changed))).content)
    for path in (f"{url}/_history", "/fhir/Goal/_history", "/fhir/_history"):

        async def versions(name: str, moment: str, path: str = path) -> list[str]:
            response = await client.get(path, params={name: moment})
            assert response.status_code == 200, response.text
            entries = [each["resource"] for each in decode_object(response.content).get("entry", [])]
            return [each["meta"]["versionId"] for each in entries if each["resourceType"] == "Goal"]

        assert await versions("_since", second["meta"]["lastUpdated"]) == ["2"]
        assert await versions("_since", "2999-01-01T00:00:00Z") == []
        assert await versions("_at", one["meta"]["lastUpdated"]) == ["1"]
        assert await versions("_at", second["meta"]["lastUpdated"]) == ["2"]
        assert await versions("_at", one["meta"]["lastUpdated"][:4]) == ["2", "1"]
        assert await versions("_at", "1999") == []


async def test_bad_history_parameters_are_named(client: httpx.AsyncClient) -> None:
    for query in ("_since=yesterday", "_at=x", "_count=0", "_count=x", "_cursor=x", "spaceship=1"):
        response = await client.get(f"/fhir/Goal/_history?{query}")
        assert response.status_code == 400, query
        assert query.split("=")[0] in said(response)


async def test_the_history_of_others_is_not_listed(service: Service, client: httpx.AsyncClient) -> None:
    await made(client, goal())
    await service.partner("Lakeview", "ehr")
    async with await service.client("Lakeview") as other:
        for path in ("/fhir/Goal/_history", "/fhir/_history"):
            assert b'"Goal"' not in (await other.get(path)).content


# the same inside Bundles


async def send(client: httpx.AsyncClient, *rows: dict[str, Any], kind: str = "transaction") -> httpx.Response:
    return await client.post(
        "/fhir", content=encode({"resourceType": "Bundle", "type": kind, "entry": list(rows)})
    )


def entry(method: str, url: str, resource: Any = None, full_url: str = "", **request: str) -> dict[str, Any]:
    row: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    return row | ({"resource": resource} if resource else {}) | ({"fullUrl": full_url} if full_url else {})


def binary(change: Any) -> dict[str, Any]:
    data = base64.b64encode(encode(change)).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


@pytest.mark.parametrize("kind", ["transaction", "batch"])
async def test_conditional_writes_patches_and_searches_in_a_bundle(
    client: httpx.AsyncClient, kind: str
) -> None:
    one, gone = await made(client, goal()), await made(client, patient("88"))
    other = await made(client, patient("99"))
    change = [{"op": "replace", "path": "/lifecycleStatus", "value": "completed"}]
    gender = [{"op": "add", "path": "/gender", "value": "female"}]
    system = "http://county.example/id"
    answer = await send(
        client,
        entry("GET", "Goal?lifecycle-status=completed"),
        entry("GET", f"Goal/{one['id']}/_history"),
        entry("GET", f"Goal/{one['id']}/_history/1"),
        entry("GET", "Patient/nobody"),
        entry("PUT", f"Patient?identifier={system}|77", patient()),
        entry("PATCH", f"Goal/{one['id']}", binary(change)),
        entry("PATCH", f"Patient?identifier={system}|99", binary(gender)),
        entry("DELETE", f"Patient?identifier={system}|88"),
        kind=kind,
    )
    assert answer.status_code == 200, answer.text
    rows = decode_object(answer.content)["entry"]
    found = [row["response"]["status"][:3] for row in rows]
    assert found == ["200", "200", "200", "404", "201", "200", "200", "204"]
    if kind == "transaction":
        assert len(rows[0]["resource"]["entry"]) == 1
        assert len(rows[1]["resource"]["entry"]) == 2
    assert rows[3]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert decode_object((await client.get(f"/fhir/Patient/{other['id']}")).content)["gender"] == "female"
    assert (await client.get(f"/fhir/Patient/{gone['id']}")).status_code == 410


async def test_a_conditional_reference_is_resolved(client: httpx.AsyncClient) -> None:
    who = await made(client, patient())
    subject = "Patient?identifier=http://county.example/id|77"
    answer = await send(client, entry("POST", "Goal", goal(subject)))
    kept = decode_object(answer.content)["entry"][0]["resource"]
    assert kept["subject"]["reference"] == f"Patient/{who['id']}"
    nobody = await send(client, entry("POST", "Goal", goal("Patient?identifier=nobody")))
    assert nobody.status_code == 422
    assert "Bundle.entry[0]" in nobody.text
    await made(client, patient())
    assert (await send(client, entry("POST", "Goal", goal(subject)))).status_code == 412


async def test_a_conditional_reference_may_mean_an_entry(client: httpx.AsyncClient) -> None:
    condition = "identifier=http://county.example/id|77"
    rows = [
        entry("POST", "Goal", goal(f"Patient?{condition}")),
        entry("POST", "Patient", patient(), ifNoneExist=condition),
    ]
    for status in ("201", "200"):
        answer = decode_object((await send(client, *rows)).content)["entry"]
        assert answer[1]["response"]["status"].startswith(status)
        assert answer[0]["resource"]["subject"]["reference"] == f"Patient/{answer[1]['resource']['id']}"


async def test_references_by_full_url_are_found_nested_and_contained(client: httpx.AsyncClient) -> None:
    name = "http://elsewhere.example/fhir/Patient/9"
    inside = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/9"},
        "code": {"text": "x"},
    }
    row = {**goal("Patient/9"), "contained": [inside], "addresses": [{"reference": "#c"}]}
    answer = decode_object(
        (await send(client, entry("POST", "Goal", row), entry("POST", "Patient", patient(), name))).content
    )
    kept, who = (each["resource"] for each in answer["entry"])
    assert (
        kept["subject"]["reference"] == kept["contained"][0]["subject"]["reference"] == f"Patient/{who['id']}"
    )
    assert kept["addresses"] == [{"reference": "#c"}]


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (entry("PATCH", "Goal/x", goal()), 400),
        (entry("PATCH", "Goal/x", binary([{"op": "remove", "path": "/x"}])), 404),
        (entry("PUT", "Goal", goal()), 400),
        (entry("POST", "Goal/x", goal()), 400),
        (entry("POST", "Goal", goal(), ifMatch='W/"1"'), 400),
        (entry("GET", "Goal/x", ifMatch='W/"1"'), 400),
        (entry("GET", "Goal/x/y/z"), 400),
        (entry("GET", "Spaceship/1"), 400),
        (entry("DELETE", "Goal/x", ifNoneExist="identifier=1"), 400),
        (entry("POST", "Spaceship", {"resourceType": "Spaceship"}), 404),
    ],
)  # fmt: skip
async def test_an_entry_that_makes_no_sense_is_refused_with_its_place(
    client: httpx.AsyncClient, row: dict[str, Any], status: int
) -> None:
    response = await send(client, entry("POST", "Patient", patient()), row)
    assert response.status_code == status, response.text
    assert "Bundle.entry[1]" in response.text
    assert "entry" not in decode_object((await client.get("/fhir/Patient")).content)


async def test_a_batch_with_a_misshapen_entry_answers_the_others(client: httpx.AsyncClient) -> None:
    answer = decode_object(
        (await send(client, {"request": {}}, entry("POST", "Patient", patient()), kind="batch")).content
    )
    assert [row["response"]["status"][:3] for row in answer["entry"]] == ["422", "201"]


async def test_fifty_transactions_over_the_same_ten_resources_are_never_half(
    client: httpx.AsyncClient,
) -> None:
    def rows(number: int) -> list[dict[str, Any]]:
        order = range(10) if number % 2 else range(9, -1, -1)
        return [
            entry("PUT", f"Patient?identifier=http://county.example/id|{n}" if n % 3 == 0 else f"Patient/p{n}",
                  patient(str(n), id=f"p{n}", name=[{"family": f"Round {number}"}]))
            for n in order
        ]  # fmt: skip

    answers = await asyncio.gather(*(send(client, *rows(number)) for number in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    names = decode_object((await client.get("/fhir/Patient")).content)["entry"]
    assert len({each["resource"]["name"][0]["family"] for each in names}) == 1
    history = decode_object((await client.get("/fhir/Patient/p1/_history?_count=100")).content)
    assert len(history["entry"]) == 50


# methods


async def test_a_method_that_is_not_offered_is_405_with_what_is(client: httpx.AsyncClient) -> None:
    for path, method, allow in [("/fhir/Goal/1", "POST", "PATCH"), ("/fhir/metadata", "PUT", "GET"), ("/fhir", "DELETE", "POST"),
                                ("/fhir/Goal/1/_history/1", "DELETE", "GET")]:  # fmt: skip
        response = await client.request(method, path, content=b"{}")
        assert response.status_code == 405
        assert allow in response.headers["allow"]
        said(response)


async def test_head_is_a_read_without_a_body(client: httpx.AsyncClient) -> None:
    url = f"/fhir/Goal/{(await made(client, goal()))['id']}"
    response = await client.head(url)
    assert (response.status_code, response.headers["etag"], response.content) == (200, 'W/"1"', b"")
    assert (await client.head("/fhir/Goal/nobody")).status_code == 404


async def test_with_strict_references_what_is_referred_to_must_be_here(
    database_url: str, tmp_path: Path
) -> None:
    async with running(
        database_url, tmp_path, strict_references=True, free_references="Goal.addresses"
    ) as service:
        await service.partner("Riverbend", "ehr")
        async with await service.client("Riverbend") as client:
            lost = await client.post("/fhir/Goal", content=encode(goal()))
            assert lost.status_code == 422
            assert "Patient/leslie does not exist here" in said(lost)
            name = "urn:uuid:11111111-1111-4111-8111-111111111111"
            rows = [entry("POST", "Goal", goal(name)), entry("POST", "Patient", patient(), name)]
            assert (await send(client, *rows)).status_code == 200
            who = await made(client, patient("88"))
            await made(client, goal(f"Patient/{who['id']}"))
            still = await client.delete(f"/fhir/Patient/{who['id']}")
            assert (still.status_code, "Goal/" in said(still)) == (409, True)  # Goal.subject is not free
