"""Notifications from partners: each event number has its effect once, holes are noticed, and searches skip nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from parts import Service

from service.fhir.json import encode
from service.flows.subscriptions import poll as searching
from service.flows.subscriptions.hear import hear
from service.flows.subscriptions.listen import take_listeners
from service.flows.subscriptions.overview import overview
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.remote.partner import Peer
from service.store.vault import vault
from tests.fhir.subscriptions.test_notice import PACKAGE, example

LAKEVIEW = "Lakeview"


def notice(
    counter: int, *numbers: int, kind: str = "event-notification", status: str = "active"
) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {
            "name": "subscription",
            "valueReference": {"reference": "https://there.example/fhir/Subscription/s1"},
        },
        {"name": "status", "valueCode": status},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(counter)},
    ]
    for number in numbers:
        part = [
            {"name": "event-number", "valueString": str(number)},
            {"name": "focus", "valueReference": {"reference": f"Task/t{number}"}},
        ]
        rows.append({"name": "notification-event", "part": part})
    resource = {"resourceType": "Parameters", "parameter": rows}
    return {"resourceType": "Bundle", "type": "history", "entry": [{"resource": resource}]}


class Listener:
    """We listen to Lakeview, and are told things."""

    def __init__(self, service: Service, handle: str, secret: str) -> None:
        self.service, self.handle, self.secret = service, handle, secret

    async def told(self, bundle: dict[str, Any]) -> str:
        return await hear(self.service.wiring.context, self.handle, self.secret, bundle)

    async def state(self) -> dict[str, Any]:
        async with self.service.wiring.context.database.reading() as connection:
            return dict(await connection.fetchrow("SELECT * FROM listening"))


@pytest.fixture
async def listener(service: Service) -> Listener:
    await service.partner(
        LAKEVIEW, "referral-recipient", fhir_base="http://127.0.0.1:9/fhir", delivery="subscribe"
    )
    context = service.wiring.context
    [one] = await take_listeners(context, 5, [])
    return Listener(service, one.handle, vault(context.settings).decrypt(one.secret).decode())


async def test_a_handshake_makes_it_active(listener: Listener) -> None:
    assert await listener.told(notice(0, kind="handshake", status="requested")) == "known"

    assert (await listener.state())["state"] == "active"


async def test_the_next_number_is_new_and_the_same_again_is_known(listener: Listener) -> None:
    assert await listener.told(notice(1, 1)) == "new"
    assert await listener.told(notice(1, 1)) == "known"
    assert await listener.told(notice(3, 2, 3)) == "new"
    found = await listener.state()
    assert (found["heard"], found["missing"]) == (3, False)


async def test_a_hole_is_noticed_and_looked_for_at_once(listener: Listener) -> None:
    await listener.told(notice(1, 1))
    assert await listener.told(notice(3, 3)) == "gap"
    found = await listener.state()
    assert (found["heard"], found["missing"]) == (1, True)
    assert found["next_look"] <= listener.service.wiring.context.clock()
    assert await listener.told(notice(3, 2)) == "gap", "3 was told before 2, and is asked for to be sure"
    assert (await listener.state())["heard"] == 2


async def test_a_heartbeat_tells_of_events_that_never_came(listener: Listener) -> None:
    assert await listener.told(notice(2, kind="heartbeat")) == "gap"
    assert (await listener.state())["missing"] is True


ORDERS = [(2, 1, 3), (3, 2, 1), (1, 1, 3, 2), (1, 3, 3, 2), (3, 1, 2, 2)]


@pytest.mark.parametrize("order", ORDERS)
async def test_whatever_the_order_nothing_is_known_that_did_not_come(
    listener: Listener, order: tuple[int, ...]
) -> None:
    came: set[int] = set()
    for number in order:
        await listener.told(notice(max(came | {number}), number))
        came.add(number)
        found = await listener.state()
        assert set(range(1, found["heard"] + 1)) <= came
        assert found["missing"] or found["heard"] == max(came)


@pytest.mark.skipif(not PACKAGE.is_file(), reason="the guides' packages are not beside this checkout")
async def test_the_guides_own_notifications_are_heard(listener: Listener) -> None:
    assert await listener.told(example("handshake")) == "known"
    assert await listener.told(example("id-only")) == "gap", "event 2, and 1 never came"
    for name in ("empty", "full-resource", "multi-resource", "heartbeat", "error"):
        assert await listener.told(example(name)) == "gap"
    assert (await listener.state())["missing"] is True


async def test_a_wrong_secret_and_an_unknown_handle_are_answered_alike(listener: Listener) -> None:
    context = listener.service.wiring.context
    for handle, secret in (
        (listener.handle, "wrong"),
        ("wrong", listener.secret),
        ("x" * 5000, listener.secret),
    ):
        with pytest.raises(Refused) as refused:
            await hear(context, handle, secret, notice(1, 1))
        assert refused.value.reason == "absent"
    assert (await listener.state())["heard"] == 0


# searching by _lastUpdated


class Shelf:
    """A FHIR server with Tasks, whose pages are `size` long. After each answer, `meanwhile` may change things."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.at = datetime(2026, 11, 1, tzinfo=UTC)
        self.tasks: dict[str, datetime] = {}
        self.asked = 0
        self.url = ""
        self.changes: list[str] = []

    def change(self, name: str, later: timedelta = timedelta(milliseconds=1)) -> None:
        self.at += later
        self.tasks[name] = self.at

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            (
                int(line.split(":")[1])
                for line in head.split("\r\n")
                if line.lower().startswith("content-length")
            ),
            0,
        )
        body = (await reader.readexactly(length)).decode()
        target = head.split(" ")[1]
        status, answer = 200, self.answer(dict(parse_qsl(body or target.partition("?")[2])))
        if "well-known" in target or "metadata" in target:
            status, answer = 404, {}
        raw = encode(answer)
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n\r\n".encode() + raw
        )
        await writer.drain()
        writer.close()

    def answer(self, query: dict[str, str]) -> dict[str, Any]:
        if "_lastUpdated" not in query:
            return {}
        self.asked += 1
        since = datetime.fromisoformat(query["_lastUpdated"][2:])
        found = sorted((at, name) for name, at in self.tasks.items() if at >= since)
        start = int(query.get("start", "0"))
        page = found[start : start + self.size]
        rows = [
            {
                "resource": {
                    "resourceType": "Task",
                    "id": name,
                    "status": "x",
                    "meta": {"lastUpdated": instant(at)},
                }
            }
            for at, name in page
        ]
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "entry": rows}
        if len(found) > start + self.size:
            following = f"{self.url}/Task?_lastUpdated={query['_lastUpdated']}&start={start + self.size}"
            bundle["link"] = [{"relation": "next", "url": following.replace("+", "%2B")}]
        if self.changes:
            self.change(self.changes.pop(0))
        return bundle


