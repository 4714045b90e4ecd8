"""The database goes away under a running service, and comes back: nothing has to be started again by hand."""

import asyncio
import os
import signal
from pathlib import Path
from threading import Event, Thread

import pytest
from town import town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, NORTHSIDE
from service.kernel.clock import system_clock
from service.simulator.process import Plan
from service.store import embedded
from service.store.database import no_connection, open_database

CUT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()"""


async def test_the_worker_outlives_every_connection_it_had(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=0.1)) as here:
        await here.file_everybody()
        for _ in range(3):
            await here.sql(CUT)
            await asyncio.sleep(0.2)

        async with asyncio.timeout(10):
            while True:
                path = f"/casework/v1/referrals/{HOUSING}"
                answer = await here.casework.ask("PUT", path, people.housing(system_clock))
                if answer.ok:
                    break
                assert answer.status == 503, "away, and never anything worse"

        await here.until("referral-completed", referral=HOUSING)
        assert len(list(here.agencies[NORTHSIDE].store.all("Task"))) == 1


def test_our_own_postgresql_is_started_again_when_it_dies(tmp_path: Path):
    home = Path(os.path.realpath(tmp_path))
    url = embedded.start(home)
    done = Event()
    keeping = Thread(target=embedded.keep_running, args=(home, done), daemon=True)
    keeping.start()
    try:
        asyncio.run(answers(url))
        os.kill(int((home / "postgres/postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        asyncio.run(answers(url))
    finally:
        done.set()
        keeping.join()
        embedded.stop(home)


async def answers(url: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                opened = await open_database(url, 2)
                await opened.ping()
                await opened.close()
            except Exception:
                await asyncio.sleep(0.1)
            else:
                return


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("postgresql://nobody@127.0.0.1:1/x", "nothing listens"),
        ("postgresql://nobody:secret@no.such.host.invalid/x", "no host"),
        ("banana", "postgresql://"),
        ("mysql://x/y", "postgresql://"),
    ],
)
async def test_why_it_cannot_be_reached_is_said_without_the_password(url: str, word: str):
    with pytest.raises(type(no_connection(OSError())), match=word) as told:
        await open_database(url, 2)
    assert "secret" not in str(told.value)
