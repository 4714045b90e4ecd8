"""Processes that end with whoever started them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from service.simulator.children import NotReady, child

ENVIRONMENT = dict(os.environ)
ROOT = str(Path(__file__).parents[2])


async def test_a_child_is_ready_and_is_gone_afterwards(tmp_path: Path):
    async with child("Northside", ("service.simulator", "Northside"), tmp_path / "log", ENVIRONMENT) as found:
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{found.url}/fhir/metadata")).status_code == 200
        pid = found.process.pid
    assert not psutil.pid_exists(pid)


async def test_a_child_that_does_not_start_says_why(tmp_path: Path):
    with pytest.raises(NotReady, match="nothing_of_this_name"):
        async with child("Nobody", ("service.nothing_of_this_name",), tmp_path / "log", ENVIRONMENT):
            pass


PARENT = """
import asyncio, os
from pathlib import Path
from service.simulator.children import child
async def main():
    async with child("N", ("service.simulator", "N"), Path({log!r}), dict(os.environ)) as found:
        print(found.process.pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path):
    source = PARENT.format(log=str(tmp_path / "log"))
    parent = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, cwd=ROOT)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        psutil.wait_procs([psutil.Process(pid)], timeout=10)
        alive = psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    assert not alive
