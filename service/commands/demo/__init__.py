"""`casebridge demo`: the main job on real parts, for a newcomer to watch.

The real service with its own PostgreSQL, three partner agencies as processes, real tokens, one referral out
and back, one in and back, and one that the client's consent holds back.
"""

import asyncio
import contextlib
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from service.commands.demo import acts, closing
from service.commands.demo.stage import set_up
from service.commands.demo.telling import Teller, WentWrong
from service.kernel.failures import Failure
from service.simulator.casebridge import NoToken
from service.simulator.children import NotReady
from service.store import embedded

LIMIT = 240
"""Seconds for everything up to the table."""


def demo(
    once: Annotated[bool, typer.Option(help="leave after the table; 0 only if both loops closed")] = False,
    port: Annotated[int, typer.Option(help="where the service listens; 0 picks a free port")] = 0,
    data_dir: Annotated[
        Path | None, typer.Option(help="keep everything here (a new or empty folder)")
    ] = None,
) -> None:
    """Two referral loops against simulated partner agencies, told as they happen."""
    console = Console(highlight=False)
    try:
        with _folder(data_dir) as folder:
            code = asyncio.run(_whole(console, folder, port, once=once))
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("\nstopped; every process is gone")
        raise typer.Exit(130) from None
    raise typer.Exit(code)


@contextlib.contextmanager
def _folder(given: Path | None):  # type: ignore[no-untyped-def]
    """The data directory: the given one, which must be empty, or one that is gone afterwards."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        if any(given.iterdir()):
            raise typer.BadParameter(f"{given} is not empty; the demo wants a folder of its own")
        yield given.resolve()
        return
    made = Path(tempfile.mkdtemp(prefix="casebridge-demo-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


async def _whole(console: Console, folder: Path, port: int, *, once: bool) -> int:
    """The exit code. A failure is one sentence; the processes are gone whatever happens."""
    me = asyncio.current_task()
    assert me is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    teller = Teller(console)
    try:
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(embedded.stop, folder)
            async with asyncio.timeout(LIMIT):
                stage = await set_up(stack, folder, port, teller)
                results = await acts.play(stage, teller)
            closing.table(console, results)
            if not once:
                await closing.stay(console, stage)
    except TimeoutError:
        teller.failed(f"the demo did not come to its end within {LIMIT} seconds")
    except (WentWrong, NotReady, NoToken, Failure, httpx.HTTPError) as error:
        teller.failed(str(error) or type(error).__name__)
        closing.logs(console, folder)
    return 0 if teller.good else 1
