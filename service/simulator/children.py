"""Processes started for a while: each says `ready URL`, and none outlives whoever started it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_SOURCES = str(Path(__file__).resolve().parents[2])
PATIENCE = 15.0
"""Seconds between asking a child to end and ending it."""


class NotReady(Exception):
    """A child ended, or kept silent for too long, before it was ready; the text says what it last wrote."""


@dataclass
class Child:
    """A running process that is ready at `url`; what it writes is in `log`."""

    name: str
    url: str
    process: asyncio.subprocess.Process
    log: Path

    def kill(self) -> None:
        """End it at once: kill -9. What it started lives on until `stop`."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def stop(self, patience: float = PATIENCE) -> None:
        """Ask it to end, wait, and insist; whatever it started ends too."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), patience)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()


@contextlib.asynccontextmanager
async def child(
    name: str, arguments: Sequence[str], log: Path, env: Mapping[str, str], seconds: float = 120
) -> AsyncIterator[Child]:
    """`python -m <arguments>` until the end of the block; NotReady if it is not ready within `seconds`.

    `env` is its whole environment; its working folder is the log's, so that no `.env` of ours is read. A pipe
    that only we hold open tells it when we are gone, by whatever death.
    """
    reading, writing = os.pipe()
    whole = {**env, "CASEBRIDGE_PARENT_PIPE": str(reading), "PYTHONPATH": _SOURCES}
    with log.open("ab") as file, os.fdopen(writing, "wb"):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *arguments, env=whole, pass_fds=(reading,), start_new_session=True,
            cwd=log.parent, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=file,
        )  # fmt: skip
        os.close(reading)
        made = Child(name, "", process, log)
        try:
            made.url = await _ready(made, file, seconds)
            copying = asyncio.create_task(_copy(process, file))
            try:
                yield made
            finally:
                copying.cancel()
        finally:
            await made.stop()


async def _ready(made: Child, file: IO[bytes], seconds: float) -> str:
    assert made.process.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            async for line in made.process.stdout:
                _write(file, line)
                if line.startswith(b"ready "):
                    return line.decode().split()[1]
    except TimeoutError:
        raise NotReady(f"{made.name} was not ready within {seconds:.0f} seconds; see {made.log}") from None
    await made.process.wait()
    said = made.log.read_text(errors="replace").strip().splitlines()
    raise NotReady(f"{made.name} does not start: {said[-1] if said else 'it said nothing'}")


async def _copy(process: asyncio.subprocess.Process, file: IO[bytes]) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        _write(file, line)


def _write(file: IO[bytes], line: bytes) -> None:
    file.write(line)
    file.flush()
