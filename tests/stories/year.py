"""A year of one county, driven by a page that a supervisor can read (fourteen_months.md): what happens to whom, done
through the service's own doors at the hours the page says, the worker looking whenever the service wants it to look."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
from parts import Service, running

from service.fhir.json import decode_object, encode
from service.flows import onboard_partner
from service.flows.due import calendars
from service.flows.due.recount import recount
from service.flows.lead.turn import turn_covers
from tests.coordination.gpra.complete import interview, record

HARBOR, NORTHSIDE, RIVERBEND, LAKEVIEW = "Harbor", "Northside", "Riverbend", "Lakeview"
ZONE = ZoneInfo("America/New_York")
BEGINS = datetime(2026, 3, 1, 12, tzinfo=UTC)
GRANT = "TI-026543"
SERVICES = {"room": "transitional-housing", "job": "job-training", "children": "child-care"}
TOLD = {"due-soon": "soon", "due": "day", "overdue": "late", "escalated": "up"}


@dataclass(frozen=True, order=True)
class Step:
    """Something that happens to a client; `words` are those of the page."""

    at: datetime
    client: str
    words: tuple[str, ...] = field(compare=False)


@dataclass
class Page:
    """fourteen_months.md: what happens, and what is expected, row by row."""

    steps: list[Step] = field(default_factory=list)
    rows: dict[str, list[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(list))
    """Table (`due`, `leads`, …) → its rows, the client first."""


def read(path: Path) -> Page:
    """The page. A heading names the clients behind a colon; a table's first column head says which table it is."""
    page, clients, table = Page(), [""], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            clients = [each.strip() for each in line.partition(":")[2].split(",")]
        if not line.startswith("|") or set(line) <= set("|-: "):
            table = table if line.startswith("|") else ""
            continue
        cells = tuple(each.strip() for each in line.strip("|").split("|"))
        if not table:
            table = cells[0]
        elif table == "when":
            page.steps += [step for client in clients for step in _steps(client, *cells)]
        else:
            page.rows[table] += [(client, *cells) for client in clients]
    page.steps.sort(key=lambda step: step.at)
    return page


def _steps(client: str, when: str, what: str) -> Iterator[Step]:
    """`2026-03-02`, `2026-03-02 16:30`; of contacts `2026-05` with the days of the month among the words."""
    words = tuple(what.split())
    if len(when) == 7:
        for day in words[2:]:
            yield Step(moment(f"{when}-{int(day):02}"), client, words[:2])
        return
    yield Step(moment(when), client, words)


