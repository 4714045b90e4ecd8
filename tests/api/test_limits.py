"""Nobody asks so much, so slowly or so long that others wait: rates, seats, heads, bodies, connections."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts import Service, running

from service.api.edge import address_of
from service.api.limits import BURST, Buckets, Seats, network_of
from service.api.listening import MAX_HEAD
from service.kernel.failures import Refused


class Hands:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


# --- buckets ---


def test_a_bucket_gives_ten_seconds_worth_at_once_and_then_one_at_a_time() -> None:
    hands = Hands()
    buckets = Buckets(2.0, hands)
    assert [buckets.take("a") for _ in range(2 * BURST)] == [0] * 2 * BURST
    assert buckets.take("a") == 1
    hands.now += 0.5
    assert (buckets.take("a"), buckets.take("a")) == (0, 1)


def test_one_name_empties_nobody_elses_bucket() -> None:
    buckets = Buckets(1.0, Hands())
    while not buckets.take("loud"):
        pass
    assert buckets.take("quiet") == 0


def test_a_refusal_costs_nothing_and_says_when_it_will_be_better() -> None:
    hands = Hands()
    buckets = Buckets(0.1, hands)
    assert buckets.take("a") == 0
    assert [buckets.take("a") for _ in range(5)] == [10] * 5
    hands.now += 10
    assert buckets.take("a") == 0


def test_what_is_given_back_was_not_taken() -> None:
    buckets = Buckets(0.1, Hands())
    assert buckets.take("a") == 0
    buckets.give_back("a")
    assert (buckets.take("a"), buckets.take("a") > 0) == (0, True)


def test_a_rate_of_nought_is_no_limit() -> None:
    buckets = Buckets(0)
    assert all(buckets.take("a") == 0 for _ in range(1000))
    assert len(buckets) == 0


def test_buckets_do_not_grow_beyond_their_number() -> None:
    buckets = Buckets(1.0, Hands(), most=50)
    for number in range(10_000):
        buckets.take(str(number))
    assert len(buckets) == 50


@given(st.lists(st.floats(0, 5), max_size=200), st.sampled_from([0.5, 1.0, 3.0]))
def test_no_pattern_of_asking_gets_more_than_the_rate_and_one_burst(pauses: list[float], rate: float) -> None:
    hands = Hands()
    buckets, granted = Buckets(rate, hands), 0
    for pause in pauses:
        hands.now += pause
        granted += buckets.take("a") == 0
    assert granted <= rate * BURST + rate * hands.now + 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("198.51.100.7", "198.51.100.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("::ffff:198.51.100.7", "::ffff:198.51.100.8", False),
    ],
)
def test_an_ipv6_subscriber_is_one_address(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


# --- seats ---


async def test_seats_are_given_in_the_order_of_asking() -> None:
    seats, order = Seats(1), []
    await seats.take("a")

    async def wait(number: int) -> None:
        await seats.take("a")
        order.append(number)
        seats.leave("a")

    waiting = [asyncio.create_task(wait(number)) for number in range(5)]
    await asyncio.sleep(0)
    seats.leave("a")
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2, 3, 4]
    assert len(seats) == 0


async def test_a_full_room_of_one_caller_leaves_seats_to_others() -> None:
    seats = Seats(2, queue=0)
    await seats.take("loud")
    await seats.take("loud")
    with pytest.raises(Refused) as refused:
        await seats.take("loud")
    assert refused.value.reason == "throttled"
    await seats.take("quiet")


async def test_who_waited_too_long_is_refused_and_leaves_no_trace() -> None:
    seats = Seats(1, patience=0.01)
    await seats.take("a")
    with pytest.raises(Refused):
        await seats.take("a")
    seats.leave("a")
    await seats.take("a")
    seats.leave("a")
    assert (len(seats), seats._waiting) == (0, {})


async def test_who_goes_away_while_waiting_gives_the_turn_on() -> None:
    seats = Seats(1)
    await seats.take("a")
    gone = asyncio.create_task(seats.take("a"))
    stays = asyncio.create_task(seats.take("a"))
    await asyncio.sleep(0)
    seats.leave("a")  # the turn is `gone`'s, which is cancelled before it hears of it
    gone.cancel()
    await asyncio.wait_for(stays, 1)
    seats.leave("a")
    assert (len(seats), seats._waiting) == (0, {})


# --- the address, behind proxies or not ---


@pytest.mark.parametrize(
    ("peer", "told", "address"),
    [
        ("192.0.2.9", b"198.51.100.7", "192.0.2.9"),  # not our proxy: anybody can write that header
        ("10.0.0.1", b"198.51.100.7", "198.51.100.7"),
        (
            "10.0.0.1",
            b"198.51.100.7, 203.0.113.5",
            "203.0.113.5",
        ),  # what the client itself wrote stands first
        ("10.0.0.1", b"198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", b"nonsense", "10.0.0.1"),
        ("10.0.0.1", b"", "10.0.0.1"),
    ],
)
def test_x_forwarded_for_counts_from_our_proxies_only(peer: str, told: bytes, address: str) -> None:
    scope: dict[str, Any] = {"client": (peer, 1), "headers": [(b"x-forwarded-for", told)]}
    assert address_of(scope, [ip_network("10.0.0.0/24")]) == address


# --- the whole service ---


@asynccontextmanager
async def limited(url: str, home: Path, **settings: Any) -> AsyncIterator[Service]:
    async with running(url, home, **settings) as service:
        yield service


async def test_a_partner_over_its_rate_is_told_when_to_come_back(database_url: str, tmp_path: Path) -> None:
    async with limited(database_url, tmp_path, caller_rate=0.2) as service:
        await service.partner("Loud Clinic", "ehr")
        await service.partner("Quiet Clinic", "ehr")
        await service.partner("Home", "casework")
        async with await service.client("Loud Clinic") as loud, await service.client("Quiet Clinic") as quiet:
            answers = [await loud.get("/fhir/Task") for _ in range(3)]
            assert [each.status_code for each in answers] == [200, 200, 429]
            refused = answers[-1]
            assert 1 <= int(refused.headers["retry-after"]) <= 5
            assert refused.json()["resourceType"] == "OperationOutcome"
            assert refused.json()["issue"][0]["code"] == "throttled"
            assert (await quiet.get("/fhir/Task")).status_code == 200
        async with await service.client("Home") as home:
            assert {(await home.get("/fhir/Task")).status_code for _ in range(10)} == {200}


async def test_an_address_without_a_good_token_is_limited_and_one_with_is_not(
    database_url: str, tmp_path: Path
) -> None:
    async with limited(database_url, tmp_path, address_rate=0.5) as service:
        await service.partner("Clinic", "ehr")
        async with await service.client("Clinic") as client:
            assert {(await client.get("/fhir/Task")).status_code for _ in range(12)} == {200}
            bad = {"Authorization": "Bearer nonsense"}
            answers = [await client.get("/fhir/Task", headers=bad) for _ in range(6)]
        assert [each.status_code for each in answers] == [401] * 5 + [429]
        assert answers[-1].json()["issue"][0]["code"] == "throttled"
        assert (
            answers[-1].headers["x-request-id"] and answers[-1].headers["x-content-type-options"] == "nosniff"
        )


async def test_the_token_endpoint_is_stricter_and_answers_as_oauth(database_url: str, tmp_path: Path) -> None:
    async with limited(database_url, tmp_path, token_rate=0.2) as service, httpx.AsyncClient() as http:
        answers = [await http.post(f"{service.url}/auth/token", data={}) for _ in range(3)]
        assert [each.status_code for each in answers] == [400, 400, 429]
        assert answers[-1].json()["error"] == "temporarily_unavailable"
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert (await http.get(f"{service.base}/metadata")).status_code == 200


async def test_the_casework_door_is_throttled_with_problem_details(database_url: str, tmp_path: Path) -> None:
    async with limited(database_url, tmp_path, address_rate=0.1) as service, httpx.AsyncClient() as http:
        await http.get(f"{service.url}/casework/v1/events")
        answer = await http.get(f"{service.url}/casework/v1/events")
        assert answer.status_code == 429
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_partner_that_sends_slowly_keeps_nobody_else_waiting(
    database_url: str, tmp_path: Path
) -> None:
    async with limited(database_url, tmp_path, caller_seats=1, body_seconds=4) as service:
        await service.partner("Slow Clinic", "ehr")
        await service.partner("Other Clinic", "ehr")
        go_on = asyncio.Event()

        async def dribble() -> AsyncIterator[bytes]:
            yield b"{"
            await go_on.wait()

        async with await service.client("Slow Clinic") as slow, await service.client("Other Clinic") as other:
            sending = asyncio.create_task(slow.post("/fhir/Task", content=dribble()))
            await asyncio.sleep(0.1)
            behind = asyncio.create_task(slow.get("/fhir/Task"))
            assert (await other.get("/fhir/Task")).status_code == 200
            assert not behind.done()
            assert (await behind).status_code == 200  # its turn came when the slow body was given up
            go_on.set()
            answer = await sending
            assert answer.status_code == 408
            assert answer.json()["issue"][0]["code"] == "timeout"


async def _said(service: Service, *parts: bytes, pause: float = 0.0) -> bytes:
    host, port = service.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_headers_that_come_too_slowly_end_the_connection(database_url: str, tmp_path: Path) -> None:
    async with limited(database_url, tmp_path, head_seconds=1) as service:
        assert b" 408 " in await _said(service, b"GET /fhir/metadata HTTP/1.1\r\n", b"Host: x\r\n")
        assert b" 408 " in await _said(service)


async def test_a_second_request_may_not_be_slower_than_the_first(database_url: str, tmp_path: Path) -> None:
    async with limited(database_url, tmp_path, head_seconds=1) as service:
        said = await _said(
            service,
            b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /health/live HTTP/1.1\r\nHost",
            pause=0.1,
        )
        assert said.count(b" 200 ") == 1 and said.count(b" 408 ") == 1


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"x" * 4 * MAX_HEAD + b"\r\n\r\n",
        b"".join(b"X-%d: x\r\n" % number for number in range(20_000)),
        b"X-Long: " + b"x" * 40_000 + b"\r\nX-Longer: " + b"x" * 40_000 + b"\r\n\r\n",
    ],
)
async def test_headers_that_are_too_long_are_never_served(service: Service, head: bytes) -> None:
    said = await _said(service, b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n" + head)
    assert said[9:12] in (
        b"431",
        b"400",
        b"",
    )  # who writes on after the end of the connection may miss the answer


async def test_headers_that_are_too_long_are_said_so(service: Service) -> None:
    start = b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nX-Long: "
    said = await _said(service, start + b"x" * (MAX_HEAD - len(start) + 1))
    assert said.startswith(b"HTTP/1.1 431 ") and b"application/problem+json" in said


async def test_what_is_not_http_is_said_so(service: Service) -> None:
    said = await _said(service, b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 ") and b"application/problem+json" in said


async def test_one_address_has_so_many_connections_and_no_more(database_url: str, tmp_path: Path) -> None:
    async with limited(database_url, tmp_path, address_connections=3) as service:
        host, port = service.url.removeprefix("http://").split(":")
        held = [await asyncio.open_connection(host, int(port)) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert b" 503 " in await _said(service)
        held[0][1].close()
        await held[0][1].wait_closed()
        await asyncio.sleep(0.05)
        assert b" 200 " in await _said(service, b"GET /health/live HTTP/1.0\r\nHost: x\r\n\r\n")
        for _, writer in held[1:]:
            writer.close()


async def test_a_body_that_unfolds_into_more_than_the_limit_is_refused(
    database_url: str, tmp_path: Path
) -> None:
    async with limited(database_url, tmp_path, max_body_bytes=100_000) as service:
        await service.partner("Clinic", "ehr")
        async with await service.client("Clinic") as client:
            bomb = gzip.compress(b" " * 50_000_000)
            answer = await client.post("/fhir/Task", content=bomb, headers={"Content-Encoding": "gzip"})
            assert answer.status_code == 413, answer.text
            twice = gzip.compress(b'{"resourceType":') + gzip.compress(b'"Task"}')
            answer = await client.post("/fhir/Task", content=twice, headers={"Content-Encoding": "gzip"})
            assert answer.status_code == 400, answer.text
            assert "gzip" in answer.json()["issue"][0]["details"]["text"]
            nested = gzip.compress(gzip.compress(b"{}"))
            answer = await client.post("/fhir/Task", content=nested, headers={"Content-Encoding": "gzip"})
            assert answer.status_code == 400
            for coding in ("gzip, gzip", "br", "deflate", "zstd"):
                answer = await client.post("/fhir/Task", content=b"{}", headers={"Content-Encoding": coding})
                assert answer.status_code == 415
