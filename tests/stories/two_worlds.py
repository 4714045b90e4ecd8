"""Two services that Northside cannot tell apart unless something leaks.

Both hold what Northside wrote and what was referred to it. `full` holds besides what Lakeview wrote, what Harbor keeps
for itself about the same people, and a referral to Northside that no consent covers; `bare` has never heard of it.
"""

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from parts import Service, database_name, running, with_database

from service.casework.records import kinds
from service.fhir.json import decode_object, encode
from service.flows import onboard_partner

HARBOR, NORTHSIDE = "Harbor Recovery Services", "Northside Housing Partnership"
LAKEVIEW = "Lakeview Employment Center"
FULL = ["system/*.cruds"]
JSON = {"Content-Type": "application/json"}


@dataclass
class Worlds:
    """`own` and `foreign`: references Northside may know of, and those it may not. `values`: what foreign resources
    say, to ask for."""

    full: Service
    bare: Service
    northside: tuple[httpx.AsyncClient, httpx.AsyncClient]
    own: list[str]
    foreign: list[str]
    bodies: dict[str, dict[str, Any]]
    records: list[str]
    cursors: list[str] = field(default_factory=list)
    token: str = ""


def about(patient: str, word: str) -> list[dict[str, Any]]:
    """A client's data in every shape: `word` marks whose it is."""
    subject = {"reference": patient}
    text = {
        "text": f"{word} concept",
        "coding": [{"system": "http://snomed.info/sct", "code": "32911000", "display": word}],
    }
    when = "2026-03-02T09:00:00Z"
    number = [{"system": f"https://{word}.example/id", "value": f"{word}-1"}]
    ask = {"status": "active", "intent": "order", "subject": subject, "identifier": number}
    return [
        {"resourceType": "RelatedPerson", "patient": subject, "name": [{"family": word}], "identifier": number},
        {"resourceType": "EpisodeOfCare", "status": "active", "patient": subject, "identifier": number},
        {"resourceType": "CareTeam", "status": "active", "subject": subject, "name": word, "identifier": number},
        {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": subject, "identifier": number,
         "period": {"start": "2026-03-02"}},
        {"resourceType": "Goal", "lifecycleStatus": "active", "description": text, "subject": subject,
         "identifier": number, "startDate": "2026-03-02"},
        {"resourceType": "Condition", "subject": subject, "code": text, "identifier": number, "onsetDateTime": when},
        {"resourceType": "ServiceRequest", **ask, "code": text, "authoredOn": when},
        {"resourceType": "Task", "status": "draft", "intent": "proposal", "for": subject, "identifier": number,
         "code": text, "authoredOn": when},
        {"resourceType": "Encounter", "status": "finished", "subject": subject, "identifier": number,
         "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
         "period": {"start": when, "end": when}},
        {"resourceType": "Procedure", "status": "completed", "subject": subject, "code": text, "identifier": number,
         "performedDateTime": when},
        {"resourceType": "Communication", "status": "completed", "subject": subject, "identifier": number, "sent": when},
        {"resourceType": "Appointment", "status": "proposed", "identifier": number, "start": when, "end": when,
         "participant": [{"actor": subject, "status": "accepted"}]},
        {"resourceType": "DocumentReference", "status": "current", "subject": subject, "identifier": number,
         "description": word, "content": [{"attachment": {"title": word}}]},
        {"resourceType": "Binary", "contentType": "text/plain", "data": "Wg==", "securityContext": subject},
        {"resourceType": "Flag", "status": "active", "code": text, "subject": subject, "identifier": number},
        {"resourceType": "List", "status": "current", "mode": "working", "subject": subject, "title": word,
         "identifier": number, "entry": [{"item": subject}]},
        {"resourceType": "Group", "type": "person", "actual": True, "member": [{"entity": subject}],
         "identifier": number},
        {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": subject, "authored": when},
        {"resourceType": "Observation", "status": "final", "code": text, "subject": subject, "identifier": number,
         "effectiveDateTime": when, "valueQuantity": {"value": 7, "unit": "h", "system": "http://unitsofmeasure.org",
                                                      "code": "h"}},
        {"resourceType": "Consent", "status": "active", "scope": text, "category": [text], "patient": subject,
         "policyRule": text, "dateTime": when},
        {"resourceType": "Provenance", "target": [subject], "recorded": when, "agent": [{"who": {"display": word}}]},
    ]  # fmt: skip


def person(word: str, family: str) -> dict[str, Any]:
    return {
        "resourceType": "Patient", "name": [{"family": family, "given": ["Ada"]}], "gender": "female",
        "birthDate": "1990-01-01", "identifier": [{"system": f"https://{word}.example/id", "value": f"{word}-1"}],
        "telecom": [{"system": "phone", "value": "555-0190"}],
    }  # fmt: skip


async def made(client: httpx.AsyncClient, body: dict[str, Any], id_: str = "") -> str:
    type_ = body["resourceType"]
    if id_:
        answer = await client.put(f"/fhir/{type_}/{id_}", content=encode({**body, "id": id_}))
    else:
        answer = await client.post(
            f"/fhir/{type_}", content=encode(body), headers={"Prefer": "return=minimal"}
        )
    assert answer.status_code in (200, 201), answer.text
    return "/".join(answer.headers["location"].split("/fhir/")[1].split("/")[:2])


async def filed(harbor: httpx.AsyncClient, kind: str, **changes: Any) -> list[str]:
    body = {**kinds[kind].example, **changes}
    answer = await harbor.put(f"/casework/v1/{kind}/{body['id']}", content=encode(body), headers=JSON)
    assert answer.status_code in (200, 201), answer.text
    found: list[str] = decode_object(answer.content)["resources"]
    return found


async def _shared(service: Service) -> list[str]:
    """What both worlds hold; the references Northside may know of."""
    await service.partner(HARBOR, "casework", scopes=FULL)
    for name, role in ((NORTHSIDE, "referral-recipient"), (LAKEVIEW, "ehr")):
        await service.partner(name, role, scopes=FULL)
    async with await service.client(HARBOR) as harbor, await service.client(NORTHSIDE) as northside:
        await filed(harbor, "agencies", id="harbor", name=HARBOR)
        await filed(harbor, "agencies")
        await filed(harbor, "agencies", id="lakeview", name=LAKEVIEW)
        await filed(harbor, "case-managers", supervisor=None)
        referred = await filed(harbor, "clients")
        await filed(harbor, "consents", expires="2099-12-31")
        referred += await filed(harbor, "referrals")
        patient = await made(northside, person("northside", "Rivera"))
        own = [await made(northside, each) for each in about(patient, "northside")]
        gone = await made(northside, person("northside", "Gone"))
        (await northside.delete(f"/fhir/{gone}")).raise_for_status()
        return [patient, *own, gone, *referred]


async def _hidden(service: Service, own: list[str]) -> tuple[list[str], list[str]]:
    """What only the full world holds: references, and paths of Harbor's records."""
    async with await service.client(HARBOR) as harbor, await service.client(LAKEVIEW) as lakeview:
        foreign = [await made(lakeview, person("lakeview", "Rivera"))]
        foreign += [await made(lakeview, each) for each in about(foreign[0], "lakeview")]
        theirs = next(each for each in own if each.startswith("Patient/"))
        for whose in (theirs, next(each for each in own if each.startswith("Patient/") and each != theirs)):
            foreign += [await made(lakeview, each) for each in about(whose, "lakeview")]
            foreign += [await made(harbor, each) for each in about(whose, "harbor")]
        twice = foreign[5]
        body = decode_object((await lakeview.get(f"/fhir/{twice}")).content)
        again = {**body, "language": "en"}
        (await lakeview.put(f"/fhir/{twice}", content=encode(again))).raise_for_status()
        gone = await made(lakeview, person("lakeview", "Gone"))
        (await lakeview.delete(f"/fhir/{gone}")).raise_for_status()
        foreign += [
            gone,
            *await filed(harbor, "clients", id="casey", name={"family": "Winter", "given": ["Casey"]}),
        ]
        foreign += await filed(harbor, "referrals", id="casey-housing", client="casey", consents=[])
        foreign += await filed(harbor, "assessments")
        foreign += await filed(harbor, "care-plans")
        await lakeview.get(f"/fhir/{foreign[0]}")
        return foreign, [
            "clients/casey",
            "referrals/casey-housing",
            "assessments/" + kinds["assessments"].example["id"],
        ]


async def _copied(url: str, name: str) -> str:
    admin = await asyncpg.connect(with_database(url, "postgres"))
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{database_name(url)}"')
    finally:
        await admin.close()
    return with_database(url, name)


@asynccontextmanager
async def two_worlds(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Worlds]:
    """The worlds, open. `database_url` becomes the bare one; the full one begins as its copy."""
    async with running(database_url, folder / "bare") as service:
        own = await _shared(service)
    name = f"{database_name(database_url)}_full"
    full_url = await _copied(database_url, name)
    chosen = {"partner_ids": "own", **settings}
    try:
        async with running(full_url, folder / "full") as service:
            foreign, records = await _hidden(service, own)
        async with (
            running(full_url, folder / "full", **chosen) as full,
            running(database_url, folder / "bare", **chosen) as bare,
        ):
            async with await full.client(HARBOR) as harbor:
                bodies = {each: await _body(harbor, each) for each in [*foreign, *own]}
                cursors = await _cursors(harbor)
            token = await onboard_partner.mint_token(full.wiring.context, LAKEVIEW)
            async with await full.client(NORTHSIDE) as one, await bare.client(NORTHSIDE) as other:
                yield Worlds(full, bare, (one, other), own, foreign, bodies, records, cursors, token)
    finally:
        admin = await asyncpg.connect(with_database(database_url, "postgres"))
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await admin.close()


async def _body(harbor: httpx.AsyncClient, reference: str) -> dict[str, Any]:
    answer = await harbor.get(f"/fhir/{reference}", headers={"Accept": "application/fhir+json"})
    if answer.status_code != 200:
        type_, _, id_ = reference.partition("/")
        return {"resourceType": type_, "id": id_}
    return copy.deepcopy(decode_object(answer.content))


async def _cursors(harbor: httpx.AsyncClient) -> list[str]:
    paths = (
        "Patient?_count=1",
        "Task?_count=1",
        "_history?_count=1",
        "AuditEvent?_count=1",
        "Goal/_history?_count=1",
    )
    found = []
    for answer in await asyncio.gather(*(harbor.get(f"/fhir/{path}") for path in paths)):
        for link in decode_object(answer.content)["link"]:
            if link["relation"] == "next":
                found.append(link["url"].split("/fhir/")[1])
    return found