def moment(when: str) -> datetime:
    """Ten in the morning where no hour is said."""
    said = datetime.fromisoformat(when)
    return (said if len(when) > 10 else said + timedelta(hours=10)).replace(tzinfo=ZONE).astimezone(UTC)


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

    async def replay(self) -> None:
        """The case-management system sends everything it has once more."""
        for (kind, id_), said in list(self.filed.items()):
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

    async def live(self, steps: list[Step]) -> None:
        """One step after the other; after each the worker looks."""
        for number, step in enumerate(steps):
            if step.at > self.at:
                await self.until(step.at)
            await getattr(self, f"_{step.words[0].replace('-', '_')}")(step.client, *step.words[1:])
            if number + 1 == len(steps) or steps[number + 1].at != step.at:
                await self.look()
                await self._all_are_led()

    async def _all_are_led(self) -> None:
        sql = """SELECT patient FROM course c WHERE closed IS NULL AND
                 (SELECT count(*) FROM lead l WHERE l.course = c.id AND l.ends IS NULL) <> 1"""
        async with self.context.database.reading() as connection:
            assert await connection.fetch(sql) == [], self.now

    # --- what happens

    async def _opened(self, client: str, tier: str, lead: str, since: str = "") -> None:
        episode = {"status": "active", "start": since or self.day, "primaryCaseManager": lead, "intensity": tier}
        name = {"family": client.title(), "given": [client.partition("-")[0].title()]}
        await self._client(client, {"name": name, "episode": episode})

    async def _client(self, client: str, said: dict[str, Any]) -> None:
        made = await self.file("clients", client, said)
        self.patients[client] = next(each for each in made["resources"] if each.startswith("Patient/"))

    async def _waitlisted(self, client: str) -> None:
        await self._client(client, {"name": {"family": client}, "episode": {"status": "waitlist", "start": self.day}})

    async def _finished(self, client: str, day: str = "") -> None:
        episode = self.filed["clients", client]["episode"]
        ended = {**episode, "status": "finished", "end": day or self.day}
        await self.revise("clients", client, episode=ended)

    async def _contact(self, client: str, mode: str, *more: str) -> None:
        await self._met(client, mode, "linkage")

    _contacts = _contact

    async def _crisis(self, client: str) -> None:
        await self._met(client, "phone", "crisis")

    async def _followed(self, client: str, about: str) -> None:
        await self._met(client, "phone", "monitoring", referrals=[f"{client}-{about}"], direct=False)

    async def _met(self, client: str, mode: str, activity: str, **more: Any) -> None:
        id_ = f"{client}-{activity}-{self.at:%m%d%H%y}"
        said = {"client": client, "mode": mode, "activities": [activity], "direct": True, "start": self.now}
        await self.file("encounters", id_, {**said, **more})

    async def _assessed(self, client: str) -> None:
        said = {"client": client, "instrument": "prapare", "taken": self.now}
        await self.file("assessments", f"{client}-{self.day}", said)

    async def _planned(self, client: str, signed: str = "", *review: str) -> None:
        plan: dict[str, Any] = {"client": client, "created": self.now, "period": {"start": self.day}}
        if review:
            plan["nextReview"] = review[-1]
        await self.file("care-plans", f"{client}-plan", plan)
        if signed == "signed":
            await self._signed(client)

    async def _signed(self, client: str) -> None:
        signatures = [{"id": role, "role": role, "name": role, "at": self.now} for role in ("client", "case-manager")]
        await self.revise("care-plans", f"{client}-plan", signatures=signatures)

    async def _reviewed(self, client: str) -> None:
        before = self.filed["care-plans", f"{client}-plan"]
        reviews = [*before.get("reviews", []), {"on": self.day, "found": "On the way."}]
        plan = {**before, "reviews": reviews}
        plan.pop("nextReview", None)
        await self.file("care-plans", f"{client}-plan", plan)

    async def _sampled(self, client: str, number: str) -> None:
        [task] = [t for t in await self.tasks(client) if timer_of(t) == "T5" and subject_of(t, client) == number]
        await self.ask(HARBOR, "PUT", f"/fhir/Task/{task['id']}", {**task, "status": "completed"})

    async def _referred(self, client: str, about: str, agency: str, start: str) -> None:
        said: dict[str, Any] = {
            "client": client, "service": SERVICES[about], "requested": self.now, "period": {"start": start},
        }  # fmt: skip
        if agency != "-":
            said["recipient"] = agency
        await self.file("referrals", f"{client}-{about}", said)

    async def _rescheduled(self, client: str, about: str, start: str) -> None:
        await self.revise("referrals", f"{client}-{about}", period={"start": start})

    async def _answered_by(self, client: str, agency: str, about: str, status: str) -> None:
        """The agency that was asked says how it goes, in the Task."""
        id_ = f"{client}-{about}"
        async with self.context.database.reading() as connection:
            task = await connection.fetchval("SELECT id FROM loop WHERE record = $1", id_)
        await self._patch(agency.title(), f"/fhir/Task/{task}", status)

    async def _patch(self, who: str, path: str, status: str) -> None:
        patch = [{"op": "replace", "path": "/status", "value": status}]
        await self.ask(who, "PATCH", path, patch, headers={"Content-Type": "application/json-patch+json"})

    async def _started(self, client: str, about: str) -> None:
        await self._outcome(client, about, status="in-progress", period={"start": self.day})

    async def _stopped(self, client: str, about: str) -> None:
        await self._ended_as(client, about, "stopped")

    async def _ended(self, client: str, about: str) -> None:
        await self._ended_as(client, about, "completed")

    async def _not_given(self, client: str, about: str) -> None:
        await self._outcome(client, about, status="not-done", reason="no-capacity", period={"end": self.day})

    async def _ended_as(self, client: str, about: str, status: str) -> None:
        before = self.filed["service-outcomes", f"{client}-{about}"]
        await self._outcome(client, about, status=status, period={**before["period"], "end": self.day})

    async def _outcome(self, client: str, about: str, **said: Any) -> None:
        more = {"client": client, "service": SERVICES[about], "referral": f"{client}-{about}"}
        await self.file("service-outcomes", f"{client}-{about}", {**more, **said})

    async def _asked(self, client: str, about: str) -> None:
        said = {"client": client, "referral": f"{client}-{about}", "asked": self.now, "appropriate": "agree"}
        await self.file("satisfactions", f"{client}-{about}-{self.day}", said)

    async def _complained(self, client: str, about: str) -> None:
        said = {"client": client, "received": self.now, "words": "It does not work."}
        await self.file("complaints", f"{client}-{about}", said)

    async def _replied(self, client: str, about: str) -> None:
        replies = [{"text": "Seen to.", "at": self.now}]
        await self.revise("complaints", f"{client}-{about}", status="answered", replies=replies)

    async def _gpra(self, client: str, type_: str, *said: str) -> None:
        held = interview(type_, self.day, **({"FLWPStatus": said[0]} if said else {}))
        id_ = f"{client}-{type_}"
        await self.file("gpra-interviews", id_, record(held, id_, client=client, gpraClient=client[:15]))

    async def _closing(self, client: str, leaves: str = "") -> None:
        said: dict[str, Any] = {"client": client, "status": "planned"}
        await self.file("closings", f"{client}-closing", said | ({"plannedFor": leaves} if leaves else {}))

    async def _aftercare(self, client: str) -> None:
        await self.file("care-plans", f"{client}-aftercare", {
            "client": client, "kind": "aftercare-plan", "created": self.now, "period": {"start": self.day}})  # fmt: skip

    async def _closed(self, client: str) -> None:
        await self.revise("closings", f"{client}-closing", status="closed", closed=self.day, reason="goals-met")
        await self._finished(client)

    async def _admitted(self, client: str) -> None:
        self.stays[client] = await self.ask(RIVERBEND, "POST", "/fhir/Encounter", {
            "resourceType": "Encounter", "status": "in-progress", "subject": {"reference": self.patients[client]},
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "type": [{"text": "Inpatient stay"}], "period": {"start": self.day},
        })  # fmt: skip

    async def _leaving(self, client: str, day: str) -> None:
        stay = self.stays[client]
        stay = {**stay, "period": {**stay["period"], "end": day}}
        self.stays[client] = await self.ask(RIVERBEND, "PUT", f"/fhir/Encounter/{stay['id']}", stay)

    # --- who leads

    async def _consented(self, client: str, agency: str) -> None:
        permission = {
            "recipients": [{"agency": agency}], "information": ["everything"], "purposes": ["coordination-of-care"],
        }  # fmt: skip
        await self.file("consents", f"{client}-{agency}", {
            "client": client, "permissions": [permission], "expires": "2028-03-05",
            "signature": {"by": "client", "name": client, "at": self.now},
            "statements": ["right-to-revoke", "redisclosure"], "explained": self.day})  # fmt: skip

    async def _lead(self, client: str, worker: str) -> None:
        """Harbor's record names somebody else."""
        episode = {**self.filed["clients", client]["episode"], "primaryCaseManager": worker}
        await self.revise("clients", client, episode=episode)
        who = await self.ask(HARBOR, "GET", f"/fhir/{self.patients[client]}/$primary-case-manager")
        asked = [each["valueReference"]["reference"] for each in who["parameter"] if each["name"] == "transfer"]
        if asked:
            self.transfers[client] = asked[0]

    async def _transfer(self, client: str, status: str, agency: str) -> None:
        await self._patch(agency.title(), f"/fhir/{self.transfers[client]}", status)

    async def _move(self, client: str, instead: str, worker: str) -> None:
        await self._say(client, caseManager=worker, instead=instead)

    async def _cover(self, client: str, worker: str, start: str, end: str) -> None:
        await self._say(client, caseManager=worker, **{"as": "cover", "start": start, "end": end})

    async def _say(self, client: str, **said: str) -> None:
        names = {name: reference for reference, name in self.workers.items()}
        rows = [{"name": name, "valueReference": {"reference": names[value]}} if name in ("caseManager", "instead")
                else {"name": name, "valueString": value} for name, value in said.items()]  # fmt: skip
        body = {"resourceType": "Parameters", "parameter": rows}
        await self.ask(HARBOR, "POST", f"/fhir/{self.patients[client]}/$primary-case-manager", body)

    # --- what came of it

    async def tasks(self, client: str = "") -> list[dict[str, Any]]:
        """Every Task of a timer, of one client or of all, as Harbor reads them."""
        query = "_count=500" + (f"&patient={self.patients[client]}" if client else "")
        return [task async for task in self._read(f"/fhir/Task?{query}")]

    async def owners(self) -> dict[str, list[str]]:
        """Task → who owed it, in turn: every version tells."""
        owners: dict[str, list[str]] = defaultdict(list)
        async for task in self._read("/fhir/Task/_history?_count=500"):
            name = self.name(task["owner"]["reference"])
            if owners[task["id"]][:1] != [name]:
                owners[task["id"]].insert(0, name)
        return owners

    async def _read(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """The Tasks of timers on this page and all that follow, newest versions first."""
        while path:
            bundle = await self.ask(HARBOR, "GET", path)
            for entry in bundle.get("entry", []):
                if timer_of(entry.get("resource", {})):
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
                rows.append((who, local_day(part["start"]["valueInstant"]), local_day(part["end"]["valueInstant"])))
        now = {each["name"]: each for each in said["parameter"]}
        if "since" in now:
            who = self.name(now["caseManager"]["valueReference"]["reference"])
            rows.append((who, local_day(now["since"]["valueInstant"]), ""))
        return rows

    def name(self, owner: str) -> str:
        """`PractitionerRole/…`, a record's id or an Organization, as the page calls it."""
        return self.workers.get(owner) or self.organizations.get(owner) or owner or "harbor"


def timer_of(task: dict[str, Any]) -> str:
    coding = task.get("reasonCode", {}).get("coding", [{}])[0]
    return str(coding.get("code", "")) if str(coding.get("system", "")).endswith("/timer") else ""


def subject_of(task: dict[str, Any], client: str) -> str:
    """What the Task is about, in the page's words: `room`, `2` (of a chain), `2026-06`, or nothing but the case."""
    said = task["identifier"][0]["value"].split("/", 3)[3]
    if said.startswith("Encounter/"):
        return "admitted" if timer_of(task) == "T7" else "leaving"
    name = said.rpartition("/")[2].removeprefix(client).removeprefix("-")
    if name.startswith("crisis-"):
        return "crisis"
    head, mark, number = name.partition("#")
    return f"{head} {number}" if mark and "/" in said else number or head


def local_day(when: str) -> str:
    return f"{datetime.fromisoformat(when).astimezone(ZONE):%Y-%m-%d}"


def last_day(when: str) -> str:
    """The last day before an instant that ends a day; else the instant itself."""
    end = datetime.fromisoformat(when).astimezone(ZONE)
    return f"{end - timedelta(days=1):%Y-%m-%d}" if end.time() == time() else f"{end:%Y-%m-%d %H:%M}"


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
