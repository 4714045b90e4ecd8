"""Pairs filed by two agencies of which neither may see what the other filed: whatever is found, what each is answered is
what a service answers that has never heard of the other. `make duplicates` does it with all two thousand."""

import asyncio
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from coordination.duplicate_pairs import HERE, THERE, Labelled, pairs
from coordination.test_duplicates import found
from parts import Service, database_name, running, with_database

from service.fhir.json import decode_object, encode
from service.flows.duplicates.look import look

AT = datetime(2026, 4, 14, 15, tzinfo=UTC)
NORTHSIDE, LAKEVIEW = "Northside Housing Partnership", "Lakeview Employment Center"
KIND = "https://casebridge.example/fhir/CodeSystem/due-task|possible-duplicate"
ASKED = ("Patient/{id}/$everything", "DetectedIssue?patient={id}&_total=accurate", "Task?patient={id}&_total=accurate",
         "ServiceRequest?subject={id}&_revinclude=DetectedIssue:implicated&_revinclude=Task:focus")  # fmt: skip
WHOLE = ("DetectedIssue?_summary=count", "Task?_summary=count", "ServiceRequest?_summary=count", "Patient?_summary=count",
         "DetectedIssue/_history", "Task/_history")  # fmt: skip
SET = 200


def entry(resource: dict[str, Any]) -> dict[str, Any]:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": url}}


async def sent(client: httpx.AsyncClient, resources: list[dict[str, Any]]) -> list[str]:
    """Filed in transactions; every answer, comparable."""
    answers = []
    for start in range(0, len(resources), SET):
        entries = [entry(each) for each in resources[start : start + SET]]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = await client.post(
            "/fhir", content=encode(bundle), headers={"Prefer": "return=OperationOutcome"}
        )
        assert answer.status_code == 200, answer.text
        answers.append(plain(answer))
    return answers


def plain(answer: httpx.Response) -> str:
    """Without what differs between two services that hold the same: their addresses, cursors and the time."""
    text = re.sub(r"http://127\.0\.0\.1:\d+", "", answer.text)
    text = re.sub(r'"20\d\d-\d\d-\d\dT[\d:.]+(Z|\+00:00)"|W/\\"\d+\\"', "", text)
    text = re.sub(r"(_cursor|_history)[=/?][\w\-.%=]+", "", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "", text)
    return f"{answer.status_code} {sorted(answer.headers)} {text}"


def of(side: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    text = encode(side).decode()
    for standing, name in ((HERE, NORTHSIDE), (THERE, LAKEVIEW)):
        text = text.replace(standing, names[name])
    filed: list[dict[str, Any]] = decode_object(('{"all":' + text + "}").encode())["all"]
    return filed


async def compared(service: Service) -> None:
    while await look(service.wiring.context):
        pass


async def asked(service: Service, flagged: list[Labelled]) -> list[str]:
    """Everything Northside can ask about the pairs that were found, and about all there is."""
    said = []
    async with await service.client(NORTHSIDE) as client:
        for start in range(0, len(flagged), 8):
            paths = [
                path.format(id=f"pair-{each.number}") for each in flagged[start : start + 8] for path in ASKED
            ]
            answers = await asyncio.gather(*(client.get(f"/fhir/{path}") for path in paths))
            said += [f"{path}: {plain(answer)}" for path, answer in zip(paths, answers, strict=True)]
        said += [f"{path}: {plain(await client.get(f'/fhir/{path}'))}" for path in WHOLE]
    return said


async def test_nothing_that_an_agency_may_not_see_is_told_to_it(database_url: str, tmp_path: Path) -> None:
    everything = list(pairs())[:: 2000 // int(os.environ.get("CASEBRIDGE_PAIRS", "200"))]
    home = tmp_path / "home"
    async with running(database_url, home, clock=lambda: AT) as service:
        names = {}
        for name, role in (("Harbor", "casework"), (NORTHSIDE, "ehr"), (LAKEVIEW, "ehr")):
            names[name] = (await service.partner(name, role, scopes=["system/*.cruds"]))["organization"]
    admin = await asyncpg.connect(with_database(database_url, "postgres"))
    other = f"{database_name(database_url)}_full"
    await admin.execute(f'CREATE DATABASE "{other}" TEMPLATE "{database_name(database_url)}"')
    ours = [{"resourceType": "Patient", "id": f"pair-{each.number}"} for each in everything]
    ours += [one for each in everything for one in of(each.here, names)]
    theirs = [one for each in everything for one in of(each.there, names)]
    try:
        async with (
            running(with_database(database_url, other), home, clock=lambda: AT) as full,
            running(database_url, home, clock=lambda: AT) as bare,
        ):
            async with await full.client(LAKEVIEW) as lakeview:
                await sent(lakeview, theirs)
            answers = []
            for service in (full, bare):
                async with await service.client(NORTHSIDE) as northside:
                    answers.append(await sent(northside, ours))
                await compared(service)
            assert answers[0] == answers[1]
            hidden = await _hidden(full)
            assert hidden == {each.patient for each in everything if found(each)}
            assert len(hidden) > len(everything) / 2
            assert await _hidden(bare) == set()
            flagged = [each for each in everything if each.patient in hidden]
            assert len(flagged) == len(hidden)
            told, alone = await asked(full, flagged), await asked(bare, flagged)
            assert [one for one, two in zip(told, alone, strict=True) if one != two] == []
    finally:
        await admin.execute(f'DROP DATABASE IF EXISTS "{other}" WITH (FORCE)')
        await admin.close()


async def _hidden(service: Service) -> set[str]:
    """Clients of whom Harbor has a Task about a duplicate, each hidden from both agencies."""
    clients: set[str] = set()
    async with await service.client("Harbor") as harbor:
        url = f"/fhir/Task?code={KIND}&_count=500"
        while url:
            bundle = decode_object((await harbor.get(url)).content)
            for each in bundle.get("entry", []):
                task = each["resource"]
                kinds = [one["type"]["coding"][0]["code"] for one in task["input"]]
                assert kinds == ["possible-duplicate"] * 2 + ["hidden-from"] * 2
                clients.add(task["for"]["reference"])
            url = next((each["url"] for each in bundle["link"] if each["relation"] == "next"), "")
    return clients
