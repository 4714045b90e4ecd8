"""The agency as a process: listens on loopback, says `ready URL`, runs until it is told to stop."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from service.kernel.clock import Clock, system_clock
from service.simulator import auth_door, control, fhir_door
from service.simulator.agency import Agency
from service.simulator.behaviour import Behaviour, Dialect, Manner
from service.simulator.faults import Faulty
from service.simulator.notebook import Listening


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. `client_id` and `organization`: how Casebridge (at `casebridge`) knows the agency.

    `rings`: it offers Subscriptions. `by_message`: it speaks by message Bundles.
    """

    name: str
    behaviour: Behaviour = "accept-complete"
    port: int = 0
    pace: float = 0.5
    seed: int = 1
    casebridge: str | None = None
    client_id: str | None = None
    organization: str | None = None
    keep: Path | None = None
    guarded: bool = True
    light: bool = False
    rings: bool = True
    dialect: Dialect = "sdohcc"
    by_message: bool = False
    clock: Clock = system_clock


def application(agency: Agency) -> ASGIApp:
    """The agency's doors behind its bad days; every request is written down first."""
    app = Starlette(routes=[*control.routes, *auth_door.routes, *fhir_door.routes])
    app.state.agency = agency
    return Listening(Faulty(app, agency.manner), agency.notebook)


@contextlib.asynccontextmanager
async def opened(plan: Plan) -> AsyncIterator[Agency]:
    """The agency at work on a loopback socket, in this process; OSError if the port is taken."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with listening:
        listening.bind(("127.0.0.1", plan.port))
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        manner = Manner(plan.behaviour, plan.pace, plan.seed, dialect=plan.dialect)
        agency = Agency(
            plan.name,
            origin,
            manner,
            plan.keep,
            guarded=plan.guarded,
            light=plan.light,
            by_message=plan.by_message,
            clock=plan.clock,
        )
        agency.rings = plan.rings
        config = uvicorn.Config(
            application(agency), log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn offers a flag only
            await asyncio.sleep(0.005)
        if plan.casebridge:
            agency.register(plan.casebridge, plan.client_id, plan.organization)
        agency.resume()
        try:
            yield agency
        finally:
            await agency.close()
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """uvicorn, with its signal handling left to us."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


async def run(plan: Plan) -> None:
    """Run until SIGTERM or SIGINT, or until whoever started us is gone."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    _end_with_parent(loop, stopping)
    async with opened(plan) as agency:
        print(f"ready {agency.origin}", flush=True)  # noqa: T201
        agency.say(f"a simulated agency, behaviour {plan.behaviour}; FHIR at {agency.base}")
        await stopping.wait()


def _end_with_parent(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    """A pipe that only the parent holds open: when it closes, the parent is gone (see `children`)."""
    descriptor = os.environ.get("CASEBRIDGE_PARENT_PIPE")
    if descriptor is None:
        return

    def watch() -> None:
        os.read(int(descriptor), 1)
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stopping.set)

    threading.Thread(target=watch, daemon=True).start()
