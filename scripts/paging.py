"""A search paged to its end while others write: nothing that matched throughout is missing, nothing comes twice.

Loads Tasks over HTTP, then follows the next links of several searches. While each page is fetched, other requests
change what is being searched: some Tasks stop matching, some are deleted, some change and match on, new ones appear.
`scripts/paging.py` loads 100,000 and changes 1,000 for each search; `prove` is what the tests call.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

SEARCHES = ("", "_sort=-authored-on", "_sort=code,-_id", "_sort=-priority,code", "_sort=_lastUpdated")
"""Orders; each is followed once. What is changed keeps its place in all of them but the last."""

START = datetime(2026, 1, 1, tzinfo=UTC)
PRIORITIES = ("routine", "urgent", "asap", "stat")


@dataclass
class Walk:
    """What following one search to its end showed."""

    search: str
    pages: int
    shown: int
    changed: int
    seconds: float
    faults: list[str]


def task(number: int, status: str = "requested", note: str = "") -> dict[str, Any]:
    """The Task of a number: codes and priorities repeat, so that orders have many equals."""
    made: dict[str, Any] = {
        "resourceType": "Task", "id": f"page-{number}", "status": status, "intent": "order",
        "priority": PRIORITIES[number % 4],
        "code": {"coding": [{"system": "urn:paging", "code": f"c{number % 97:02}"}]},
        "for": {"identifier": {"system": "urn:paging", "value": f"p{number % 5000}"}},
        "authoredOn": (START + timedelta(minutes=number % 20011)).isoformat(),
    }  # fmt: skip
    return {**made, "description": note} if note else made


async def load(client: httpx.AsyncClient, count: int, batch: int = 500) -> None:
    """Create them in transactions."""
    for start in range(0, count, batch):
        numbers = range(start, min(start + batch, count))
        entries = [
            {"resource": task(n), "request": {"method": "PUT", "url": f"Task/page-{n}"}} for n in numbers
        ]
        answer = await client.post(
            "/fhir", json={"resourceType": "Bundle", "type": "transaction", "entry": entries}
        )
        answer.raise_for_status()


async def prove(
    client: httpx.AsyncClient, count: int, changes: int, page: int, seed: int = 1,
    searches: Sequence[str] = SEARCHES,
) -> list[Walk]:  # fmt: skip
    """Load `count` Tasks, follow each search by pages of `page` while `changes` of them change."""
    rnd = random.Random(seed)
    await load(client, count)
    matching, fresh = set(range(count)), iter(range(count, 10 * count))
    return [await _walk(client, search, matching, fresh, changes, page, rnd) for search in searches]


async def _walk(
    client: httpx.AsyncClient, search: str, matching: set[int], fresh: Iterator[int], changes: int, page: int,
    rnd: random.Random,
) -> Walk:  # fmt: skip
    """Follow one search. `matching` is kept true for the next one."""
    began, before = time.monotonic(), set(matching)
    expected_pages = -(-len(matching) // page)
    victims = rnd.sample(sorted(matching), changes)
    each_time = -(-changes // max(1, expected_pages - 1))
    shown: Counter[int] = Counter()
    moved, pages = set[int](), 0
    url = f"/fhir/Task?status=requested&_count={page}&{search}"
    while url:
        now, victims = victims[:each_time], victims[each_time:]
        answer, *done = await asyncio.gather(
            client.get(url),
            *(_change(client, n, how, matching) for how, n in enumerate(now)),
            _add(client, fresh, matching),
        )
        answer.raise_for_status()
        bundle = answer.json()
        shown.update(int(entry["resource"]["id"].removeprefix("page-")) for entry in bundle.get("entry", ()))
        moved |= {n for n in done if n is not None}
        pages += 1
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
    exempt = moved if "_lastUpdated" in search else set[int]()
    missing = [n for n in before & matching if n not in shown and n not in exempt]
    twice = [n for n, times in shown.items() if times > 1 and n not in exempt]
    faults = [f"{search or 'by id'}: page-{n} was missing" for n in missing]
    faults += [f"{search or 'by id'}: page-{n} came twice" for n in twice]
    return Walk(
        search or "by id", pages, len(shown), changes - len(victims), time.monotonic() - began, faults
    )


async def _change(client: httpx.AsyncClient, number: int, how: int, matching: set[int]) -> int | None:
    """One Task stops matching, is deleted, or (the number comes back) changes and matches on."""
    where = f"/fhir/Task/page-{number}"
    if how % 3 == 0:
        matching.discard(number)
        answer = await client.put(where, json=task(number, "completed"))
    elif how % 3 == 1:
        matching.discard(number)
        answer = await client.delete(where)
    else:
        answer = await client.put(where, json=task(number, note=f"changed {random.random()}"))
    answer.raise_for_status()
    return number if how % 3 == 2 else None


async def _add(client: httpx.AsyncClient, fresh: Iterator[int], matching: set[int]) -> None:
    """A Task more, somewhere in the order."""
    number = next(fresh)
    (await client.put(f"/fhir/Task/page-{number}", json=task(number))).raise_for_status()
    matching.add(number)


class _Renewed(httpx.Auth):
    """A token lives for five minutes, loading takes longer."""

    def __init__(self, service: Any) -> None:
        self._service, self._token, self._since = service, "", 0.0

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """With a token that is at most three minutes old."""
        from service.flows import onboard_partner

        if time.monotonic() - self._since > 180 or not self._token:
            self._since = time.monotonic()
            self._token = await onboard_partner.mint_token(self._service.wiring.context, "Paging")
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


async def main(count: int, changes: int, page: int, seed: int) -> int:
    """A service of its own."""
    from parts import prepare, running

    from service.store import embedded

    home = Path(tempfile.mkdtemp(prefix="casebridge-paging-"))
    url = embedded.start(home, "paging")
    await prepare(url, home)
    async with running(url, home, caller_rate=0) as service:
        await service.partner("Paging", "casework")
        async with await service.client("Paging") as client:
            client.timeout, client.auth = httpx.Timeout(300), _Renewed(service)
            walks = await prove(client, count, changes, page, seed)
    for walk in walks:
        print(f"{walk.search}: {walk.shown} shown on {walk.pages} pages, {walk.changed} changed, {walk.seconds:.0f} s, "
              f"{len(walk.faults)} faults")  # fmt: skip
        print("\n".join(walk.faults[:20]), end="\n" if walk.faults else "")
    return 1 if any(walk.faults for walk in walks) else 0


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--resources", type=int, default=100_000)
    reader.add_argument("--changes", type=int, default=1_000)
    reader.add_argument("--page", type=int, default=500)
    reader.add_argument("--seed", type=int, default=1)
    given = reader.parse_args()
    sys.exit(asyncio.run(main(given.resources, given.changes, given.page, given.seed)))
