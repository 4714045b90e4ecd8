"""Once the revocation of a consent is committed, nothing begun afterwards tells the agency anything about the client:
not the delivery that waits for its retry, not a change made later, not a subscription's notification, not a read.

Measured by order, not by a clock: what begins after the answer to the revocation, which is after its commit.
"""

import asyncio
from pathlib import Path
from typing import Any

import httpx
from test_revised import delivered
from town import Town, eventually, gives_leslie_away, heard, town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, NORTHSIDE
from service.fhir.json import decode_object
from service.kernel.clock import instant, system_clock
from service.simulator.process import Plan
from tests.flows.subscriptions.ears import Ear, ask, event_numbers, events, listening, subscription


async def revoke(here: Town) -> None:
    revoked = {"at": instant(system_clock()), "how": "written"}
    record = {**people.consent(system_clock), "status": "inactive", "revoked": revoked}
    await here.file("consents", "leslie-consent-2026", record)


class Looking:
    """Northside reads, again and again. `before` and `after`: what reads saw that were begun so."""

    def __init__(self, client: httpx.AsyncClient, paths: list[str]) -> None:
        self.client, self.paths = client, paths
        self.revoked = False
        self.before: list[bool] = []
        self.after: list[bool] = []

    async def look(self) -> None:
        while True:
            for path in self.paths:
                into = self.after if self.revoked else self.before
                answer = await self.client.get(f"/fhir/{path}")
                into.append(sees(answer))

    async def until(self, seen: list[bool], number: int) -> None:
        await eventually(lambda: len(seen) >= number)


def sees(answer: httpx.Response) -> bool:
    """Did this answer tell anything of a client?"""
    assert answer.status_code in (200, 404), answer.text
    entries = decode_object(answer.content).get("entry", [])
    client = [
        each for each in entries if each["resource"]["resourceType"] in ("Patient", "Task", "ServiceRequest")
    ]
    return bool(client) if "Bundle" in answer.text else answer.status_code == 200


async def test_what_begins_after_a_revocation_tells_nothing(database_url: str, tmp_path: Path) -> None:
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=60)) as here, listening() as ear:
        assert here.service is not None
        northside = here.agencies[NORTHSIDE]
        await delivered(here)
        async with await here.service.client(NORTHSIDE) as client:
            subscribed = await told_once(here, client, ear)
            task = await the_task(client)
            looking = Looking(client, [task["url"], f"{task['patient']}/$everything", "Task", "_history"])
            northside.manner.change("down")
            ear.answers = [503] * 1000
            await here.file("referrals", HOUSING, {**people.housing(system_clock), "urgency": "routine"})
            await eventually(lambda: here.sql("SELECT 1 FROM delivery WHERE state = 'failing'"))
            await eventually(lambda: here.sql("SELECT 1 FROM subscription WHERE attempts > 0"))
            reading = asyncio.create_task(looking.look())
            try:
                await looking.until(looking.before, 12)
                await revoke(here)
                looking.revoked = True
                marked, taken = len(northside.notebook.heard), len(ear.got)
                await looking.until(looking.after, 12)
            finally:
                reading.cancel()
            northside.manner.change("accept-complete")
            ear.answers = []
            await here.time_passes()
            await here.sql("UPDATE subscription SET due = now(), lease_until = NULL")

            told = await here.until("referral-withheld", referral=HOUSING)
            await here.file("referrals", HOUSING, {**people.housing(system_clock), "urgency": "urgent"})
            again = await here.until("referral-withheld", referral=HOUSING)
            await eventually(lambda: len(ear.got) > taken)

            assert any(looking.before), "reads saw the client while the consent stood"
            assert not any(looking.after), "and none begun after it was revoked"
            assert told["reason"]
            assert again["reason"]
            later = northside.notebook.heard[marked:]
            assert not gives_leslie_away("\n".join(each.target + each.body.decode() for each in later))
            assert gives_leslie_away(heard(northside)), "the search finds what left before"
            for bundle in ear.bundles[taken:]:
                assert len(bundle["entry"]) == 1, "number and time alone"
                assert all(set(each) == {"event-number", "timestamp"} for each in events(bundle))
            assert [number for each in ear.bundles[taken:] for number in event_numbers(each)]
            asked = decode_object((await client.get(f"/fhir/Subscription/{subscribed}/$events")).content)
            assert len(asked["entry"]) == 1, "nor when it is asked for"


async def told_once(here: Town, client: httpx.AsyncClient, ear: Ear) -> str:
    """Northside subscribes, and is told of one change in full."""
    made = await ask(client, subscription(ear.url, content="full-resource"))
    await eventually(lambda: ear.kinds() == ["handshake"])
    await here.file("referrals", HOUSING, {**people.housing(system_clock), "urgency": "asap"})
    await eventually(lambda: len(ear.got) > 1)
    [_, entry] = ear.bundles[-1]["entry"]
    assert entry["resource"]["resourceType"] == "Task"
    return str(made["id"])


async def the_task(client: httpx.AsyncClient) -> dict[str, Any]:
    found = decode_object((await client.get("/fhir/Task")).content)
    [entry] = found["entry"]
    resource = entry["resource"]
    return {"url": f"Task/{resource['id']}", "patient": resource["for"]["reference"]}
