"""The simulated agency over HTTP: its token desk, its doors, its bad days, its staff."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from service.simulator.agency import Agency
from service.simulator.keys import JWT_BEARER, Key
from service.simulator.process import Plan, opened

TASK = {"resourceType": "Task", "status": "requested", "for": {"reference": "Patient/1"}}


@pytest.fixture
async def casebridge() -> AsyncIterator[Agency]:
    """Stands for Casebridge where only its published keys matter."""
    async with opened(Plan("Casebridge")) as found:
        yield found


@pytest.fixture
async def northside(casebridge: Agency) -> AsyncIterator[Agency]:
    async with opened(Plan("Northside", pace=0.02, casebridge=casebridge.origin)) as found:
        yield found


@pytest.fixture
async def http(northside: Agency) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=northside.origin, trust_env=False, timeout=2) as client:
        yield client


def form(assertion: str) -> dict[str, str]:
    return {
        "grant_type": "client_credentials", "client_assertion_type": JWT_BEARER, "client_assertion": assertion,
        "scope": "system/*.cruds",
    }  # fmt: skip


def ours(casebridge: Agency, northside: Agency) -> str:
    return casebridge.key.assertion(f"{casebridge.origin}/fhir", northside.desk.url)


async def test_casebridge_gets_a_token_for_its_signed_assertion(casebridge, northside, http):
    given = await http.post("/token", data=form(ours(casebridge, northside)))
    assert given.status_code == 200
    headers = {"Authorization": f"Bearer {given.json()['access_token']}"}
    assert (await http.get("/fhir/Task", headers=headers)).json()["total"] == 0


async def test_an_assertion_works_once_only_and_only_here(casebridge, northside, http):
    good = ours(casebridge, northside)
    assert (await http.post("/token", data=form(good))).status_code == 200
    again = await http.post("/token", data=form(good))
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    for bad in (
        casebridge.key.assertion(f"{casebridge.origin}/fhir", "http://elsewhere/token"),
        casebridge.key.assertion("somebody", northside.desk.url),
        Key().assertion(f"{casebridge.origin}/fhir", northside.desk.url),
        "no.jwt.atall",
    ):
        assert (await http.post("/token", data=form(bad))).status_code == 401


async def test_without_a_token_nothing_is_shown_but_metadata(http):
    assert (await http.get("/fhir/metadata")).json()["fhirVersion"] == "4.0.1"
    refused = await http.get("/fhir/Task")
    assert refused.status_code == 401
    assert refused.json()["resourceType"] == "OperationOutcome"


async def staffed(http: httpx.AsyncClient) -> dict[str, str]:
    token = (await http.get("/simulator/staff-token")).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


async def ended(http: httpx.AsyncClient, headers: dict[str, str], id_: str) -> dict:
    async with asyncio.timeout(5):
        while True:
            task = (await http.get(f"/fhir/Task/{id_}", headers=headers)).json()
            if task["status"] in ("completed", "rejected"):
                return task
            await asyncio.sleep(0.02)


async def test_the_staff_takes_a_task_to_its_end_with_a_procedure(http):
    headers = await staffed(http)
    made = await http.post("/fhir/Task", json=TASK, headers=headers)
    assert made.status_code == 201
    task = await ended(http, headers, made.json()["id"])
    procedure = task["output"][0]["valueReference"]["reference"]
    assert (await http.get(f"/fhir/{procedure}", headers=headers)).json()["status"] == "completed"
    rows = (await http.get(f"/fhir/Task/{task['id']}/_history", headers=headers)).json()["entry"]
    steps = [row["resource"]["status"] for row in rows]
    assert steps == ["completed", "in-progress", "accepted", "requested"]


async def test_the_staff_of_a_rejecting_agency_says_why(http):
    await http.put("/simulator/behaviour", json={"behaviour": "reject"})
    headers = await staffed(http)
    made = await http.post("/fhir/Task", json=TASK, headers=headers)
    task = await ended(http, headers, made.json()["id"])
    assert task["statusReason"]["text"]


async def test_a_cancelled_task_is_left_alone(northside, http):
    northside.manner.pace = 1  # nobody looks at it before it is cancelled, on a busy machine too
    headers = await staffed(http)
    made = (await http.post("/fhir/Task", json=TASK, headers=headers)).json()
    cancelled = {**made, "status": "cancelled"}
    tag = {**headers, "If-Match": 'W/"1"'}
    assert (await http.put(f"/fhir/Task/{made['id']}", json=cancelled, headers=tag)).status_code == 200
    assert (await http.put(f"/fhir/Task/{made['id']}", json=cancelled, headers=tag)).status_code == 412
    await asyncio.sleep(1.5)
    assert northside.store.current("Task", made["id"]).resource["status"] == "cancelled"


async def test_an_agency_that_is_down_cuts_every_connection_but_its_control_desk(http):
    await http.put("/simulator/behaviour", json={"behaviour": "down"})
    with pytest.raises(httpx.TransportError):
        await http.get("/fhir/metadata")
    assert (await http.get("/simulator")).json()["behaviour"] == "down"


async def test_a_flaky_agency_has_the_same_bad_day_for_the_same_seed(northside, http):
    async def day() -> list[str]:
        await http.put("/simulator/behaviour", json={"behaviour": "flaky"})
        northside.manner.silence = 0.01
        seen = []
        for _ in range(25):
            try:
                seen.append(str((await http.get("/fhir/metadata")).status_code))
            except httpx.TransportError:
                seen.append("cut")
        return seen

    one, other = await day(), await day()
    assert one == other
    assert {"200", "503", "cut"} <= set(one)


async def test_an_unknown_behaviour_is_refused(http):
    assert (await http.put("/simulator/behaviour", json={"behaviour": "kind"})).status_code == 400


async def test_everything_that_reached_it_is_written_down_word_for_word(http):
    headers = await staffed(http)
    await http.post("/fhir/Task?x=1", json={**TASK, "description": "Ünïcode"}, headers=headers)
    [heard] = (await http.get("/simulator/requests")).json()
    assert (heard["method"], heard["target"], heard["status"]) == ("POST", "/fhir/Task?x=1", 201)
    assert "requested" in heard["body"]
