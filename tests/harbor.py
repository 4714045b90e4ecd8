"""Harbor, whose Victoria leads Leslie's case; Northside with Marcus, who may know of it; Riverbend, that may not."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from parts import Service, running

from service.casework.records import example, write
from service.fhir.json import decode_object, encode
from service.flows import onboard_partner

START = datetime(2026, 3, 9, 15, tzinfo=UTC)


@dataclass
class Town:
    """Harbor with its casework system, Northside with a case manager of its own, Riverbend that knows nothing."""

    service: Service
    harbor: httpx.AsyncClient
    northside: httpx.AsyncClient
    riverbend: httpx.AsyncClient
    now: datetime = START
    patient: str = ""
    workers: dict[str, str] | None = None

    async def at(self, now: datetime) -> None:
        """It is now then; tokens live five minutes."""
        self.now = now
        for name in ("Harbor", "Northside", "Riverbend"):
            token = await onboard_partner.mint_token(self.service.wiring.context, name)
            client: httpx.AsyncClient = getattr(self, name.lower())
            client.headers["Authorization"] = f"Bearer {token}"

    async def file(self, path: str, record: dict[str, Any], expected: int = 0) -> dict[str, Any]:
        answer = await self.harbor.put(
            f"/casework/v1/{path}", content=encode(record), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == expected or (not expected and answer.status_code in (200, 201)), (
            answer.text
        )
        return decode_object(answer.content)

    async def client(self, lead: str | None, expected: int = 0, **more: Any) -> dict[str, Any]:
        episode = {"status": "active", "start": "2026-03-02", **more}
        if lead:
            episode["primaryCaseManager"] = lead
        return await self.file("clients/leslie", {"name": {"family": "Moreno"}, "episode": episode}, expected)

    async def one(self, type_: str) -> dict[str, Any]:
        found = await self.harbor.get(f"/fhir/{type_}", params={"patient": self.patient})
        [entry] = decode_object(found.content)["entry"]
        return dict(entry["resource"])

    async def ours(self, type_: str) -> list[dict[str, Any]]:
        """What Harbor's own records became, beside what partners filed."""
        found = await self.harbor.get(f"/fhir/{type_}", params={"patient": self.patient})
        resources = [entry["resource"] for entry in decode_object(found.content).get("entry", [])]
        return [each for each in resources if "identifier" in each]

    async def one_of_ours(self, type_: str) -> dict[str, Any]:
        [found] = await self.ours(type_)
        return found

    async def events(self) -> list[dict[str, Any]]:
        found = decode_object((await self.harbor.get("/casework/v1/events")).content)["events"]
        return [each for each in found if each["kind"].startswith(("lead", "cover"))]

    async def kinds(self) -> list[str]:
        return [each["kind"] for each in await self.events()]

    async def who(self, by: httpx.AsyncClient | None = None, status: int = 200) -> dict[str, Any]:
        found = await (by or self.harbor).get(f"/fhir/{self.patient}/$primary-case-manager")
        assert found.status_code == status, found.text
        return named(found)

    async def say(self, by: httpx.AsyncClient, status: int = 200, **said: str) -> dict[str, Any]:
        workers = self.workers or {}
        rows = [
            {"name": name, "valueReference": {"reference": workers[value]}} if name in ("caseManager", "instead")
            else {"name": name, "valueString": value}
            for name, value in said.items()
        ]  # fmt: skip
        found = await by.post(
            f"/fhir/{self.patient}/$primary-case-manager",
            content=encode({"resourceType": "Parameters", "parameter": rows}),
        )
        assert found.status_code == status, found.text
        return named(found)

    async def answer(
        self, by: httpx.AsyncClient, task: str, status: str, expected: int = 200
    ) -> dict[str, Any]:
        patch = encode([{"op": "replace", "path": "/status", "value": status}])
        found = await by.patch(
            f"/fhir/{task}", content=patch, headers={"Content-Type": "application/json-patch+json"}
        )
        assert found.status_code == expected, found.text
        return decode_object(found.content)


def named(found: httpx.Response) -> dict[str, Any]:
    body = decode_object(found.content)
    return {
        each["name"]: each.get("valueReference", {}).get("reference") or each
        for each in body.get("parameter", [])
    }


@asynccontextmanager
async def opened(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """The town, with everybody on file."""
    found: list[Town] = []
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(
            running(database_url, tmp_path, lambda: found[0].now if found else START)
        )
        await service.partner("Harbor", "casework")
        for name in ("Northside", "Riverbend"):
            await service.partner(name, "ehr", scopes=["system/*.cruds"])
        clients = [
            await stack.enter_async_context(await service.client(name))
            for name in ("Harbor", "Northside", "Riverbend")
        ]
        town = Town(service, *clients)
        found.append(town)
        await settled(town)
        yield town


async def settled(town: Town) -> None:
    """Everybody is on file, Leslie consents that Northside knows of her case, Victoria leads."""
    worker = {"qualifications": [{"text": "BSW", "code": "bachelor-equivalent"}], "supervisor": "samuel"}
    await town.file("agencies/northside", {"name": "Northside", "kind": "housing"})
    workers = {}
    for id_, more in (("victoria", {}), ("ana", {}), ("marcus", {"agency": "northside"})):
        made = await town.file(f"case-managers/{id_}", {"name": {"family": id_.title()}, **worker, **more})
        workers[id_] = made["resources"][-1]
    town.workers = workers
    filed = await town.client("victoria", intensity="intensive")
    town.patient = next(each for each in filed["resources"] if each.startswith("Patient/"))
    consent = write(example("consents")) | {
        "client": "leslie",
        "permissions": [
            {
                "recipients": [{"agency": "northside"}],
                "information": ["everything"],
                "purposes": ["coordination-of-care"],
            }
        ],
    }
    await town.file("consents/one", {k: v for k, v in consent.items() if k not in ("id", "discloser")})
