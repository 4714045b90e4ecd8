"""Northside asks, in every way a client can, for what is not its own. A service that never heard of it answers the
same. `make probes` asks 3,000 questions; the suite asks fewer, with the same seed."""

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.stories.prober import Alike, Probe, Prober
from tests.stories.two_worlds import HARBOR, Worlds, two_worlds

SEED = int(os.environ.get("CASEBRIDGE_PROBES_SEED", "20261122"))
COUNT = int(os.environ.get("CASEBRIDGE_PROBES", "400"))


async def asked(client: httpx.AsyncClient, probe: Probe) -> httpx.Response:
    body = (
        {"content": probe.body}
        if isinstance(probe.body, str)
        else {"json": probe.body}
        if probe.body is not None
        else {}
    )
    return await client.request(probe.method, probe.path, headers=probe.headers, **body)


async def test_nothing_tells_that_others_hold_data(database_url: str, tmp_path: Path) -> None:
    async with two_worlds(database_url, tmp_path) as worlds:
        leaks, kinds = await probed(worlds, COUNT)
    assert len(kinds) > 30, kinds
    assert not leaks, "\n\n".join(leaks[:5]) + f"\n{len(leaks)} of {COUNT} differ"


async def test_nothing_tells_it_where_references_must_hold(database_url: str, tmp_path: Path) -> None:
    async with two_worlds(database_url, tmp_path, strict_references=True) as worlds:
        leaks, _ = await probed(worlds, COUNT // 4)
    assert not leaks, "\n\n".join(leaks[:5])


async def test_the_probes_would_find_a_service_that_tells(database_url: str, tmp_path: Path) -> None:
    """The control: were Northside shown what Harbor is shown, every way of asking that reads would find it."""
    async with two_worlds(database_url, tmp_path) as worlds, await worlds.full.client(HARBOR) as harbor:
        worlds.northside = (harbor, worlds.northside[1])
        leaks, kinds = await probed(worlds, 120)
    assert len(leaks) > 60, kinds


async def test_a_foreign_id_costs_as_many_statements_as_one_nobody_has(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = counted(monkeypatch)
    async with two_worlds(database_url, tmp_path) as worlds:
        client = worlds.northside[0]
        goal = next(each for each in worlds.foreign if each.startswith("Goal/"))
        for method, tail, body in [
            ("GET", "", None), ("GET", "/_history/1", None), ("GET", "/_history", None), ("DELETE", "", None),
            ("GET", "/$meta", None), ("PUT", "", {**worlds.bodies[goal]}),
            ("PATCH", "", [{"op": "remove", "path": "/note"}]),
        ]:  # fmt: skip
            spent = []
            for id_ in (goal.split("/")[1], "01a20000-0000-7000-8000-000000000000"):
                given = {**body, "id": id_} if isinstance(body, dict) else body
                kind = {"Content-Type": "application/json-patch+json"} if method == "PATCH" else {}
                statements.clear()
                answer = await asked(client, Probe("", method, f"/fhir/Goal/{id_}{tail}", given, kind))
                spent.append((answer.status_code, len(statements)))
            assert spent[0] == spent[1], (method, tail, spent)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that any connection runs from now on."""
    seen: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval", "execute"):
        plain = getattr(asyncpg.Connection, name)

        async def counting(self: Any, query: str, *values: Any, _plain: Any = plain, **more: Any) -> Any:
            seen.append(query)
            return await _plain(self, query, *values, **more)

        monkeypatch.setattr(asyncpg.Connection, name, counting)
    return seen


async def probed(worlds: Worlds, count: int) -> tuple[list[str], Counter[str]]:
    """What differed, told, and how many probes there were of each kind."""
    prober, leaks, kinds = Prober(worlds, SEED), list[str](), Counter[str]()
    known = {each.split("/")[1] for each in [*worlds.own, *worlds.foreign]}
    alike = [Alike(each.url, known) for each in (worlds.full, worlds.bare)]
    for _ in range(count):
        probe = prober.draw()
        kinds[probe.kind] += 1
        answers = await asyncio.gather(*(asked(client, probe) for client in worlds.northside))
        full, bare = (
            same(answer.status_code, answer.headers, answer.text)
            for same, answer in zip(alike, answers, strict=True)
        )
        if full != bare:
            leaks.append(f"{probe}\nFULL {full[:1500]}\nBARE {bare[:1500]}")
    return leaks, kinds
