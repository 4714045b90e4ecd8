"""Real client libraries from PyPI, unchanged, with a token bought by a signed assertion: fhirpy and fhirclient."""

import asyncio
import json
import warnings
from typing import Any

import httpx
import pytest
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound
from parts import Service
from smart_client import assertion, es384, form

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fhirclient import client as smart
    from fhirclient.models.goal import Goal
    from fhirclient.models.patient import Patient

NUMBER = {"system": "http://county.example/id", "value": "77"}


async def token(service: Service) -> str:
    """As a partner gets it: SMART Backend Services."""
    key = es384()
    path = service.wiring.settings.data_dir / "riverbend.json"
    path.write_text(json.dumps({"keys": [key.public]}))
    shown = await service.partner("Riverbend", "ehr", jwks=str(path), scopes=["system/*.cruds"])
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
        made = assertion(key, shown["client_id"], f"{service.url}/auth/token")
        answer = await http.post("/auth/token", data=form(made, "system/*.cruds"))
    return str(answer.json()["access_token"])


def goal(who: str, text: str) -> dict[str, Any]:
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": text},
        "subject": {"reference": who},
    }


async def test_fhirpy(service: Service) -> None:
    client = AsyncFHIRClient(f"{service.base}", authorization=f"Bearer {await token(service)}")
    who = client.resource("Patient", identifier=[NUMBER], name=[{"family": "Moreno"}])
    await who.create()
    assert who.get("meta")["versionId"] == "1"
    again = await client.reference("Patient", who.id).to_resource()
    assert again.serialize() == who.serialize()

    again["gender"] = "female"
    await again.save()
    assert again["meta"]["versionId"] == "2"
    other = await client.resources("Patient").search(identifier="http://county.example/id|77").first()
    assert other is not None
    assert other.id == who.id
    late = AsyncFHIRClient(service.base, client.authorization, extra_headers={"If-Match": 'W/"1"'})
    with pytest.raises(MultipleResourcesFound, match="If-Match"):  # what fhirpy calls every 412
        await late.execute(f"Patient/{who.id}", method="put", data={**who.serialize(), "active": True})

    for number in range(7):
        await client.resource(
            **{**goal(f"Patient/{who.id}", f"goal {number}"), "resource_type": "Goal"}
        ).create()
    asked = client.resources("Goal").search(patient=f"Patient/{who.id}").limit(3).include("Goal", "subject")
    assert len(await asked.fetch()) == 3
    found = [each.id async for each in client.resources("Goal").search(patient=f"Patient/{who.id}").limit(3)]
    assert len(found) == len(set(found)) == 7

    bundle = client.resource("Bundle", type="transaction", entry=[
        {"resource": goal("urn:uuid:1", "linked"), "request": {"method": "POST", "url": "Goal"}},
        {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "name": [{"family": "Bell"}]},
         "request": {"method": "POST", "url": "Patient"}},
    ])  # fmt: skip
    answer = await client.execute("", method="post", data=bundle.serialize())
    assert [row["response"]["status"] for row in answer["entry"]] == ["201 Created"] * 2
    history = await client.execute(f"Patient/{who.id}/_history", method="get")
    assert [row["resource"]["meta"]["versionId"] for row in history["entry"]] == ["2", "1"]
    await client.resources("Goal").search(_id=found[0]).get()
    await client.delete(client.resource("Goal", id=found[0]))
    with pytest.raises((ResourceNotFound, OperationOutcome)):
        await client.reference("Goal", found[0]).to_resource()


async def test_fhirclient(service: Service) -> None:
    bought = await token(service)
    await asyncio.to_thread(with_fhirclient, service.base, bought)


def with_fhirclient(base: str, bought: str) -> None:
    """The library blocks, so it has a thread of its own."""
    found = smart.FHIRClient(settings={"app_id": "riverbend", "api_base": base})
    found.server.session.trust_env = False
    found.server.session.headers["Authorization"] = f"Bearer {bought}"
    server = found.server

    who = Patient({"identifier": [NUMBER], "name": [{"family": "Moreno"}]})
    made = who.create(server)
    back = Patient.read(made["id"], server)
    back.gender = "female"
    assert back.update(server)["meta"]["versionId"] == "2"
    for number in range(5):
        Goal(goal(f"Patient/{back.id}", f"goal {number}")).create(server)
    search = Goal.where({"patient": f"Patient/{back.id}", "_count": "2"}).include("subject")
    first = next(search.perform_iter(server))
    assert {entry.resource.resource_type for entry in first.entry} == {"Goal", "Patient"}
    ids = [
        each.id
        for each in Goal.where({"patient": f"Patient/{back.id}", "_count": "2"}).perform_resources_iter(
            server
        )
    ]
    assert len(ids) == len(set(ids)) == 5
    history = server.request_json(f"Patient/{back.id}/_history")
    assert len(history["entry"]) == 2
    Goal.read(ids[0], server).delete()
