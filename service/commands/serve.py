"""`casebridge serve` and `casebridge worker`: the service itself.

One process by default: the API and the delivery worker share an event loop, so a kill takes both and leaves
nothing behind but leases that expire. With `--workers N` the API runs in N processes and the worker in one more;
children end when their parent does, however it ends.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Annotated

import typer
import uvicorn

from service.api.app import make_app
from service.api.listening import config as listening_config
from service.commands.running import fail, settings
from service.flows import reindex
from service.kernel import meters
from service.kernel.events import log
from service.kernel.failures import Failure, Unavailable
from service.settings import Settings
from service.wiring import Wiring, categories, database_kept, prepared, rules, wire

DataDir = Annotated[Path | None, typer.Option(help="where the database, keys and exports live")]


def serve(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="port to listen on; 0 picks a free one")] = 8080,
    data_dir: DataDir = None,
    workers: Annotated[int, typer.Option(min=1, help="API processes")] = 1,
    worker: Annotated[bool, typer.Option(help="run the delivery worker too")] = True,
) -> None:
    """Migrate, serve and deliver until told to stop."""
    _end_with_parent()
    chosen = settings(data_dir=data_dir)
    try:
        rules(chosen)  # a guide that cannot be used stops us before anything is touched
        categories(chosen)
        with _only_one(chosen):
            listening = _listen(host, port)
            shown = _address(host, listening.getsockname()[1], "https" if chosen.tls_certificate else "http")
            public = chosen.public_url.rstrip("/") or shown
            (chosen.data_dir / "public-url").write_text(public)
            url = asyncio.run(prepared(chosen))
            wiring = wire(chosen, url, public)
            wiring.warm()
            with database_kept(chosen):
                if workers == 1:
                    asyncio.run(_serve_here(wiring, listening, shown, deliver=worker))
                else:
                    _serve_many(wiring, listening, shown, workers, deliver=worker)
    except Failure as failure:
        fail(failure)


def worker(data_dir: DataDir = None) -> None:
    """Deliver only: for replicas beside `serve --no-worker`."""
    chosen = settings(data_dir=data_dir)

    async def whole() -> None:
        from service.commands.running import public_url

        rules(chosen)
        categories(chosen)
        url = await prepared(chosen)
        async with wire(chosen, url, public_url(chosen)).running() as wiring:
            await _deliver_until_told(wiring)

    _end_with_parent()
    try:
        asyncio.run(whole())
    except Failure as failure:
        fail(failure)


@contextlib.contextmanager
def _only_one(chosen: Settings):  # type: ignore[no-untyped-def]
    """One service a data directory. The lock is the kernel's, so a killed service leaves none behind."""
    try:
        chosen.data_dir.mkdir(parents=True, exist_ok=True)
        lock: IO[str] = (chosen.data_dir / "serve.lock").open("a+")
    except OSError as error:
        raise Unavailable(f"the data directory {chosen.data_dir} cannot be used: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip() or "another process"
            text = (
                f"a service is already running on {chosen.data_dir} (process {owner}); use another --data-dir"
            )
            raise Unavailable(text) from None
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _address(host: str, port: int, scheme: str = "http") -> str:
    """A URL by which this machine reaches us: every interface is not an address that anyone can call."""
    named = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"{scheme}://[{named}]:{port}" if ":" in named else f"{scheme}://{named}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else an answer waits 40 ms for an ACK
    try:
        listening.bind((host, port))
    except OSError as error:
        raise Unavailable(f"cannot listen on {host}:{port}: {error.strerror}") from error
    listening.listen(2048)
    listening.set_inheritable(True)
    return listening


def _config(wiring: Wiring) -> uvicorn.Config:
    return listening_config(make_app(wiring), wiring.settings)


class _Server(uvicorn.Server):
    """uvicorn, with its signal handling left to us: one SIGTERM stops API and worker together."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


async def _serve_here(wiring: Wiring, listening: socket.socket, shown: str, *, deliver: bool) -> None:
    """API and worker on one loop. The wiring is opened here, so that what it refuses is said in one sentence."""
    async with wiring.running():
        await _serve_opened(wiring, listening, shown, deliver=deliver)


async def _serve_opened(wiring: Wiring, listening: socket.socket, shown: str, *, deliver: bool) -> None:
    server = _Server(_config(wiring))
    stopping = _stop_signal()
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if serving.done():
        await serving
        return
    await _look_at_index(wiring)
    clock = wiring.worker() if deliver else None
    ticking = asyncio.create_task(clock.run()) if clock else None
    print(f"ready {shown}", flush=True)
    ending = [serving, asyncio.create_task(stopping.wait()), *([ticking] if ticking else [])]
    await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
    wiring.context.ending.set()
    if clock and ticking:
        clock.stop()
        await asyncio.wait([ticking], timeout=20)
    server.should_exit = True
    await serving
    if ticking and ticking.done() and ticking.exception():
        raise Unavailable("the delivery worker ended by itself; the log says why")


async def _deliver_until_told(wiring: Wiring) -> None:
    await _look_at_index(wiring)
    clock, stopping = wiring.worker(), _stop_signal()
    ticking = asyncio.create_task(clock.run())
    await asyncio.wait([ticking, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED)
    clock.stop()
    await asyncio.wait([ticking], timeout=20)


async def _look_at_index(wiring: Wiring) -> None:
    """What an older release indexed is found by what that release knew: the operator is told."""
    if await reindex.needed(wiring.context):
        log("index-behind", do="casebridge reindex")


def _stop_signal() -> asyncio.Event:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _stop, stopping, number)
    return stopping


def _stop(stopping: asyncio.Event, number: signal.Signals) -> None:
    stopping.set()
    log("stopping", signal=number.name)


def _serve_many(wiring: Wiring, listening: socket.socket, shown: str, count: int, *, deliver: bool) -> None:
    """Parent: owns the lock and the socket, starts children, ends when told or when one of them fails."""
    reading, writing = os.pipe()
    counted = wiring.settings.data_dir / "metrics"
    shutil.rmtree(counted, ignore_errors=True)  # what the processes of an earlier start counted
    counted.mkdir()
    common = {
        **os.environ,
        meters.FOLDER: str(counted),
        "CASEBRIDGE_DATA_DIR": str(wiring.settings.data_dir),
        "CASEBRIDGE_PUBLIC_URL": wiring.public_url,
        "CASEBRIDGE_PARENT_PIPE": str(reading),
    }
    serving = [sys.executable, "-m", "service", "serve-child", str(listening.fileno())]
    commands = [serving] * count + ([[sys.executable, "-m", "service", "worker"]] if deliver else [])
    children = [
        subprocess.Popen(command, env=common, pass_fds=(reading, listening.fileno())) for command in commands
    ]
    os.close(reading)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    print(f"ready {shown}", flush=True)
    while not told.wait(0.2) and all(child.poll() is None for child in children):
        pass
    for child in children:
        child.terminate()
    for child in children:
        child.wait(30)
    os.close(writing)
    if not told.is_set():
        raise Unavailable("one of our processes ended by itself; the log says why")


def serve_child(descriptor: int) -> None:
    """One API process of `serve --workers N`; not for people."""
    chosen = settings()
    _end_with_parent()

    async def whole() -> None:
        url = await prepared(chosen, upgrade=False)
        wiring = wire(chosen, url, chosen.public_url)
        wiring.warm()
        async with wiring.running():
            server = _Server(_config(wiring))
            stopping = _stop_signal()
            serving = asyncio.create_task(server.serve(sockets=[socket.socket(fileno=descriptor)]))
            await asyncio.wait(
                [serving, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED
            )
            wiring.context.ending.set()
            server.should_exit = True
            await serving

    try:
        asyncio.run(whole())
    except Failure as failure:
        fail(failure)


def _end_with_parent() -> None:
    """A pipe that only the parent holds open: when it closes, the parent is gone, by whatever death."""
    text = os.environ.get("CASEBRIDGE_PARENT_PIPE")
    if text is None:
        return

    def watch() -> None:
        os.read(int(text), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
