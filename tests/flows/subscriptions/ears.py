"""An endpoint that is told things, a subscriber that asks, and Leslie's referral that things happen to."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
from parts import Service

from service.casework.records import kinds
from service.fhir.json import decode_object, encode
from service.flows.subscriptions.notify import notify, take_subscribers
from service.kernel.clock import system_clock

TASK = "https://casebridge.example/fhir/SubscriptionTopic/task"
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
FHIR_JSON = {"Content-Type": "application/fhir+json"}
HARBOR, NORTHSIDE = "Harbor Recovery Services", "Northside Housing Partnership"


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


class Ear:
    """An HTTP endpoint that answers as it is told to (200 otherwise), and remembers what it was sent.

    `away`: connections are cut before anything is read.
    """

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.url = ""
        self.away = False
        self.silent = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not self.away and (head := await reader.readuntil(b"\r\n\r\n")):
                lines = head.decode().split("\r\n")[1:]
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines) if k}
                body = await reader.readexactly(int(headers["content-length"]))
                if self.away:
                    return
                self.got.append((headers, body))
                if self.silent:
                    await asyncio.sleep(2)
                status = self.answers.pop(0) if self.answers else 200
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
                )
                await writer.drain()
                if status >= 300:
                    self.got.pop()
                return
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def bundles(self) -> list[dict[str, Any]]:
        """Everything that was taken, decoded."""
        return [decode_object(body) for _, body in self.got]

    def kinds(self) -> list[str]:
        return [value(each, "type") for each in self.bundles]

    def numbers(self) -> list[int]:
        """The event numbers, in the order they came."""
        return [int(number) for each in self.bundles for number in event_numbers(each)]


@asynccontextmanager
async def listening() -> AsyncIterator[Ear]:
    made = Ear()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    made.url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    async with await asyncio.start_server(made.talk, sock=listener):
        yield made


def rows(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters of a notification's status."""
    found: list[dict[str, Any]] = bundle["entry"][0]["resource"]["parameter"]
    return found


def value(bundle: dict[str, Any], name: str) -> Any:
    """What a parameter of the status says, None where it is missing."""
    found = [row for row in rows(bundle) if row["name"] == name]
    return next((v for k, v in found[0].items() if k.startswith("value")), None) if found else None


def events(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """The notification-events: part name → value."""
    return [
        {part["name"]: next(v for k, v in part.items() if k.startswith("value")) for part in row["part"]}
        for row in rows(bundle)
        if row["name"] == "notification-event"
    ]


def event_numbers(bundle: dict[str, Any]) -> list[str]:
    return [each["event-number"] for each in events(bundle)]


def extension(name: str, kind: str, what: Any) -> dict[str, Any]:
    return {"url": BACKPORT + name, f"value{kind}": what}


def subscription(
    url: str, *filters: str, content: str = "id-only", topic: str = TASK, **more: Any
) -> dict[str, Any]:
    """A Subscription by rest-hook. `more`: max_count, heartbeat, timeout, header, mime, and elements of the resource."""
    periods = [
        extension(name, kind, more.pop(key))
        for key, name, kind in (
            ("heartbeat", "heartbeat-period", "UnsignedInt"), ("timeout", "timeout", "UnsignedInt"),
            ("max_count", "max-count", "PositiveInt"),
        )
        if key in more
    ]  # fmt: skip
    channel: dict[str, Any] = {
        "type": "rest-hook", "endpoint": url, "payload": more.pop("mime", "application/fhir+json"),
        "_payload": {"extension": [extension("payload-content", "Code", content)]},
    }  # fmt: skip
    if periods:
        channel["extension"] = periods
    if "header" in more:
        channel["header"] = more.pop("header")
    whole: dict[str, Any] = {
        "resourceType": "Subscription",
        "meta": {"profile": [BACKPORT + "subscription"]},
        "status": "requested",
        "reason": "to be told",
        "criteria": topic,
        "channel": channel,
    }
    if filters:
        whole["_criteria"] = {"extension": [extension("filter-criteria", "String", each) for each in filters]}
    return whole | more


async def ask(client: httpx.AsyncClient, wanted: dict[str, Any]) -> dict[str, Any]:
    """Create it; must be taken."""
    answer = await client.post("/fhir/Subscription", content=encode(wanted), headers=FHIR_JSON)
    assert answer.status_code == 201, answer.text
    return decode_object(answer.content)


async def work(service: Service) -> list[str]:
    """One look of a worker at everything that is to be told; what came of each."""
    context = service.wiring.context
    taken = await take_subscribers(context, 1, 10, [])
    return [await notify(context, service.wiring.outside, each) for each in taken]


async def work_all(service: Service) -> list[str]:
    """Look until there is nothing more to be told."""
    found: list[str] = []
    while came := await work(service):
        found += came
    return found


async def get(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await client.get(f"/fhir/{path}")
    assert answer.status_code == 200, answer.text
    return decode_object(answer.content)


async def write(client: httpx.AsyncClient, resource: dict[str, Any]) -> dict[str, Any]:
    """Create, or update where it has an id."""
    if "id" in resource:
        where = f"/fhir/{resource['resourceType']}/{resource['id']}"
        answer = await client.put(where, content=encode(resource), headers=FHIR_JSON)
    else:
        answer = await client.post(
            f"/fhir/{resource['resourceType']}", content=encode(resource), headers=FHIR_JSON
        )
    assert answer.status_code in (200, 201), answer.text
    return decode_object(answer.content)


def due_task(text: str = "call the landlord", **more: Any) -> dict[str, Any]:
    """A Task of a partner's own, which opens no referral."""
    return {
        "resourceType": "Task", "status": "requested", "intent": "plan", "description": text, **more,
    }  # fmt: skip


def record(kind: str, **changes: Any) -> dict[str, Any]:
    return {**kinds[kind].example, **changes}


async def file(harbor: httpx.AsyncClient, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    where = f"/casework/v1/{kind}/{body['id']}"
    answer = await harbor.put(where, content=encode(body), headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 201), answer.text
    return decode_object(answer.content)


async def referred(harbor: httpx.AsyncClient, **consent: Any) -> str:
    """Leslie is referred to Northside, with her consent; the Task's reference."""
    await file(harbor, "agencies", {"id": "harbor", "name": HARBOR})
    await file(harbor, "agencies", record("agencies"))
    await file(harbor, "clients", record("clients"))
    await file(harbor, "consents", record("consents", expires="2099-12-31", **consent))
    filed = await file(harbor, "referrals", record("referrals"))
    return next(each for each in filed["resources"] if each.startswith("Task/"))