@asynccontextmanager
async def shelf(size: int) -> AsyncIterator[Shelf]:
    made = Shelf(size)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    made.url = f"http://127.0.0.1:{listener.getsockname()[1]}/fhir"
    async with await asyncio.start_server(made.talk, sock=listener):
        yield made


async def searched(service: Service, there: Shelf, since: datetime) -> tuple[set[str], datetime | None, bool]:
    peer = Peer("Organization/x", there.url)
    return await searching._round(service.wiring.outside, peer, since)


async def test_a_task_that_changes_while_pages_are_turned_hides_no_other(service: Service) -> None:
    async with shelf(3) as there:
        began = there.at
        for number in range(10):
            there.change(f"t{number}")
        there.changes = ["t0", "t1", "t4"]  # each leaves its page, and the rest move up by one

        found, up_to, whole = await searched(service, there, began)

        assert found == {f"t{number}" for number in range(10)}
        assert whole
        assert up_to == max(there.tasks.values())


async def test_a_whole_page_of_one_instant_is_followed_by_the_servers_own_link(service: Service) -> None:
    async with shelf(3) as there:
        began = there.at
        for number in range(8):
            there.change(f"t{number}", timedelta(0))

        found, _, whole = await searched(service, there, began)

        assert found == {f"t{number}" for number in range(8)}
        assert whole


async def test_a_server_that_does_not_answer_is_not_taken_for_one_without_news(service: Service) -> None:
    async with shelf(3) as there:
        there.url = "http://127.0.0.1:9/fhir"

        _, _, whole = await searched(service, there, there.at)

        assert not whole


async def test_an_operator_sees_both_ways_and_no_secret(listener: Listener) -> None:
    await listener.told(notice(3, 3))

    [row] = await overview(listener.service.wiring.context, None)

    assert (row["way"], row["partner"], row["state"]) == ("to us", LAKEVIEW, "active, catching up")
    assert listener.secret not in str(row)
    assert await overview(listener.service.wiring.context, "nobody") == []
