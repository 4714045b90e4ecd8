"""What partners file beside referrals is told and shown to the case-management system in its own words."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from parts import Service

BASE = "/casework/v1"
PATIENT = {"resourceType": "Patient", "name": [{"family": "Moreno", "given": ["Leslie"]}], "gender": "female"}


@pytest.fixture
async def harbor(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Harbor", "casework")
    async with await service.client("Harbor") as client:
        client.headers["Content-Type"] = "application/json"
        yield client


@pytest.fixture
async def riverbend(service: Service, harbor: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Riverbend", "ehr")
    async with await service.client("Riverbend") as client:
        yield client


async def created(partner: httpx.AsyncClient, resource: dict[str, Any]) -> str:
    answer = await partner.post(f"/fhir/{resource['resourceType']}", json=resource)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def news(harbor: httpx.AsyncClient) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = (await harbor.get(f"{BASE}/events")).json()["events"]
    return events


def entry(url: str, resource: dict[str, Any]) -> dict[str, Any]:
    request = {"method": "POST", "url": resource["resourceType"]}
    return {"fullUrl": f"urn:uuid:{url}", "resource": resource, "request": request}


async def test_a_care_plan_in_a_bundle_is_told_and_read_as_a_record_and_what_is_not_carried_is_named(
    harbor: httpx.AsyncClient, riverbend: httpx.AsyncClient
) -> None:
    person, goal = "6b0f1f6c-0000-4000-8000-000000000001", "6b0f1f6c-0000-4000-8000-000000000002"
    subject = {"reference": f"urn:uuid:{person}"}
    category = {
        "coding": [
            {"system": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "code": "assess-plan"}
        ]
    }
    plan = {
        "resourceType": "CarePlan", "status": "active", "intent": "plan", "category": [category], "subject": subject,
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Plan</div>'},
        "goal": [{"reference": f"urn:uuid:{goal}"}], "instantiatesCanonical": ["https://guides.example/PlanDefinition/x"],
        "contained": [{"resourceType": "CareTeam", "id": "team", "name": "Primary care"}],
        "careTeam": [{"reference": "#team"}],
        "activity": [{"detail": {"status": "scheduled", "code": {"text": "Weekly visit"}}}],
    }  # fmt: skip
    wish = {
        "resourceType": "Goal", "lifecycleStatus": "active", "subject": subject,
        "description": {"text": "Sleep through the night"}, "startDate": "2026-03-12",
    }  # fmt: skip
    bundle = {
        "resourceType": "Bundle", "type": "transaction",
        "entry": [entry(person, PATIENT), entry(goal, wish), entry("6b0f1f6c-0000-4000-8000-000000000003", plan)],
    }  # fmt: skip
    answer = await riverbend.post("/fhir", json=bundle)
    assert answer.status_code == 200, answer.text
    [event] = await news(harbor)
    assert (event["kind"], event["partner"], event["version"]) == ("care-plan-received", "Riverbend", 1)
    for element in ("careTeam", "instantiatesCanonical"):
        assert any(element in note for note in event["notCarried"])
    record = (await harbor.get(f"{BASE}/{event['record']}")).json()
    assert [each["words"] for each in record["goals"]] == ["Sleep through the night"]
    assert record["services"][0]["service"]["text"] == "Weekly visit"
    assert record["direction"] == "inbound"
    assert record["notCarried"] == event["notCarried"]


async def test_an_encounter_and_its_change_are_told_each(
    harbor: httpx.AsyncClient, riverbend: httpx.AsyncClient
) -> None:
    person = await created(riverbend, PATIENT)
    visit = {
        "resourceType": "Encounter", "status": "in-progress", "subject": {"reference": f"Patient/{person}"},
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"},
        "type": [{"text": "Emergency"}], "period": {"start": "2026-04-01T02:10:00Z"},
        "hospitalization": {"dischargeDisposition": {"text": "home"}},
    }  # fmt: skip
    own = await created(riverbend, visit)
    ended = {**visit, "id": own, "status": "finished"}
    assert (await riverbend.put(f"/fhir/Encounter/{own}", json=ended)).status_code == 200
    assert (await riverbend.put(f"/fhir/Encounter/{own}", json=ended)).status_code == 200
    told = await news(harbor)
    assert [(each["kind"], each["version"]) for each in told] == [
        ("encounter-received", 1),
        ("encounter-received", 2),
    ]
    record = (await harbor.get(f"{BASE}/encounters/{own}")).json()
    assert (record["status"], record["start"]) == ("finished", "2026-04-01T02:10:00Z")
    assert any("hospitalization" in each for each in record["notCarried"])


async def test_a_result_is_told_in_words_and_the_answers_of_a_form_with_their_form(
    harbor: httpx.AsyncClient, riverbend: httpx.AsyncClient
) -> None:
    subject = {"reference": f"Patient/{await created(riverbend, PATIENT)}"}
    form = {
        "resourceType": "QuestionnaireResponse", "status": "completed", "subject": subject,
        "authored": "2026-03-04", "questionnaire": "http://loinc.org/q/44249-1",
        "item": [{"linkId": "1", "answer": [{"valueInteger": 2}]}],
    }  # fmt: skip
    response = await created(riverbend, form)
    seen = {
        "resourceType": "Observation", "status": "final", "subject": subject, "effectiveDateTime": "2026-03-12",
        "code": {"coding": [{"system": "http://loinc.org", "code": "5643-2"}], "text": "Ethanol"},
        "valueQuantity": {"value": 12, "unit": "mg/dL"},
    }  # fmt: skip
    await created(riverbend, seen)
    await created(riverbend, {**seen, "derivedFrom": [{"reference": f"QuestionnaireResponse/{response}"}]})
    told = await news(harbor)
    assert [each["kind"] for each in told] == ["assessment-received", "result-received"]
    assert told[1]["result"] == {"what": "Ethanol", "value": "12 mg/dL", "on": "2026-03-12"}
    assert (await harbor.get(f"{BASE}/{told[0]['record']}")).json()["answers"][0]["number"] == 2


async def test_a_referral_says_in_its_event_what_its_record_has_no_place_for(
    harbor: httpx.AsyncClient, riverbend: httpx.AsyncClient
) -> None:
    subject = {
        "reference": f"Patient/{await created(riverbend, {**PATIENT, 'maritalStatus': {'text': 'single'}})}"
    }
    asked = {
        "resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": subject,
        "code": {"text": "Housing"}, "insurance": [{"display": "Medicaid"}],
    }  # fmt: skip
    focus = {"reference": f"ServiceRequest/{await created(riverbend, asked)}"}
    task = {"resourceType": "Task", "status": "requested", "intent": "order", "focus": focus, "for": subject}
    own = await created(riverbend, task)
    [event] = await news(harbor)
    assert event["kind"] == "referral-received"
    assert any("insurance" in each for each in event["notCarried"])
    assert any("maritalStatus" in each for each in event["notCarried"])
    assert (await harbor.get(f"{BASE}/referrals/{own}")).json()["notCarried"] == event["notCarried"]


async def test_what_the_case_management_system_files_itself_is_no_news_and_strangers_are_absent(
    harbor: httpx.AsyncClient, riverbend: httpx.AsyncClient
) -> None:
    await harbor.put(f"{BASE}/clients/leslie", json={"name": {"family": "Moreno"}})
    await harbor.put(f"{BASE}/encounters/visit", json={"client": "leslie"})
    assert await news(harbor) == []
    assert (await harbor.get(f"{BASE}/encounters/nobody")).status_code == 404
    assert (await harbor.get(f"{BASE}/complaints/nobody")).status_code == 404
