"""`$populate` of the GPRA form: what is known already, services counted across agencies, none twice."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.coordination.gpra.tool import read_tool
from service.fhir.json import decode_object, encode
from tests.flows.gpra.scene import HARBOR, Scene, scene


@pytest.fixture
async def stage(database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(database_url, tmp_path) as made:
        await made.person(birthDate="1991-11-23", gender="female")
        yield made


def answers(items: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        if item.get("answer"):
            found[item["linkId"]] = next(iter(item["answer"][0].values()))
        found |= answers(item.get("item", []))
    return found


async def given(stage: Scene, id_: str, agency: str, start: str, end: str, sessions: int) -> None:
    period = {"start": start, "end": end}
    body = {"id": id_, "client": "leslie-moreno", "service": "child-care", "agency": agency, "period": period}
    answer = await stage.put(f"service-outcomes/{id_}", {**body, "sessions": sessions})
    assert answer.status_code == 201, answer.text


async def test_every_received_service_has_its_code() -> None:
    tool = read_tool("csat-gpra", "2019.1")
    assert tool is not None
    codes = [each.service for each in tool.questions if each.section == "K" and each.type == "integer"]
    assert len(codes) == len(set(codes)) == 54
    assert {"modality-9A", "modality-1", "case-management-3B", "treatment-12", "medical-3", "peer-5"} <= set(
        codes
    )


async def test_the_form_is_filled_in_with_the_client_and_the_services_of_all_agencies(stage: Scene) -> None:
    await stage.held("g1", "intake", "2026-03-03")
    stage.now = datetime(2026, 10, 20, tzinfo=UTC)
    await given(stage, "before", "open-door", "2026-01-01", "2026-01-31", 9)
    await given(stage, "a", "open-door", "2026-04-01", "2026-05-31", 16)
    await given(stage, "b", "northside", "2026-05-01", "2026-05-31", 4)
    await given(stage, "c", "northside", "2026-07-01", "2026-07-31", 3)
    async with await stage.service.client(HARBOR) as client:
        found = decode_object((await client.get("/fhir/Patient")).content)
        patient = found["entry"][0]["resource"]["id"]
        asked = {"name": "subject", "valueReference": {"reference": f"Patient/{patient}"}}
        body = encode({"resourceType": "Parameters", "parameter": [asked]})
        answer = await client.post("/fhir/Questionnaire/csat-gpra/$populate", content=body)
    assert answer.status_code == 200, answer.text
    told = decode_object(answer.content)
    response = next(each["resource"] for each in told["parameter"] if each["name"] == "response")
    known = answers(response["item"])
    assert known["SvcChildCareReceived"] == 19
    assert (known["BirthYear"], known["BirthMonth"], known["GenderCode"]["code"]) == (1991, 11, "2")
