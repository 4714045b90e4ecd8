"""The fault story: referrals to five agencies, of which one is away for two days, one flaky and one slow, while workers
are killed with -9 at random. `make faults` tells it with 500 referrals and 20 kills; the test tells a short form.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = str(Path(__file__).resolve().parents[2])
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), ROOT]

from parts import SECRET, prepare  # noqa: E402
from town import Town, town  # noqa: E402

from service.commands.demo import people  # noqa: E402
from service.kernel.clock import system_clock  # noqa: E402
from service.simulator.behaviour import Behaviour  # noqa: E402
from service.simulator.process import Plan  # noqa: E402

AGENCIES: dict[str, tuple[str, Behaviour]] = {
    "northside": ("Northside Housing Partnership", "accept-complete"),
    "lakeview": ("Lakeview Employment Center", "accept-complete"),
    "eastgate": ("Eastgate House", "down"),
    "riverside": ("Riverside Rooms", "flaky"),
    "hillcrest": ("Hillcrest Homes", "slow"),
}
HEALTHY = ("northside", "lakeview")
STEPS = ["referral-delivered", "referral-accepted", "referral-in-progress", "referral-completed"]
TWO_DAYS = timedelta(days=2)


@dataclass(frozen=True)
class Told:
    """How it ended. `wrong`: one line for each referral that is not exactly as it should be."""

    referrals: int
    kills: int
    attempts: int
    wrong: list[str]
    median: float
    """Seconds from filing to delivery at the healthy agencies."""


async def story(
    database_url: str, folder: Path, referrals: int, kills: int, *, troubled: bool = True
) -> Told:
    """Tell it once. Not `troubled`: all agencies are well and nobody is killed, to compare with."""
    plans = [
        Plan(name, behaviour if troubled else "accept-complete", pace=0.05, seed=number)
        for number, (name, behaviour) in enumerate(AGENCIES.values())
    ]
    dice = random.Random(7)
    async with town(database_url, folder, *plans, worker=False) as here:
        for agency in here.agencies.values():
            agency.manner.silence = 1.0
        await _prepared(here)
        asked = {f"referral-{number}": list(AGENCIES)[number % len(AGENCIES)] for number in range(referrals)}
        async with asyncio.TaskGroup() as group:
            killing = group.create_task(_workers(here, folder, kills if troubled else 0, dice))
            for id_, agency in asked.items():
                record = {**people.housing(system_clock), "id": id_, "recipient": agency}
                del record["recipientService"]
                await here.file("referrals", id_, record)
            if troubled:
                await _away_for_two_days(here)
            await _all_completed(here, asked)
            killing.cancel()
        return await _told(here, asked, kills)


async def _prepared(here: Town) -> None:
    for kind, id_, record in people.records(system_clock):
        if kind == "agencies" and id_ in AGENCIES:
            continue
        await here.file(kind, id_, record)
    for id_, (name, _) in AGENCIES.items():
        await here.file("agencies", id_, {"name": name, "kind": "housing"})
    consent = people.consent(system_clock)
    [permission] = consent["permissions"]
    named = {**permission, "recipients": [{"agency": each} for each in AGENCIES]}
    await here.file("consents", consent["id"], {**consent, "permissions": [named]})


async def _workers(here: Town, folder: Path, kills: int, dice: random.Random) -> None:
    """Two workers; one after the other is killed with -9, and another takes its place."""
    async with asyncio.TaskGroup() as group:
        for number in range(2):
            share = kills // 2 + (kills % 2 if number else 0)
            group.create_task(
                _mortal(here, folder / f"worker-{number}.log", share, random.Random(dice.random()))
            )


async def _mortal(here: Town, log: Path, kills: int, dice: random.Random) -> None:
    for life in range(kills + 1):
        async with _worker(here, log) as process:
            if life == kills:
                await process.wait()
            await asyncio.sleep(1.5 + 3 * dice.random())
            process.kill()
            await process.wait()


@asynccontextmanager
async def _worker(here: Town, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    given = {
        "CASEBRIDGE_DATABASE_URL": here.database_url, "CASEBRIDGE_SECRET_KEY": SECRET,
        "CASEBRIDGE_OUTBOUND_ALLOW": "127.0.0.0/8", "CASEBRIDGE_PUBLIC_URL": here.url,
        "CASEBRIDGE_POLL_SECONDS": "1", "CASEBRIDGE_WORKER_IDLE_SECONDS": "0.2",
        "CASEBRIDGE_DELIVERY_TIMEOUT_SECONDS": "8", "CASEBRIDGE_DATA_DIR": str(log.parent),
    }  # fmt: skip
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service", "worker", cwd=log.parent, stdout=file, stderr=file,
            env={**os.environ, **given, "PYTHONPATH": ROOT},
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _pass(here: Town, time: timedelta) -> None:
    """Time passes for everything that waits: as if all clocks were put forward."""
    await here.sql(
        "UPDATE delivery SET due = due - $1::interval WHERE settled IS NULL AND lease IS NULL", time
    )
    await here.sql("UPDATE reach SET until = until - $1::interval", time)


async def _away_for_two_days(here: Town) -> None:
    """Eastgate is away for two days and comes back; the others go on."""
    for _ in range(16):
        await asyncio.sleep(0.5)
        await _pass(here, TWO_DAYS / 16)
    here.agencies[AGENCIES["eastgate"][0]].manner.change("accept-complete")


async def _all_completed(here: Town, asked: dict[str, str]) -> None:
    done: set[str] = set()
    async with asyncio.timeout(60 + 2 * len(asked)):
        while done != asked.keys():
            await asyncio.sleep(0.5)
            await _pass(here, timedelta(minutes=1))
            before = len(here.events)
            await here.hear()
            done |= {each["referral"] for each in here.events[before:] if each["kind"] == STEPS[-1]}


async def _told(here: Town, asked: dict[str, str], kills: int) -> Told:
    steps: dict[str, list[str]] = {id_: [] for id_ in asked}
    for event in here.events:
        if event.get("referral") in steps:
            steps[event["referral"]].append(event["kind"])
    wrong = [f"{id_}: told as {found}" for id_, found in steps.items() if found != STEPS]
    owed = Counter(asked.values())
    for id_, (name, _) in AGENCIES.items():
        store = here.agencies[name].store
        held = {type_: len(list(store.all(type_))) for type_ in ("Patient", "ServiceRequest", "Task")}
        if held != {"Patient": 1, "ServiceRequest": owed[id_], "Task": owed[id_]}:
            wrong.append(f"{name}: holds {held} for {owed[id_]} referrals")
        made = [store.history("Task", each.id) for each in store.all("Task")]
        wrong += [f"{name}: {len(each)} versions of a Task" for each in made if len(each) != len(STEPS)]
    rows = await here.sql("SELECT sum(attempts) AS tries FROM delivery")
    return Told(len(asked), kills, int(rows[0]["tries"]), wrong, await _median(here))


async def _median(here: Town) -> float:
    """From the outbox: when a delivery was put out, and when it was taken."""
    names = [AGENCIES[each][0] for each in HEALTHY]
    rows: list[Any] = await here.sql(
        """SELECT extract(epoch FROM d.settled - d.created)::float AS took FROM delivery d
           JOIN partner p ON p.client_id = d.partner WHERE p.name = ANY($1) AND d.kind = 'referral'""",
        names,
    )
    return statistics.median(row["took"] for row in rows)


async def main(referrals: int, kills: int) -> int:
    """Tell it with and without trouble; 1 when anything is wrong."""
    from service.store import embedded

    failed = False
    for troubled in (False, True):
        home = Path(tempfile.mkdtemp(prefix="casebridge-faults-"))
        url = embedded.start(home, "faults")
        await prepare(url, home)
        told = await story(url, home, referrals, kills, troubled=troubled)
        name = "in trouble" if troubled else "all is well"
        print(f"{name}: {told.referrals} referrals, {told.attempts} attempts, "
              f"healthy agencies' median {told.median:.2f} s, {len(told.wrong)} wrong", flush=True)  # fmt: skip
        print(*told.wrong, sep="\n")
        failed = failed or bool(told.wrong)
    return int(failed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--referrals", type=int, default=500)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.referrals, given.kills)))
