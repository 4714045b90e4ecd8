"""A commit leaves its changes behind once each, and only of types that somebody subscribes to."""

import httpx
from parts import Service

from service.store.unit import Put
from tests.flows.subscriptions.ears import Ear, ask, subscription


async def left_behind(service: Service, version: int, *types: str) -> list[tuple[str, str, int, bool]]:
    """The changes that a commit of these versions left, then taken away."""
    context = service.wiring.context
    async with context.database.unit() as unit:
        for place, type_ in enumerate(types):
            body = None if version == 3 else b"{}"
            unit.put(Put(type_, f"r{place}", version, context.clock(), "x", None, body))
    async with context.database.unit() as unit:
        found = await unit.fetch("DELETE FROM change RETURNING type, id, version, deleted")
    return sorted(tuple(each) for each in found)


async def test_each_version_is_left_once_whether_new_changed_or_deleted(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    assert await left_behind(service, 1, "Goal", "Goal") == []
    await ask(northside, subscription(ear.url))
    several = ("Task", "Encounter", "Task", "Task")
    for version in (1, 2, 3):
        found = await left_behind(service, version, *several)
        assert found == [("Task", f"r{place}", version, version == 3) for place in (0, 2, 3)]


async def test_a_subscription_that_is_off_costs_nothing(
    service: Service, northside: httpx.AsyncClient, ear: Ear
) -> None:
    await ask(northside, {**subscription(ear.url), "status": "off"})

    assert await left_behind(service, 1, "Task") == []
