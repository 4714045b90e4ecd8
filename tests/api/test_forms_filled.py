"""Questionnaire/$populate and QuestionnaireResponse/$extract. https://hl7.org/fhir/uv/sdc"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from parts import Service

from service.fhir.json import JsonObject, decode_object
from service.fhir.validate import Validator, load
from service.mapping.instruments import instrument

HOUSING = "prapare.71802-3"


@pytest.fixture(scope="module")
def validator() -> Validator:
    return load()


@pytest.fixture
async def harbor(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Harbor", "casework")
    async with await service.client("Harbor") as client:
        yield client


async def told(answer: httpx.Response, status: int = 200) -> JsonObject:
    assert answer.status_code == status, answer.text
    return decode_object(answer.content)


async def assessed(client: httpx.AsyncClient, taken: str, **more: object) -> str:
    """A client with a PRAPARE in which housing was asked; answers the Patient's id."""
    headers = {"Content-Type": "application/json"}
    leslie = {"name": {"family": "Moreno", "given": ["Leslie"]}, "birthDate": "1991-11-23"}
    filed = await client.put("/casework/v1/clients/leslie", json=leslie, headers=headers)
    form = instrument("prapare")
    assert form is not None
    [item] = [each for each in form["item"] if each["linkId"] == HOUSING]
    record = {
        "client": "leslie",
        "instrument": "prapare",
        "taken": taken,
        "answers": [
            {"question": HOUSING, "choices": [{"code": item["answerOption"][0]["valueCoding"]["code"]}]},
            {"question": "prapare.63512-8", "number": 3},
        ],
        **more,
    }
    answer = await client.put("/casework/v1/assessments/p1", json=record, headers=headers)
    assert answer.status_code in (200, 201), answer.text
    return str(decode_object(filed.content)["resources"][-1]).removeprefix("Patient/")


def populate(patient: str, **more: JsonObject) -> JsonObject:
    subject = {"name": "subject", "valueReference": {"reference": f"Patient/{patient}"}}
    rows = [subject, *({"name": name, **value} for name, value in more.items())]
    return {"resourceType": "Parameters", "parameter": rows}


async def filled(client: httpx.AsyncClient, path: str, body: JsonObject) -> JsonObject:
    answer = await told(await client.post(f"/fhir/{path}", json=body))
    return next(row["resource"] for row in answer["parameter"] if row["name"] == "response")


async def test_a_form_is_filled_in_from_what_was_observed_within_a_year(
    harbor: httpx.AsyncClient, validator: Validator
) -> None:
    patient = await assessed(harbor, (datetime.now(UTC) - timedelta(days=40)).date().isoformat())
    response = await filled(harbor, "Questionnaire/prapare/$populate", populate(patient))
    assert response["status"] == "in-progress"
    assert {item["linkId"] for item in response["item"]} == {HOUSING, "prapare.63512-8"}
    assert [issue.text for issue in validator.validate(response) if issue.fails] == []
    url = {"valueUri": "https://casebridge.example/fhir/Questionnaire/prapare|1.0.0"}
    again = await filled(harbor, "Questionnaire/$populate", populate(patient, canonical=url))
    assert again["item"] == response["item"]
    shown = await told(await harbor.get(f"/fhir/Questionnaire/prapare/$populate?subject=Patient/{patient}"))
    assert shown["parameter"][0]["resource"]["item"] == response["item"]


async def test_what_was_observed_long_ago_is_asked_again(harbor: httpx.AsyncClient) -> None:
    patient = await assessed(harbor, "2019-05-01")
    assert "item" not in await filled(harbor, "Questionnaire/prapare/$populate", populate(patient))


async def test_expressions_over_the_client_and_initial_values_fill_in_too(harbor: httpx.AsyncClient) -> None:
    patient = await assessed(harbor, "2026-01-01")
    url = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-initialExpression"

    def item(link: str, type_: str, expression: str) -> JsonObject:
        said = {"language": "text/fhirpath", "expression": expression}
        return {"linkId": link, "type": type_, "extension": [{"url": url, "valueExpression": said}]}

    form = {
        "resourceType": "Questionnaire",
        "status": "draft",
        "item": [
            {
                "linkId": "g",
                "type": "group",
                "item": [item("name", "string", "%patient.name.first().family")],
            },
            item("born", "date", "%patient.birthDate"),
            item("broken", "string", "%nobody.name"),
            {"linkId": "yes", "type": "boolean", "initial": [{"valueBoolean": True}]},
        ],
    }
    answer = await told(
        await harbor.post(
            "/fhir/Questionnaire/$populate", json=populate(patient, questionnaire={"resource": form})
        )
    )
    response, issues = (row["resource"] for row in answer["parameter"])
    values = {
        each["linkId"]: each["answer"][0] for item in response["item"] for each in item.get("item", [item])
    }
    assert values == {
        "name": {"valueString": "Moreno"}, "born": {"valueDate": "1991-11-23"}, "yes": {"valueBoolean": True},
    }  # fmt: skip
    assert "broken" in issues["issue"][0]["details"]["text"]


