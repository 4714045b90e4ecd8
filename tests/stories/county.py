"""One county for a year: what happens is done through the service's own doors at the hours that a page says
(fourteen_months.md), and the worker looks whenever the service means it to look."""

from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from page import ZONE, local_day, timer_of
from parts import Service, running

from service.fhir.json import decode_object, encode
from service.flows import onboard_partner
from service.flows.due import calendars
from service.flows.due.recount import recount
from service.flows.lead.turn import turn_covers

HARBOR, NORTHSIDE, RIVERBEND, LAKEVIEW = "Harbor", "Northside", "Riverbend", "Lakeview"
BEGINS = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Fresh(httpx.Auth):
    """A token that is good at whatever time it is."""

    def __init__(self, county: "County", name: str) -> None:
        self.county, self.name, self.token, self.at = county, name, "", BEGINS

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if not self.token or not timedelta(0) <= self.county.at - self.at < timedelta(minutes=4):
            self.at = self.county.at
            self.token = await onboard_partner.mint_token(self.county.context, self.name)
        request.headers["Authorization"] = f"Bearer {self.token}"
        yield request


class County:
    """Harbor's case-management system, three agencies, and the service between them; `at` is what time it is."""

    def __init__(self, database_url: str, home: Path) -> None:
        self.database_url, self.home = database_url, home
        self.at = BEGINS
        self.service: Service
        self.doors: dict[str, httpx.AsyncClient] = {}
        self.filed: dict[tuple[str, str], dict[str, Any]] = {}
        """The latest of every record, in the order in which they were first filed."""
        self.patients: dict[str, str] = {}
        self.workers: dict[str, str] = {}
        """`PractitionerRole/…` → the name the page uses."""
        self.organizations: dict[str, str] = {}
        self.stays: dict[str, dict[str, Any]] = {}
        self.transfers: dict[str, str] = {}
        self.looks = 0

    @property
    def context(self) -> Any:
        return self.service.wiring.context

    @property
    def day(self) -> str:
        return f"{self.at.astimezone(ZONE):%Y-%m-%d}"

    @property
    def now(self) -> str:
        return self.at.astimezone(ZONE).isoformat(timespec="seconds")

    # --- opening hours

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """The service is up; what it knows is in the database."""
        settings = {"time_zone": ZONE.key, "caller_rate": 0, "token_rate": 0}
        async with AsyncExitStack() as stack:
            self.service = await stack.enter_async_context(
                running(self.database_url, self.home, clock=lambda: self.at, **settings)
            )
            for name in list(self.doors):
                await self._door(stack, name)
            yield
            self.doors = dict.fromkeys(self.doors)  # type: ignore[arg-type]

    async def _door(self, stack: AsyncExitStack, name: str) -> None:
        door = httpx.AsyncClient(
            base_url=self.service.url, timeout=30, trust_env=False, auth=Fresh(self, name),
            headers={"Content-Type": "application/fhir+json"},
        )  # fmt: skip
        self.doors[name] = await stack.enter_async_context(door)

    # --- doors

    async def ask(self, who: str, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        content = None if body is None else encode(body)
        answer = await self.doors[who].request(method, path, content=content, **more)
        assert answer.is_success, (self.now, method, path, answer.text)
        return decode_object(answer.content) if answer.content else {}

    async def file(self, kind: str, id_: str, said: dict[str, Any]) -> dict[str, Any]:
        self.filed[kind, id_] = said
        return await self.ask(HARBOR, "PUT", f"/casework/v1/{kind}/{id_}", said,
                              headers={"Content-Type": "application/json"})  # fmt: skip

    async def revise(self, kind: str, id_: str, **more: Any) -> dict[str, Any]:
        return await self.file(kind, id_, {**self.filed[kind, id_], **more})

    async def replay(self, *clients: str) -> None:
        """The case-management system sends everything it has once more, or all that it has of these clients."""
        for (kind, id_), said in list(self.filed.items()):
            if not clients or id_ in clients or said.get("client") in clients:
                await self.file(kind, id_, said)

    # --- time

    async def look(self) -> None:
        """The worker's beats, until it has nothing more to do at this instant."""
        await turn_covers(self.context)
        while seen := await recount(self.context):
            self.looks += seen

    async def until(self, then: datetime) -> None:
        """Time passes: the worker looks whenever it means to."""
        while (wanted := await self._wanted()) is not None and wanted < then:
            self.at = max(self.at, wanted)
            await self.look()
        self.at = then

    async def _wanted(self) -> datetime | None:
        sql = """SELECT min(look) FROM (SELECT min(look) AS look FROM due_client
                 UNION ALL SELECT min(starts) FROM cover WHERE NOT began
                 UNION ALL SELECT min(ends) FROM cover WHERE NOT ended) looks"""
        async with self.context.database.reading() as connection:
            found: datetime | None = await connection.fetchval(sql)
            return found

    async def all_are_led(self) -> None:
        sql = """SELECT patient FROM course c WHERE closed IS NULL AND
                 (SELECT count(*) FROM lead l WHERE l.course = c.id AND l.ends IS NULL) <> 1"""
        async with self.context.database.reading() as connection:
            assert await connection.fetch(sql) == [], self.now

    # --- what came of it

    async def tasks(self, client: str = "") -> list[dict[str, Any]]:
        """Every Task of a timer, of one client or of all, as Harbor reads them."""
        query = "_count=500" + (f"&patient={self.patients[client]}" if client else "")
        return [task async for task in self._read(f"/fhir/Task?{query}") if timer_of(task)]

    async def questions(self) -> list[tuple[str, ...]]:
        """The Tasks of coordination that no timer makes: what, of which client, whose, how they stand."""
        clients = {patient: client for client, patient in self.patients.items()}
        return [
            (task["code"]["coding"][0]["code"], clients[task["for"]["reference"]],
             self.name(task["owner"]["reference"]), task["status"])
            async for task in self._read("/fhir/Task?_count=500")
            if not timer_of(task) and task.get("code", {}).get("coding", [{}])[0].get("system", "").endswith("/due-task")
        ]  # fmt: skip

    async def owners(self) -> dict[str, list[str]]:
        """Task → who owed it, in turn: every version tells."""
        owners: dict[str, list[str]] = defaultdict(list)
        async for task in self._read("/fhir/Task/_history?_count=500"):
            if not timer_of(task):
                continue
            name = self.name(task["owner"]["reference"])
            if owners[task["id"]][:1] != [name]:
                owners[task["id"]].insert(0, name)
        return owners

    async def _read(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """The Tasks on this page and all that follow, newest versions first."""
        while path:
            bundle = await self.ask(HARBOR, "GET", path)
            for entry in bundle.get("entry", []):
                if "resource" in entry:
                    yield entry["resource"]
            path = next((each["url"] for each in bundle["link"] if each["relation"] == "next"), "")

    async def events(self) -> list[dict[str, Any]]:
        """Every event that the case-management system was told."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = await self.ask(HARBOR, "GET", "/casework/v1/events", params={"limit": "1000", "after": cursor}
                                  if cursor else {"limit": "1000"})  # fmt: skip
            found += page["events"]
            cursor = page["cursor"]
            if len(page["events"]) < 1000:
                return found

    async def leads(self, client: str) -> list[tuple[str, str, str]]:
        """Who led, from when to when, as `$primary-case-manager` tells it."""
        said = await self.ask(HARBOR, "GET", f"/fhir/{self.patients[client]}/$primary-case-manager")
        rows = []
        for each in said["parameter"]:
            if each["name"] == "before":
                part = {p["name"]: p for p in each["part"]}
                who = self.name(part["caseManager"]["valueReference"]["reference"])
                rows.append(
                    (who, local_day(part["start"]["valueInstant"]), local_day(part["end"]["valueInstant"]))
                )
        now = {each["name"]: each for each in said["parameter"]}
        if "since" in now:
            who = self.name(now["caseManager"]["valueReference"]["reference"])
            rows.append((who, local_day(now["since"]["valueInstant"]), ""))
        return rows

    def name(self, owner: str) -> str:
        """`PractitionerRole/…`, a record's id or an Organization, as the page calls it."""
        return self.workers.get(owner) or self.organizations.get(owner) or owner or "harbor"


@asynccontextmanager
async def county(database_url: str, home: Path, holidays: list[str]) -> AsyncIterator[County]:
    """Everybody is registered and on file; it is the day before the first."""
    made = County(database_url, home)
    async with made.open():
        await made.service.partner(HARBOR, "casework")
        for name, role in ((NORTHSIDE, "ehr"), (LAKEVIEW, "ehr"), (RIVERBEND, "ehr")):
            await made.service.partner(name, role, scopes=["system/*.cruds"])
    made.doors = dict.fromkeys((HARBOR, NORTHSIDE, LAKEVIEW, RIVERBEND))  # type: ignore[arg-type]
    async with made.open():
        week = ["mon", "tue", "wed", "thu", "fri"]
        await calendars.set_calendar(made.context, "", ZONE.key, week, holidays, [])
        await calendars.set_calendar(made.context, NORTHSIDE, "America/Chicago", week, [], ["2027-02-15"])
        await calendars.set_calendar(made.context, LAKEVIEW, None, week, ["2027-03-26"], [])
        await _directory(made)
    yield made


async def _directory(made: County) -> None:
    for id_, name in (("northside", NORTHSIDE), ("lakeview", LAKEVIEW), ("riverbend", RIVERBEND)):
        await made.file("agencies", id_, {"name": name, "partner": name})
    for worker, more in (
        ("samuel", {"roles": ["supervisor"]}),
        ("victoria", {"supervisor": "samuel"}),
        ("ana", {"supervisor": "samuel"}),
        ("tomas", {"supervisor": "samuel"}),
        ("grace", {"roles": ["supervisor"], "agency": "northside"}),
        ("marcus", {"supervisor": "grace", "agency": "northside"}),
        ("dana", {"agency": "lakeview"}),
    ):
        filed = await made.file("case-managers", worker, {"name": {"text": worker.title()}, **more})
        made.workers[filed["resources"][-1]] = worker
    async with made.context.database.reading() as connection:
        for name, organization in await connection.fetch("SELECT name, organization FROM partner"):
            made.organizations[organization] = name.lower()
