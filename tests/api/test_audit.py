"""Auditors read who did what; for partners there is no trail. The accounting and the question to consent."""

import base64
from typing import Any

import pytest
from parts import Service

from service.wiring import validator


@pytest.fixture
async def told(service: Service) -> dict[str, Any]:
    """A home agency, a clinic that wrote a client and a request, an auditor."""
    await service.partner("Home", "casework")
    clinic = await service.partner("Clinic", "ehr")
    await service.partner("Auditor", "auditor")
    async with await service.client("Clinic") as client:
        patient = (await client.post("/fhir/Patient", json={"resourceType": "Patient"})).json()["id"]
        (await client.get(f"/fhir/Patient/{patient}")).raise_for_status()
        (await client.get(f"/fhir/ServiceRequest?patient={patient}&_count=5")).raise_for_status()
    return {"patient": patient, "clinic": clinic}


async def found(service: Service, who: str, query: str) -> list[dict[str, Any]]:
    async with await service.client(who) as client:
        answer = await client.get(f"/fhir/AuditEvent?{query}")
        answer.raise_for_status()
        return [each["resource"] for each in answer.json().get("entry", [])]


async def test_an_auditor_finds_what_was_done_with_a_clients_data(
    service: Service, told: dict[str, Any]
) -> None:
    events = await found(service, "Auditor", f"patient={told['patient']}")
    assert [each["subtype"][0]["code"] for each in events] == ["read", "create"]
    for event in events:
        assert [issue for issue in validator().validate(event) if issue.fails] == []
    async with await service.client("Auditor") as client:
        one = await client.get(f"/fhir/AuditEvent/{events[0]['id']}")
    assert one.json() == events[0]


async def test_a_search_is_shown_with_its_words(service: Service, told: dict[str, Any]) -> None:
    [event] = await found(service, "Home", f"subtype=search-type&agent={told['clinic']['organization']}")
    [query] = [each["query"] for each in event["entity"] if "query" in each]
    assert base64.b64decode(query).decode().endswith(f"?patient={told['patient']}&_count=5")


async def test_for_a_partner_there_is_no_trail(service: Service, told: dict[str, Any]) -> None:
    [event] = await found(service, "Auditor", "subtype=read")
    assert await found(service, "Clinic", "") == []
    async with await service.client("Clinic") as client:
        assert (await client.get(f"/fhir/AuditEvent/{event['id']}")).status_code == 404
        assert (await client.get(f"/fhir/Patient/{told['patient']}/$disclosures")).status_code == 404
        assert (await client.post("/fhir/AuditEvent", json=event)).status_code == 405
        assert (await client.put(f"/fhir/AuditEvent/{event['id']}", json=event)).status_code == 405
        assert (await client.delete(f"/fhir/AuditEvent/{event['id']}")).status_code == 405


async def test_reading_the_trail_is_on_the_trail(service: Service, told: dict[str, Any]) -> None:
    await found(service, "Auditor", "subtype=read")
    events = await found(service, "Auditor", "subtype=search-type")
    assert any(each["entity"][0].get("description") == "AuditEvent" for each in events)


async def test_pages_go_on_without_loss_or_repetition(service: Service, told: dict[str, Any]) -> None:
    whole = [each["id"] for each in await found(service, "Auditor", "date=lt2100&type=110100,rest")]
    async with await service.client("Auditor") as client:
        url, ids = "/fhir/AuditEvent?date=lt2100&type=110100,rest&_count=2", list[str]()
        while url:
            page = (await client.get(url)).json()
            ids += [each["resource"]["id"] for each in page["entry"]]
            url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    assert ids[-len(whole) :] == whole
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("query", ["family=x", "date=yesterday", "patient=a,b", "_count=0"])
async def test_a_parameter_that_is_not_offered_is_refused(service: Service, told: Any, query: str) -> None:
    async with await service.client("Auditor") as client:
        assert (await client.get(f"/fhir/AuditEvent?{query}")).status_code == 400


async def test_what_is_not_disclosed_is_not_in_the_accounting(service: Service, told: dict[str, Any]) -> None:
    async with await service.client("Home") as client:
        answer = await client.get(f"/fhir/Patient/{told['patient']}/$disclosures")
    assert answer.json() == {"resourceType": "Parameters", "parameter": []}


async def test_consent_says_what_it_would_decide_and_the_question_is_on_the_trail(
    service: Service, told: dict[str, Any]
) -> None:
    agency = await service.partner("Agency", "referral-recipient")
    async with await service.client("Home") as client:
        patient = (await client.post("/fhir/Patient", json={"resourceType": "Patient"})).json()["id"]
        asked = f"/fhir/Consent/$decide?recipient={agency['organization']}&patient=Patient/{patient}"
        denied = (await client.post(asked)).json()["parameter"]
        assert {"name": "decision", "valueCode": "deny"} in denied
        assert {"name": "rule", "valueCode": "no-consent"} in denied
        assert [each["part"][0]["valueString"] for each in denied if each["name"] == "withheld"] == [
            f"Patient/{patient}"
        ]
    [event] = await found(service, "Auditor", f"type=110113&patient={patient}")
    assert event["outcomeDesc"] == "no-consent"


async def test_only_auditors_ask_what_consent_would_say(service: Service, told: dict[str, Any]) -> None:
    asked = (
        f"/fhir/Consent/$decide?recipient={told['clinic']['organization']}&patient=Patient/{told['patient']}"
    )
    async with await service.client("Clinic") as client:
        assert (await client.post(asked)).status_code == 403
    async with await service.client("Auditor") as client:
        assert (await client.post(asked)).status_code == 200
        assert (await client.post(asked.replace("COC", "") + "&purpose=x%20y")).status_code == 400
