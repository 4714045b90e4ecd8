"""The events feed pushed to a receiver: signed, in order, again until taken, and from any point."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from parts import Service
from standardwebhooks import Webhook

from service.fhir.json import decode_object, encode
from service.flows import webhooks
from service.kernel.failures import Refused
from service.store.unit import Told
from service.store.webhooks import Webhook as Stored


class Receiver:
    """An HTTP server that answers what it is told to and remembers what it was sent."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:]
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines) if k}
                body = await reader.readexactly(int(headers["content-length"]))
                self.got.append((headers, body))
                status = self.answers.pop(0) if self.answers else 204
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def events(self) -> list[Any]:
        return [decode_object(body)["data"]["number"] for _, body in self.got]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    made = Receiver()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    made.url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    async with await asyncio.start_server(made.talk, sock=listener):
        yield made


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


async def happen(service: Service, source: str, *numbers: int) -> None:
    for number in numbers:
        async with service.wiring.context.database.unit() as unit:
            now = service.wiring.context.clock()
            unit.tell(
                Told(
                    source, "referral-accepted", now, encode({"kind": "referral-accepted", "number": number})
                )
            )


async def push_once(service: Service) -> list[int]:
    """One look of a worker at everything due."""
    context = service.wiring.context
    taken: list[Stored] = await webhooks.take_webhooks(context, 1, 10, [])
    return [await webhooks.push(context, service.wiring.outside, each) for each in taken]


async def time_passes(service: Service) -> None:
    async with service.wiring.context.database.unit() as unit:
        await unit.execute("UPDATE webhook SET due = due - interval '4 days'")


async def test_events_are_pushed_in_order_and_verify(service: Service, receiver: Receiver) -> None:
    harbor = await service.partner("Harbor", "casework")
    await happen(service, harbor["client_id"], 1)
    made = await webhooks.add(service.wiring.context, receiver.url, None, None, "now")
    await happen(service, harbor["client_id"], 2, 3, 4)
    assert await push_once(service) == [3]
    assert receiver.events() == [2, 3, 4]
    for headers, body in receiver.got:
        said = Webhook(made["secret"]).verify(body, headers)
        assert said["type"] == "referral-accepted"
        assert headers["webhook-id"] == f"evt_{said['data']['cursor']}"
    assert await push_once(service) == []


async def test_an_event_that_is_not_taken_holds_back_those_behind_it(
    service: Service, receiver: Receiver
) -> None:
    harbor = await service.partner("Harbor", "casework")
    await webhooks.add(service.wiring.context, receiver.url, None, "Harbor", None)
    await happen(service, harbor["client_id"], 1, 2, 3)
    receiver.answers = [204, 503, 500]
    assert await push_once(service) == [1]
    assert await push_once(service) == [], "it waits before it tries again"
    await time_passes(service)
    assert await push_once(service) == [0]
    [told] = await webhooks.listing(service.wiring.context)
    assert (told["state"], told["attempts"], told["why"]) == ("retrying", 2, "the receiver answered 500")
    await time_passes(service)
    assert await push_once(service) == [2]
    assert receiver.events() == [1, 2, 2, 2, 3]
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert ids[1] == ids[2] == ids[3], "the same event has the same id at every try"


async def test_a_receiver_that_is_gone_is_left_alone_until_it_is_started_again(
    service: Service, receiver: Receiver
) -> None:
    context = service.wiring.context
    harbor = await service.partner("Harbor", "casework")
    made = await webhooks.add(context, receiver.url, None, None, None)
    await happen(service, harbor["client_id"], 1, 2)
    receiver.answers = [410]
    await push_once(service)
    await time_passes(service)
    assert await push_once(service) == []
    [told] = await webhooks.listing(context)
    assert (told["state"], told["why"]) == ("stopped", "the receiver answered 410")
    await webhooks.replay(context, made["id"], None)
    assert await push_once(service) == [2]
    await webhooks.replay(context, made["id"], "0-0")
    assert await push_once(service) == [2]
    assert receiver.events() == [1, 1, 2, 1, 2]


async def test_two_receivers_do_not_wait_for_each_other(service: Service, receiver: Receiver) -> None:
    context = service.wiring.context
    harbor = await service.partner("Harbor", "casework")
    async with receiving() as other:
        await webhooks.add(context, receiver.url, None, None, None)
        await webhooks.add(context, other.url, None, None, None)
        receiver.answers = [500]
        await happen(service, harbor["client_id"], 1, 2)
        assert sorted(await push_once(service)) == [0, 2]
        assert other.events() == [1, 2]


async def test_a_new_secret_signs_beside_the_one_before(service: Service, receiver: Receiver) -> None:
    context = service.wiring.context
    harbor = await service.partner("Harbor", "casework")
    made = await webhooks.add(context, receiver.url, None, None, None)
    fresh = await webhooks.rotate(context, made["id"])
    await happen(service, harbor["client_id"], 1)
    await push_once(service)
    [(headers, body)] = receiver.got
    for secret in (made["secret"], fresh):
        assert Webhook(secret).verify(body, headers)


async def test_a_worker_pushes_what_happens(service: Service, receiver: Receiver) -> None:
    harbor = await service.partner("Harbor", "casework")
    await webhooks.add(service.wiring.context, receiver.url, None, None, None)
    worker = service.wiring.worker()
    ticking = asyncio.create_task(worker.run())
    try:
        await happen(service, harbor["client_id"], 1, 2)
        await eventually(lambda: receiver.events() == [1, 2])
    finally:
        worker.stop()
        await ticking


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while True:
            if true():
                return
            await asyncio.sleep(0.05)


async def test_bad_registrations_are_refused(service: Service) -> None:
    context = service.wiring.context
    with pytest.raises(Refused, match="no partner with role casework"):
        await webhooks.add(context, "https://a.example/h", None, None, None)
    await service.partner("Harbor", "casework")
    for url, secret, after in (
        ("ftp://a.example", None, None), ("https://a.example/h", "short", None), ("https://a.example/h", None, "x"),
    ):  # fmt: skip
        with pytest.raises(Refused):
            await webhooks.add(context, url, secret, None, after)
    with pytest.raises(Refused, match="no such webhook"):
        await webhooks.replay(context, "nothing", None)
