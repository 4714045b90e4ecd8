"""What a token's scopes mean at the whole service: every interaction, entry by entry."""

import json
from typing import Any

import httpx
from smart_client import assertion, es384, form

PATIENT = {"resourceType": "Patient", "name": [{"family": "Example", "given": ["Ada"]}], "gender": "female",
           "identifier": [{"system": "https://agency.example/ids", "value": "1"}]}  # fmt: skip
TASK = {"resourceType": "Task", "status": "draft", "intent": "proposal"}


class Buyer:
    """A partner registered with everything, buying tokens for less."""

    def __init__(self, service: Any, shown: dict[str, Any], key: Any) -> None:
        self.service, self.client_id, self.key = service, shown["client_id"], key
        self.http = httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=30)

    async def holding(self, scope: str) -> dict[str, str]:
        made = assertion(self.key, self.client_id, f"{self.service.url}/auth/token")
        answer = await self.http.post("/auth/token", data=form(made, scope))
        assert answer.json()["scope"] == scope
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def ask(self, scope: str, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.http.request(method, path, json=body, headers=await self.holding(scope))


async def buyer(service: Any) -> Buyer:
    key = es384()
    path = service.wiring.settings.data_dir / "agency.json"
    path.write_text(json.dumps({"keys": [key.public]}))
    shown = await service.partner("Agency", "ehr", jwks=str(path), scopes=["system/*.cruds"])
    path.unlink()
    return Buyer(service, shown, key)


def entry(method: str, url: str, resource: Any) -> dict[str, Any]:
    return {"resource": resource, "request": {"method": method, "url": url}}


async def test_every_interaction_needs_its_letter(service: Any) -> None:
    agency = await buyer(service)
    created = await agency.ask("system/Patient.c", "POST", "/fhir/Patient", PATIENT)
    assert created.status_code == 201, created.text
    url = f"/fhir/Patient/{created.json()['id']}"
    for letter, method, path, body in [
        ("c", "POST", "/fhir/Patient", PATIENT),
        ("r", "GET", url, None),
        ("r", "GET", f"{url}/_history/1", None),
        ("r", "GET", f"{url}/_history", None),
        ("u", "PUT", url, {**PATIENT, "id": url.rpartition("/")[2]}),
        ("s", "GET", "/fhir/Patient?gender=female", None),
        ("d", "DELETE", url, None),
    ]:
        others = "".join(other for other in "cruds" if other != letter)
        refused = await agency.ask(f"system/Patient.{others}", method, path, body)
        assert refused.status_code == 403, (letter, method, path, refused.text)
        assert refused.json()["resourceType"] == "OperationOutcome"
        other_type = await agency.ask("system/Task.cruds", method, path, body)
        assert other_type.status_code == 403, (letter, method, path)
        allowed = await agency.ask(f"system/Patient.{letter}", method, path, body)
        assert allowed.status_code < 300, (letter, method, path, allowed.text)
    await agency.http.aclose()


async def test_update_as_create_is_allowed_by_the_update_letter(service: Any) -> None:
    agency = await buyer(service)
    answer = await agency.ask("system/Patient.u", "PUT", "/fhir/Patient/chosen", {**PATIENT, "id": "chosen"})
    assert answer.status_code == 201, answer.text
    await agency.http.aclose()


async def test_a_transaction_is_judged_by_its_entries(service: Any) -> None:
    agency = await buyer(service)
    bundle = {"resourceType": "Bundle", "type": "transaction",
              "entry": [entry("POST", "Patient", PATIENT), entry("POST", "Task", TASK)]}  # fmt: skip
    refused = await agency.ask("system/Patient.cruds", "POST", "/fhir", bundle)
    assert refused.status_code == 403, refused.text
    found = await agency.ask("system/Patient.rs", "GET", "/fhir/Patient?gender=female")
    assert not found.json().get("entry")
    allowed = await agency.ask("system/Patient.c system/Task.c", "POST", "/fhir", bundle)
    assert allowed.status_code == 200, allowed.text
    await agency.http.aclose()


async def test_a_batch_is_judged_entry_by_entry(service: Any) -> None:
    agency = await buyer(service)
    bundle = {"resourceType": "Bundle", "type": "batch",
              "entry": [entry("POST", "Patient", PATIENT), entry("POST", "Task", TASK)]}  # fmt: skip
    answer = await agency.ask("system/Patient.c", "POST", "/fhir", bundle)
    assert answer.status_code == 200, answer.text
    first, second = (one["response"]["status"][:3] for one in answer.json()["entry"])
    assert (first, second) == ("201", "403")
    await agency.http.aclose()


async def test_only_discovery_is_open_to_everybody(service: Any) -> None:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
        for path in ("/fhir/metadata", "/fhir/.well-known/smart-configuration", "/.well-known/jwks.json"):
            assert (await http.get(path)).status_code == 200, path
        for path in ("/fhir/Patient", "/fhir/Patient/1", "/fhir/Patient/1/_history", "/fhir/Organization"):
            answer = await http.get(path)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert (await http.get("/casework/v1/clients/1")).status_code == 401
        assert (await http.post("/fhir", json={})).status_code == 401
