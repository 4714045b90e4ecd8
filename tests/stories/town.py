"""The town of the stories: the whole service with its worker, partner agencies, and Harbor's case-management
system, over real HTTP and real tokens. One PostgreSQL database a story."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncpg
from parts import Service, running

from service.commands.demo import people
from service.fhir.json import encode
from service.flows import onboard_partner as onboarding
from service.flows.context import Context
from service.kernel.clock import Clock, system_clock
from service.simulator.agency import Agency
from service.simulator.casebridge import Casebridge
from service.simulator.keys import Key
from service.simulator.process import Plan, opened

ROLES = {people.COUNTY: "referral-source", people.LAKEVIEW: "referral-source referral-recipient"}


def _told(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What these stories are about: who leads a case, and what is served twice, is told elsewhere."""
    return [each for each in events if not each["kind"].startswith(("lead-", "duplicate-"))]


@dataclass
class Town:
    """`casework` is Harbor's system; agencies by name."""

    url: str
    casework: Casebridge
    database_url: str
    context: Context | None = None
    service: Service | None = None
    agencies: dict[str, Agency] = field(default_factory=dict)
    organizations: dict[str, str] = field(default_factory=dict)
    _cursor: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)

    async def file(self, kind: str, id_: str, record: dict[str, Any]) -> dict[str, Any]:
        answer = await self.casework.ask("PUT", f"/casework/v1/{kind}/{id_}", record)
        assert answer.ok, answer.sentence
        return answer.body

    async def file_everybody(self) -> None:
        for kind, id_, record in people.records(system_clock):
            await self.file(kind, id_, record)

    async def until(self, kind: str, seconds: float = 12, **facts: str) -> dict[str, Any]:
        """The next event of this kind with these facts; every event passed is kept in `events`."""
        seen = [each["kind"] for each in self.events]
        async with asyncio.timeout(seconds):
            while True:
                query = f"wait=2&limit=1&after={self._cursor}" if self._cursor else "wait=2&limit=1"
                answer = await self.casework.ask("GET", f"/casework/v1/events?{query}")
                assert answer.ok, answer.sentence
                self._cursor = answer.body["cursor"]
                for event in answer.body["events"]:
                    self.events += _told([event])
                    if event["kind"] == kind and facts.items() <= event.items():
                        return event
        raise AssertionError(f"no {kind} after {seen}")

    async def hear(self) -> None:
        """Every event there is by now, into `events`."""
        query = f"limit=1000&after={self._cursor}" if self._cursor else "limit=1000"
        answer = await self.casework.ask("GET", f"/casework/v1/events?{query}")
        assert answer.ok, answer.sentence
        self._cursor = answer.body["cursor"]
        self.events += _told(answer.body["events"])

    async def until_told(self, kind: str, referral: str) -> dict[str, Any]:
        """This event of this referral, which may have come already."""
        for each in self.events:
            if (each["kind"], each.get("referral")) == (kind, referral):
                return each
        return await self.until(kind, referral=referral)

    async def fhir(self, path: str) -> dict[str, Any]:
        """What Harbor reads at the FHIR door."""
        answer = await self.casework.ask("GET", f"/fhir/{path}")
        assert answer.ok, answer.sentence
        return answer.body

    async def sql(self, statement: str, *values: Any) -> list[Any]:
        connection = await asyncpg.connect(self.database_url)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def time_passes(self) -> None:
        """Every waiting retry and every lease is over now."""
        await self.sql("UPDATE delivery SET due = now(), lease_until = now() WHERE settled IS NULL")


def heard(agency: Agency) -> str:
    """Everything that ever reached an agency."""
    return "\n".join(each.target + each.body.decode() for each in agency.notebook.heard)


def gives_leslie_away(text: str) -> list[str]:
    return [word for word in people.CLIENT_WORDS if word in text]


async def eventually(true: Callable[[], Any], seconds: float = 12) -> None:
    """Waits until `true()` (or what it awaits to) holds."""
    async with asyncio.timeout(seconds):
        while True:
            found = true()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.03)


async def register(
    service: Service,
    folder: Path,
    name: str,
    role: str,
    key: Key,
    agency_url: str | None,
    dialect: str = "sdohcc",
    agreed: Sequence[str] = (),
) -> dict[str, Any]:
    jwks = folder / f"{secrets.token_hex(4)}.json"
    jwks.write_bytes(encode(key.public_set))
    addresses: dict[str, Any] = {}
    if agency_url is not None:
        addresses = {"fhir_base": f"{agency_url}/fhir", "token_url": f"{agency_url}/token"}
    wanted = onboarding.Registration(
        name, tuple(role.split()), jwks=str(jwks), dialect=dialect, agreed=agreed, **addresses
    )
    return await onboarding.add(service.wiring.context, wanted)


@asynccontextmanager
async def town(
    database_url: str,
    folder: Path,
    *plans: Plan,
    worker: bool = True,
    clock: Clock = system_clock,
    **settings: Any,
) -> AsyncIterator[Town]:
    """Everybody but the client: the service, its worker, Harbor, and an agency for each plan."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(running(database_url, folder, clock, **settings))
        key = Key(clock=clock)
        harbor = await register(service, folder, people.HARBOR, "casework", key, None)
        casework = Casebridge(
            service.url, harbor["client_id"], key, "casework/*.cruds system/*.cruds", clock=clock
        )
        made = Town(
            service.url,
            await stack.enter_async_context(casework),
            database_url,
            service.wiring.context,
            service,
        )
        made.organizations[people.HARBOR] = harbor["organization"]
        for plan in plans:
            await settle(stack, service, made, folder, plan, clock)
        if worker:
            await stack.enter_async_context(at_work(service))
        yield made


async def settle(
    stack: AsyncExitStack, service: Service, made: Town, folder: Path, plan: Plan, clock: Clock = system_clock
) -> Agency:
    """An agency opens, and is registered on both sides."""
    agency = await stack.enter_async_context(opened(replace(plan, clock=clock)))
    role = ROLES.get(plan.name, "referral-recipient")
    address = None if plan.light else agency.origin
    agreed = ("transport=message",) if plan.by_message else ()
    found = await register(service, folder, plan.name, role, agency.key, address, plan.dialect, agreed)
    agency.register(service.url, found["client_id"], found["organization"])
    made.agencies[plan.name], made.organizations[plan.name] = agency, found["organization"]
    return agency


@asynccontextmanager
async def at_work(service: Service) -> AsyncIterator[None]:
    """The delivery worker of this service."""
    worker = service.wiring.worker()
    ticking = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await ticking
