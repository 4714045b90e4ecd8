"""Scopes with a query cover what matches it, by whatever way it is asked for, and nothing else."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from parts import Service

CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
NEED = "http://hl7.org/fhir/us/core/CodeSystem/condition-category"
SCOPES = (
    f"system/Condition.rs?category={NEED}|health-concern", "system/Patient.rs", "system/Observation.s?status=final",
)  # fmt: skip


def condition(id_: str, system: str, code: str, patient: str = "leslie") -> dict[str, Any]:
    return {
        "resourceType": "Condition", "id": id_, "subject": {"reference": f"Patient/{patient}"},
        "category": [{"coding": [{"system": system, "code": code}]}],
    }  # fmt: skip


@pytest.fixture
async def narrow(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose token covers one category of Conditions, over a client with two."""
    await service.partner("Case system", "casework")
    await service.partner("Narrow", "casework", scopes=SCOPES)
    async with await service.client("Case system") as whole:
        for resource in (
            {"resourceType": "Patient", "id": "leslie", "name": [{"family": "Moreno"}]},
            condition("need", NEED, "health-concern"), condition("other", CATEGORY, "problem-list-item"),
            {"resourceType": "Observation", "id": "seen", "status": "final", "code": {"text": "x"},
             "subject": {"reference": "Patient/leslie"}, "focus": [{"reference": "Condition/other"}, {"reference": "Condition/need"}]},
        ):  # fmt: skip
            answer = await whole.put(f"/fhir/{resource['resourceType']}/{resource['id']}", json=resource)
            assert answer.status_code == 201, answer.text
        moved = await whole.put("/fhir/Condition/moved", json=condition("moved", NEED, "health-concern"))
        assert moved.status_code == 201
        moved = await whole.put(
            "/fhir/Condition/moved", json=condition("moved", CATEGORY, "encounter-diagnosis")
        )
        assert moved.status_code == 200
    async with await service.client("Narrow") as client:
        yield client


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return sorted(
        f"{each['resource']['resourceType']}/{each['resource']['id']}"
        for each in answer.json().get("entry", ())
    )


async def test_a_read_answers_what_matches_and_knows_nothing_else(narrow: httpx.AsyncClient) -> None:
    assert (await narrow.get("/fhir/Condition/need")).status_code == 200
    for path in ("other", "moved", "never", "other/_history/1", "other/_history", "moved/_history/2"):
        assert (await narrow.get(f"/fhir/Condition/{path}")).status_code == 404, path
    assert (await narrow.get("/fhir/Condition/need/_history/1")).status_code == 200
    assert names(await narrow.get("/fhir/Condition/need/_history")) == ["Condition/need"]


async def test_of_a_history_the_versions_that_matched_are_shown(narrow: httpx.AsyncClient) -> None:
    assert names(await narrow.get("/fhir/Condition/moved/_history")) == ["Condition/moved"]
    assert (await narrow.get("/fhir/Condition/moved/_history/1")).status_code == 200
    versions = (await narrow.get("/fhir/Condition/_history")).json()["entry"]
    assert sorted((v["resource"]["id"], v["resource"]["meta"]["versionId"]) for v in versions) == [
        ("moved", "1"), ("need", "1"),
    ]  # fmt: skip
    everything = names(await narrow.get("/fhir/_history"))
    assert {"Condition/need", "Patient/leslie", "Observation/seen"} <= set(everything)
    assert "Condition/other" not in everything


async def test_a_search_finds_and_counts_what_matches(narrow: httpx.AsyncClient) -> None:
    assert names(await narrow.get("/fhir/Condition")) == ["Condition/need"]
    assert names(await narrow.get("/fhir/Condition?_id=other")) == []
    assert names(await narrow.get(f"/fhir/Condition?category={CATEGORY}|problem-list-item")) == []
    assert (await narrow.get("/fhir/Condition?_summary=count")).json()["total"] == 1
    several = "/fhir?_type=Condition,Patient"
    assert names(await narrow.get(several)) == ["Condition/need", "Patient/leslie"]
    for more in ("&_summary=count", "&_total=accurate&_count=1", "&_total=estimate&_count=1"):
        assert (await narrow.get(several + more)).json()["total"] == 2, more
    within = await narrow.get("/fhir/Patient/leslie/Condition")
    assert names(within) == ["Condition/need"]


async def test_paging_over_several_types_shows_no_more(narrow: httpx.AsyncClient) -> None:
    seen, url = [], "/fhir?_type=Condition,Patient&_count=1"
    while url:
        answer = await narrow.get(url)
        seen += names(answer)
        url = next((link["url"] for link in answer.json()["link"] if link["relation"] == "next"), "")
    assert sorted(seen) == ["Condition/need", "Patient/leslie"]


async def test_what_is_included_is_covered_for_reading(narrow: httpx.AsyncClient) -> None:
    found = names(
        await narrow.get("/fhir/Observation?_include=Observation:focus&_include=Observation:patient")
    )
    assert found == ["Condition/need", "Observation/seen", "Patient/leslie"]
    found = names(
        await narrow.get("/fhir/Patient?_revinclude=Condition:patient&_revinclude=Observation:patient")
    )
    assert found == ["Condition/need", "Patient/leslie"], "Observation may be searched for, and not read"


async def test_everything_about_a_client_is_what_the_token_covers(narrow: httpx.AsyncClient) -> None:
    found = names(await narrow.get("/fhir/Patient/leslie/$everything"))
    assert found == ["Condition/need", "Observation/seen", "Patient/leslie"]
    assert names(await narrow.get("/fhir/Patient/leslie/$everything?_type=Condition")) == ["Condition/need"]


async def test_no_chain_leads_over_what_is_covered_in_part(narrow: httpx.AsyncClient) -> None:
    for path in (
        "Patient?_has:Condition:patient:category=problem-list-item", "Observation?focus:Condition.category=encounter-diagnosis",
        "Patient?_has:Observation:patient:status=final",
    ):  # fmt: skip
        assert (await narrow.get(f"/fhir/{path}")).status_code == 403, path


async def test_a_batch_reads_as_a_request_does_and_writes_need_the_whole_type(
    narrow: httpx.AsyncClient,
) -> None:
    entries = [
        {"request": {"method": "GET", "url": url}}
        for url in ("Condition/need", "Condition/other", "Condition")
    ]
    answer = await narrow.post("/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    first, second, third = answer.json()["entry"]
    assert first["response"]["status"].startswith("200") and second["response"]["status"].startswith("404")
    assert [each["resource"]["id"] for each in third["resource"]["entry"]] == ["need"]
    written = await narrow.put("/fhir/Condition/need", json=condition("need", NEED, "health-concern"))
    assert written.status_code == 403
    assert (await narrow.get("/fhir/Observation/seen")).status_code == 403
