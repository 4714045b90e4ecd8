"""Riverbend exports; the worker is the test itself, and the clock is its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from parts import Service, running

from service.fhir.json import JsonObject, decode_object, encode
from service.flows.exports.work import export, take_exports
from service.kernel.clock import system_clock
from service.store.unit import Shared

CODES = "http://terminology.hl7.org/CodeSystem"
HARBOR, RIVERBEND, NORTHSIDE = "Harbor Recovery Services", "Riverbend Family Health", "Northside"
ASYNC = {"Prefer": "respond-async"}


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self):  # type: ignore[no-untyped-def]
        return system_clock() + self.ahead

    def passes(self, **more: float) -> None:
        self.ahead += timedelta(**more)


class Bay:
    """A service with Leslie and Jonah, and what tests do with it."""

    def __init__(self, service: Service, time: Time) -> None:
        self.service, self.time = service, time
        self.context = service.wiring.context
        self.organizations: dict[str, str] = {}
        self.clients: dict[str, httpx.AsyncClient] = {}

    async def join(self, name: str, *roles: str, **more: Any) -> None:
        shown = await self.service.partner(name, *roles, **more)
        self.organizations[name] = shown["organization"]
        self.clients[name] = await self.service.client(name)

    async def put(self, by: str, resource: JsonObject) -> None:
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        answer = await self.clients[by].put(path, content=encode(resource))
        assert answer.status_code < 300, answer.text

    async def person(self, id_: str, needs: int = 1, by: str = HARBOR) -> None:
        await self.put(by, {"resourceType": "Patient", "id": id_, "name": [{"family": "Moreno"}]})
        for number in range(needs):
            await self.put(by, need(f"{id_}-need-{number}", id_))

    async def permit(self, id_: str, to: str, status: str = "active") -> None:
        """Leslie signs: everything to this partner, for treatment. (Or takes it back.)"""
        role = {"coding": [{"system": f"{CODES}/v3-ParticipationType", "code": "IRCP"}]}
        paper = {
            "resourceType": "Consent",
            "id": f"consent-{id_}",
            "status": status,
            "scope": {"coding": [{"system": f"{CODES}/consentscope", "code": "patient-privacy"}]},
            "category": [{"coding": [{"system": f"{CODES}/v3-ActCode", "code": "IDSCL"}]}],
            "patient": {"reference": f"Patient/{id_}"},
            "dateTime": "2026-03-05",
            "organization": [{"reference": self.organizations[HARBOR]}],
            "sourceAttachment": {"title": "signed form"},
            "policy": [{"uri": "https://www.ecfr.gov/current/title-42/part-2"}],
            "provision": {
                "type": "permit",
                "actor": [{"role": role, "reference": {"reference": self.organizations[to]}}],
                "purpose": [{"system": f"{CODES}/v3-ActReason", "code": "TREAT"}],
            },
        }
        await self.put(HARBOR, paper)

    async def share(self, who: str, *references: str) -> None:
        """As a referral would have made them known."""
        party = await self.row("SELECT client_id FROM partner WHERE name = $1", who)
        async with self.context.database.unit() as unit:
            for each in references:
                type_, _, id_ = each.partition("/")
                unit.share(Shared(party, type_, id_, "loop", self.time()))

    async def row(self, sql: str, *values: Any) -> Any:
        async with self.context.database.reading() as connection:
            return await connection.fetchval(sql, *values)

    async def ask(self, who: str, path: str = "/fhir/$export", **more: Any) -> httpx.Response:
        more.setdefault("headers", ASYNC)
        method = "POST" if "content" in more else "GET"
        return await self.clients[who].request(method, path, **more)

    async def works(self) -> list[str]:
        """What a worker does until nothing is due."""
        self.time.passes(seconds=3)
        outcomes = []
        while taken := await take_exports(self.context, 1, 10, []):
            outcomes += [await export(self.context, each) for each in taken]
        return outcomes

    async def manifest(self, who: str, path: str = "/fhir/$export", **more: Any) -> JsonObject:
        """Ask, work, and look."""
        begun = await self.ask(who, path, **more)
        assert begun.status_code == 202, begun.text
        await self.works()
        done = await self.clients[who].get(begun.headers["content-location"])
        assert done.status_code == 200, done.text
        return decode_object(done.content)

    async def lines(self, who: str, manifest: JsonObject, kind: str = "output") -> list[JsonObject]:
        """Everything in the files of a manifest."""
        found = []
        for each in manifest[kind]:
            answer = await self.clients[who].get(each["url"])
            assert answer.status_code == 200, answer.text
            found += [decode_object(line) for line in answer.content.splitlines()]
        return found

    async def names(self, who: str, path: str = "/fhir/$export", **more: Any) -> set[str]:
        """The references of all that is exported."""
        found = await self.lines(who, await self.manifest(who, path, **more))
        return {f"{each['resourceType']}/{each['id']}" for each in found}


def need(id_: str, patient: str) -> JsonObject:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "32911000"}]}
    return {
        "resourceType": "Condition",
        "id": id_,
        "subject": {"reference": f"Patient/{patient}"},
        "code": code,
    }


@asynccontextmanager
async def bay(database_url: str, tmp_path: Path, **settings: Any) -> AsyncIterator[Bay]:
    time = Time()
    async with running(database_url, tmp_path, clock=time, **settings) as service:
        here = Bay(service, time)
        await here.join(HARBOR, "casework")
        await here.join(RIVERBEND, "ehr")
        yield here
        for client in here.clients.values():
            await client.aclose()
