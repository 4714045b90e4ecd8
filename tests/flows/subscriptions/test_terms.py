"""What was agreed with a partner holds for notifications, too: quiet hours, rate, how many at once, and its breaker."""

from datetime import timedelta

import httpx
from parts import Service

from service.fhir.json import decode
from service.flows.onboard_partner import agree
from service.flows.subscriptions.notify import notify, take_subscribers
from tests.flows.subscriptions.ears import (
    NORTHSIDE,
    Ear,
    Time,
    ask,
    due_task,
    subscription,
    work,
    work_all,
    write,
)

EASTGATE = "Eastgate Housing"


async def standing(northside: httpx.AsyncClient, service: Service, ear: Ear, **more: int) -> None:
    """A subscription that has had its handshake."""
    await ask(northside, subscription(ear.url, **more))
    await work_all(service)
    ear.got.clear()


async def test_in_quiet_hours_nothing_is_told_and_then_everything_in_order(
    service: Service, northside: httpx.AsyncClient, ear: Ear, time: Time
) -> None:
    await standing(northside, service, ear, heartbeat=600)
    begins, ends = time() - timedelta(minutes=5), time() + timedelta(hours=6)
    await agree(service.wiring.context, NORTHSIDE, [f"quiet={begins:%H:%M}-{ends:%H:%M} UTC"])
    for _ in range(3):
        await write(northside, due_task())
    time.ahead += timedelta(hours=1)
    assert await work(service) == []
    assert ear.got == [], "no event, and no heartbeat"
    time.ahead += timedelta(hours=6)
    assert await work_all(service) == ["told"]
    assert ear.numbers() == [1, 2, 3]


async def test_no_more_is_told_in_a_minute_than_was_agreed(
    service: Service, northside: httpx.AsyncClient, ear: Ear, time: Time
) -> None:
    for _ in range(3):
        await standing(northside, service, ear)
    await agree(service.wiring.context, NORTHSIDE, ["rate=2"])
    await write(northside, due_task())
    assert await work_all(service) == ["told", "told"]
    time.ahead += timedelta(seconds=61)
    assert await work_all(service) == ["told"]
    assert len(ear.got) == 3


async def test_no_more_is_under_way_at_once_than_was_agreed(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    for _ in range(3):
        await standing(northside, service, ear)
    await agree(service.wiring.context, NORTHSIDE, ["at_once=1"])
    await write(northside, due_task())
    context, outside = service.wiring.context, service.wiring.outside
    [first] = await take_subscribers(context, 1, 10, [])
    assert await take_subscribers(context, 2, 10, []) == []
    await notify(context, outside, first)
    assert len(await take_subscribers(context, 2, 10, [])) == 1


async def kinds(harbor: httpx.AsyncClient) -> list[str]:
    events = decode((await harbor.get("/casework/v1/events?limit=1000")).content)["events"]
    return [each["kind"] for each in events if each["kind"].startswith("partner-")]


async def test_a_partner_whose_server_is_away_is_left_in_peace_probed_and_told_when_it_is_back(
    service: Service, harbor: httpx.AsyncClient, ear: Ear, time: Time
) -> None:
    origin = ear.url.removesuffix("/hook")
    await service.partner(EASTGATE, "referral-recipient", fhir_base=f"{origin}/fhir")
    async with await service.client(EASTGATE) as eastgate:
        for _ in range(6):
            await standing(eastgate, service, ear)
        ear.away = True
        await write(eastgate, due_task())
        failed = [*(await work(service)), *(await work(service))]
        assert failed == ["later"] * len(failed)
        assert len(failed) >= 5
        assert await kinds(harbor) == ["partner-degraded"]

        await write(eastgate, due_task())
        time.ahead += timedelta(seconds=20)
        assert await work(service) == [], "its breaker is open"
        time.ahead += timedelta(seconds=20)
        assert await work(service) == ["later"], "one asks whether it is back"
        ear.away = False
        time.ahead += timedelta(minutes=2)
        assert await work(service) == ["told"]
        assert await kinds(harbor) == ["partner-degraded", "partner-recovered"]
        time.ahead += timedelta(seconds=11)
        await work_all(service)
        assert sorted(ear.numbers()) == [1] * 6 + [2] * 6


async def test_an_endpoint_elsewhere_says_nothing_of_the_partners_server(
    service: Service, ear: Ear, time: Time
) -> None:
    await service.partner(EASTGATE, "referral-recipient", fhir_base="https://fhir.eastgate.example/fhir")
    async with await service.client(EASTGATE) as eastgate:
        await standing(eastgate, service, ear)
        ear.away = True
        await write(eastgate, due_task())
        for _ in range(6):
            await work(service)
            time.ahead += timedelta(hours=3)
        async with service.wiring.context.database.reading() as connection:
            assert await connection.fetchval("SELECT count(*) FROM reach") == 0
        ear.away = False
        time.ahead += timedelta(hours=30)
        assert await work(service) == ["told"]
