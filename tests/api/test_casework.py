"""The casework door as its own users meet it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from parts import Service

LESLIE = {"name": {"family": "Moreno", "given": ["Leslie"]}, "gender": "female", "birthDate": "1992-02-11"}
REFERRAL = {
    "client": "leslie", "recipient": "northside", "service": "transitional-housing",
    "requested": "2026-03-09T16:30:00-05:00",
}  # fmt: skip
HOME = "/casework/v1"


@pytest.fixture
async def harbor(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Harbor", "casework")
    async with await service.client("Harbor") as client:
        client.headers["Content-Type"] = "application/json"
        yield client


async def file(harbor: httpx.AsyncClient, path: str, record: Any) -> httpx.Response:
    return await harbor.put(f"{HOME}/{path}", json=record)


def pointers(answer: httpx.Response) -> list[str | None]:
    assert answer.headers["content-type"] == "application/problem+json"
    return [each.get("pointer") for each in answer.json()["errors"]]


async def test_the_same_record_again_makes_no_new_version(harbor: httpx.AsyncClient) -> None:
    first, second = await file(harbor, "clients/leslie", LESLIE), await file(harbor, "clients/leslie", LESLIE)
    changed = await file(harbor, "clients/leslie", {**LESLIE, "gender": "other"})
    assert (first.status_code, second.status_code, changed.status_code) == (201, 200, 200)
    assert first.json()["resources"] == second.json()["resources"] == changed.json()["resources"]
    assert [each.headers["etag"] for each in (first, second, changed)] == ['W/"1"', 'W/"1"', 'W/"2"']
    stale = await harbor.put(f"{HOME}/clients/leslie", json=LESLIE, headers={"If-Match": 'W/"1"'})
    assert stale.status_code == 412


async def test_a_dry_run_writes_nothing_and_a_misspelt_one_is_refused(harbor: httpx.AsyncClient) -> None:
    dry = await file(harbor, "clients/leslie?dry-run=true", LESLIE)
    assert dry.json()["fhir"][0]["resourceType"] == "Patient"
    for misspelt in ("dryrun=true", "dry_run=true", "dry-run=yes"):
        assert (await file(harbor, f"clients/leslie?{misspelt}", LESLIE)).status_code == 400
    assert (await harbor.get(f"{HOME}/clients/leslie")).status_code == 404


@pytest.mark.parametrize(
    ("path", "record", "wanted"),
    [
        ("clients/x", {}, ["/name"]),
        ("clients/x", {"name": {"family": 7}}, ["/name/family"]),
        ("clients/x", {**LESLIE, "a/b~c": 1}, ["/a~1b~0c"]),
        ("clients/x", [], [""]),
        ("referrals/x", REFERRAL, ["/client"]),
        ("referrals/x", {**REFERRAL, "status": "banana"}, ["/status"]),
        ("referrals/x", {"status": "rejected"}, [""]),
    ],
)  # fmt: skip
async def test_every_finding_points_into_the_record(
    harbor: httpx.AsyncClient, path: str, record: Any, wanted: list[str]
) -> None:
    answer = await file(harbor, path, record)
    assert answer.status_code == 422
    assert pointers(answer) == wanted


async def test_an_illegal_answer_points_at_the_status_and_lists_the_legal_ones(
    harbor: httpx.AsyncClient, service: Service
) -> None:
    await service.partner("County", "referral-source")
    task = {"resourceType": "Task", "status": "requested", "intent": "order"}
    async with await service.client("County") as county:
        received = (await county.post("/fhir/Task", json=task)).json()["id"]
    answer = await file(harbor, f"referrals/{received}", {"status": "completed"})
    assert pointers(answer) == ["/status"]
    assert "accepted" in answer.json()["detail"]


async def test_what_was_taken_back_is_gone_and_can_be_filed_again(harbor: httpx.AsyncClient) -> None:
    await file(harbor, "clients/leslie", LESLIE)
    await file(harbor, "referrals/r", REFERRAL)
    for path in ("referrals/r", "clients/leslie"):
        assert (await harbor.delete(f"{HOME}/{path}")).status_code == 204
        assert (await harbor.get(f"{HOME}/{path}")).status_code == 410
        assert (await harbor.delete(f"{HOME}/{path}")).status_code == 410
    assert (await file(harbor, "clients/leslie", LESLIE)).status_code == 201
    assert (await harbor.delete(f"{HOME}/clients/never")).status_code == 404


async def test_only_the_case_management_system_enters(service: Service) -> None:
    await service.partner("County", "referral-source")
    async with await service.client("County") as county:
        for path in ("events", "clients/leslie"):
            assert (await county.get(f"{HOME}/{path}")).status_code == 403
            assert (await county.get(f"{HOME}/{path}", headers={"Authorization": ""})).status_code == 401