async def test_a_stranger_is_not_filled_in(service: Service, harbor: httpx.AsyncClient) -> None:
    patient = await assessed(harbor, "2026-01-01")
    await service.partner("Riverbend", "ehr")
    async with await service.client("Riverbend") as stranger:
        answer = await stranger.post("/fhir/Questionnaire/prapare/$populate", json=populate(patient))
        assert answer.status_code in (403, 404)


async def test_extraction_gives_the_observations_the_record_gave_and_sending_them_changes_nothing(
    harbor: httpx.AsyncClient,
) -> None:
    await assessed(harbor, "2026-03-04")
    found = await told(await harbor.get("/fhir/QuestionnaireResponse"))
    id_ = found["entry"][0]["resource"]["id"]
    answer = await told(await harbor.post(f"/fhir/QuestionnaireResponse/{id_}/$extract"))
    bundle = answer["parameter"][0]["resource"]
    assert {entry["request"]["method"] for entry in bundle["entry"]} == {"PUT"}
    before = await told(await harbor.get("/fhir/Observation"))
    stored = {each["resource"]["id"]: each["resource"]["meta"]["versionId"] for each in before["entry"]}
    assert {entry["resource"]["id"] for entry in bundle["entry"]} == stored.keys()
    sent = await told(await harbor.post("/fhir", json=bundle))
    assert {entry["response"]["status"][:3] for entry in sent["entry"]} == {"200"}
    after = await told(await harbor.get("/fhir/Observation"))
    assert {e["resource"]["id"]: e["resource"]["meta"]["versionId"] for e in after["entry"]} == stored


async def test_a_partners_response_amended_amends_its_observations_and_deletes_none(
    harbor: httpx.AsyncClient,
) -> None:
    patient = await assessed(harbor, "2020-01-01")
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": "from-riverbend",
        "questionnaire": "https://casebridge.example/fhir/Questionnaire/phq-2",
        "status": "completed",
        "subject": {"reference": f"Patient/{patient}"},
        "authored": "2026-03-04",
        "item": [
            {"linkId": each["linkId"], "answer": [{"valueCoding": _first(each)}]} for each in _items("phq-2")
        ],
    }

    async def extracted(said: JsonObject) -> JsonObject:
        assert (await harbor.put("/fhir/QuestionnaireResponse/from-riverbend", json=said)).status_code in (
            200,
            201,
        )
        answer = await told(await harbor.post("/fhir/QuestionnaireResponse/from-riverbend/$extract"))
        bundle: JsonObject = answer["parameter"][0]["resource"]
        await told(await harbor.post("/fhir", json=bundle))
        return {entry["resource"]["id"]: entry["resource"] for entry in bundle["entry"]}

    first = await extracted(response)
    amended = await extracted({**response, "status": "amended", "item": response["item"][:1]})
    assert amended.keys() < first.keys()
    assert {each["status"] for each in amended.values()} == {"amended"}
    for id_ in first:
        assert (await harbor.get(f"/fhir/Observation/{id_}")).status_code == 200


def _items(name: str) -> list[JsonObject]:
    form = instrument(name)
    assert form is not None
    return [item for item in form["item"] if item.get("answerOption")]


def _first(item: JsonObject) -> JsonObject:
    held = item["answerOption"][0]["valueCoding"]
    return {key: held[key] for key in ("system", "code")}


async def test_what_cannot_be_extracted_or_filled_in_says_why(harbor: httpx.AsyncClient) -> None:
    unknown = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "http://x.example/q",
    }
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "questionnaire-response", "resource": unknown}],
    }
    await told(await harbor.post("/fhir/QuestionnaireResponse/$extract", json=body), 422)
    await told(await harbor.post("/fhir/QuestionnaireResponse/nothing/$extract"), 404)
    await told(await harbor.post("/fhir/Questionnaire/nothing/$populate", json=populate("x")), 404)
    await told(await harbor.post("/fhir/Questionnaire/prapare/$populate", json=populate("x")), 404)
    none = {"resourceType": "Parameters", "parameter": [{"name": "canonical", "valueUri": "x"}]}
    await told(await harbor.post("/fhir/Questionnaire/$populate", json=none), 404)


async def test_the_forms_we_ship_can_be_read_and_not_changed(harbor: httpx.AsyncClient) -> None:
    form = await told(await harbor.get("/fhir/Questionnaire/phq-9"))
    assert form["url"].endswith("/Questionnaire/phq-9")
    assert (await harbor.put("/fhir/Questionnaire/phq-9", json=form)).status_code == 405
