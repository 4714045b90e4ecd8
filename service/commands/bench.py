"""`casebridge bench`: the figures of the performance budget, measured on the running service, as a table.

Requests per second drift with the machine; CPU per request holds. Service CPU is that of the service process,
database CPU that of all PostgreSQL processes, both read from the operating system before and after each load.
"""

import asyncio
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import psutil
import typer
import uvicorn
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from service.casework.records import kinds
from service.commands.bench_bodies import PATIENT, referral_bundle, request_for
from service.commands.bench_rules import measure_rules
from service.commands.running import fail
from service.kernel.failures import Unavailable

CONCURRENCY = 16


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table; times in milliseconds."""

    name: str
    count: int
    rate: float
    p50: float
    p99: float
    service_cpu: float
    database_cpu: float
    budget: tuple[float, float]


def bench(quick: Annotated[bool, typer.Option(help="a few seconds instead of a minute")] = False) -> None:
    """Measure create, read, search, transaction, records, delivery and the validator."""
    try:
        figures = asyncio.run(_measure(300 if quick else 3000))
    except Unavailable as failure:
        fail(failure)
    table = Table(title="CPU per request, milliseconds (budget in brackets)", title_justify="left")
    table.add_column("operation", no_wrap=True)
    for name in ("n", "/s", "p50", "p99", "service", "database"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in figures:
        table.add_row(
            each.name, str(each.count), f"{each.rate:.0f}", f"{each.p50:.1f}", f"{each.p99:.1f}",
            _against(each.service_cpu, each.budget[0]), _against(each.database_cpu, each.budget[1]),
        )  # fmt: skip
    Console().print(table)
    rules = Table("validator and start", "measured", "budget")
    for name, measured, budget in measure_rules(30 if quick else 200):
        rules.add_row(name, measured, budget)
    Console().print(rules)


def _against(value: float, budget: float) -> str:
    shown = f"{value:.2f}" if value <= budget else f"[red]{value:.2f}[/red]"
    return f"{shown} ({budget})"


class _Site:
    """A service of our own in a temporary folder, and what it costs."""

    def __init__(self, home: Path, url: str, process: "subprocess.Popen[str]") -> None:
        self.home, self.url, self.process = home, url, process

    def run(self, *words: str) -> str:
        """A casebridge command on this site."""
        command = [sys.executable, "-m", "service", *words]
        done = subprocess.run(
            command, env=_environment(self.home), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Unavailable(f"casebridge {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def cpu(self) -> tuple[float, float]:
        """Seconds of CPU so far: the service, PostgreSQL."""
        return _seconds(psutil.Process(self.process.pid)), sum(_seconds(each) for each in self._postgres())

    def _postgres(self) -> list[psutil.Process]:
        pid = int((self.home / "postgres" / "postmaster.pid").read_text().split()[0])
        head = psutil.Process(pid)
        return [head, *head.children()]


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _environment(home: Path) -> dict[str, str]:
    rates = dict.fromkeys(
        ("CASEBRIDGE_CALLER_RATE", "CASEBRIDGE_ADDRESS_RATE"), "1000000"
    )  # counted, never reached
    here = {"CASEBRIDGE_DATA_DIR": str(home), "CASEBRIDGE_OUTBOUND_ALLOW": "127.0.0.0/8"}
    return {**os.environ, **here, **rates}


@asynccontextmanager
async def _site() -> AsyncIterator[_Site]:
    home = Path(tempfile.mkdtemp(prefix="casebridge-bench-"))
    command = [sys.executable, "-m", "service", "serve", "--port", "0", "--no-worker"]
    process = subprocess.Popen(command, env=_environment(home), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = await asyncio.to_thread(process.stdout.readline)
        yield _Site(home, line.split()[1], process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        shutil.rmtree(home, ignore_errors=True)


async def _measure(count: int) -> list[Figure]:
    async with _site() as site, _sink() as sink:
        with Progress(transient=True) as progress:
            bar = progress.add_task("measuring", total=7)
            site.run("partner", "add", "Bench Clinic", "--role", "ehr")
            site.run("partner", "add", "Bench Home", "--role", "casework")
            site.run("partner", "add", "Bench Agency", "--role", "referral-recipient", "--fhir-base", sink)
            clinic, home = (
                site.run("partner", "token", "Bench Clinic"),
                site.run("partner", "token", "Bench Home"),
            )
            figures = []
            async with _client(site.url, clinic) as fhir, _client(site.url, home) as casework:
                for stage in (_create, _read, _search, _transaction):
                    figures.append(await stage(site, fhir, count))
                    progress.advance(bar)
                figures.append(await _records(site, casework, count))
                progress.advance(bar)
            figures.append(await _deliveries(site, count))
            progress.advance(bar)
    return figures


def _client(url: str, token: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=60, limits=limits, trust_env=False)


async def _load(
    site: _Site,
    name: str,
    count: int,
    budget: tuple[float, float],
    ask: Callable[[int], Awaitable[httpx.Response]],
) -> Figure:
    """`ask` is called `count` times, CONCURRENCY at once; a warm-up of a tenth is not counted."""
    for number in range(max(count // 10, 20)):
        (await ask(-number - 1)).raise_for_status()
    waits: list[float] = []
    numbers = iter(range(count))

    async def one_after_another() -> None:
        for number in numbers:
            began = time.perf_counter()
            (await ask(number)).raise_for_status()
            waits.append((time.perf_counter() - began) * 1000)

    before, began = site.cpu(), time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(CONCURRENCY)))
    took, after = time.perf_counter() - began, site.cpu()
    return _figure(name, waits, took, before, after, budget)


def _figure(
    name: str, waits: list[float], took: float, before: tuple[float, float], after: tuple[float, float],
    budget: tuple[float, float],
) -> Figure:  # fmt: skip
    count = len(waits)
    ordered = sorted(waits)
    return Figure(
        name, count, count / took, statistics.median(waits), ordered[int(count * 0.99)],
        (after[0] - before[0]) * 1000 / count, (after[1] - before[1]) * 1000 / count, budget,
    )  # fmt: skip


async def _create(site: _Site, client: httpx.AsyncClient, count: int) -> Figure:
    patient = (await client.post("/fhir/Patient", content=PATIENT)).json()["id"]
    body = request_for(patient)
    return await _load(
        site,
        "create ServiceRequest",
        count,
        (1.2, 0.8),
        lambda _: client.post("/fhir/ServiceRequest", content=body),
    )


async def _read(site: _Site, client: httpx.AsyncClient, count: int) -> Figure:
    found = (await client.get("/fhir/ServiceRequest?_count=100")).json()["entry"]
    ids = [each["resource"]["id"] for each in found]
    return await _load(
        site,
        "read by id",
        count,
        (0.5, 0.2),
        lambda n: client.get(f"/fhir/ServiceRequest/{ids[n % len(ids)]}"),
    )


async def _search(site: _Site, client: httpx.AsyncClient, count: int) -> Figure:
    patients = []
    for _ in range(20):
        patient = (await client.post("/fhir/Patient", content=PATIENT)).json()["id"]
        patients.append(patient)
        for _ in range(20):
            await client.post("/fhir/ServiceRequest", content=request_for(patient))
    return await _load(
        site, "search, 20 results", count // 2, (0.8, 2.0),
        lambda n: client.get(f"/fhir/ServiceRequest?patient={patients[n % 20]}&status=active&_count=20"),
    )  # fmt: skip


async def _transaction(site: _Site, client: httpx.AsyncClient, count: int) -> Figure:
    return await _load(
        site,
        "transaction of 3",
        count // 2,
        (3.0, 1.5),
        lambda n: client.post("/fhir", content=referral_bundle(n)),
    )


async def _records(site: _Site, client: httpx.AsyncClient, count: int) -> Figure:
    """A referral record in: mapped, validated, committed with its loop and outbox row."""
    headers = {"Content-Type": "application/json"}
    agency = {"name": "Bench Agency"}
    (await client.put("/casework/v1/agencies/bench", json=agency, headers=headers)).raise_for_status()
    person = kinds["clients"].example
    (
        await client.put(f"/casework/v1/clients/{person['id']}", json=person, headers=headers)
    ).raise_for_status()
    permission = {
        "recipients": [{"agency": "bench"}],
        "information": ["everything"],
        "purposes": ["treatment"],
    }
    given = {**kinds["consents"].example, "permissions": [permission], "expires": "2099-12-31"}
    (await client.put(f"/casework/v1/consents/{given['id']}", json=given, headers=headers)).raise_for_status()
    example: dict[str, Any] = {**kinds["referrals"].example, "recipient": "bench"}
    example.pop("recipientService", None)

    def ask(number: int) -> Awaitable[httpx.Response]:
        id_ = f"referral-{number + count}"
        return client.put(
            f"/casework/v1/referrals/{id_}", content=json.dumps({**example, "id": id_}), headers=headers
        )

    return await _load(site, "referral record in", count // 3, (4.0, 2.0), ask)


async def _deliveries(site: _Site, count: int) -> Figure:
    """The worker alone, until the outbox is empty: consent decided, released, sent, settled."""
    waiting = _open_deliveries(site)
    command = [sys.executable, "-m", "service", "worker"]
    worker = subprocess.Popen(
        command, env=_environment(site.home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    process = psutil.Process(worker.pid)
    await asyncio.sleep(0.5)
    began, start, database = time.perf_counter(), None, site.cpu()[1]
    first = waiting
    while (left := await asyncio.to_thread(_open_deliveries, site)) > 0 and time.perf_counter() - began < 120:
        if start is None and left < waiting:
            start, first, began, database = _seconds(process), left, time.perf_counter(), site.cpu()[1]
        await asyncio.sleep(0.2)
    took, done = time.perf_counter() - began, max(first, 1)
    spent = _seconds(process) - (start or 0.0)
    used = site.cpu()[1] - database
    worker.terminate()
    worker.wait(20)
    return Figure(
        "delivery attempt", done, done / took, took * 1000 / done, took * 1000 / done, spent * 1000 / done,
        used * 1000 / done, (2.0, 1.0),
    )  # fmt: skip


def _open_deliveries(site: _Site) -> int:
    text = httpx.get(f"{site.url}/metrics", trust_env=False).text
    counts = [
        line.split() for line in text.splitlines() if 'state="pending"' in line or 'state="failing"' in line
    ]
    return sum(int(float(number)) for _, number in counts)


@asynccontextmanager
async def _sink() -> AsyncIterator[str]:
    """A partner that takes everything and says so."""

    async def take(request: Request) -> JSONResponse:
        bundle = await request.json()
        made = [
            {
                "response": {
                    "status": "201 Created",
                    "location": f"{row['resource']['resourceType']}/1/_history/1",
                }
            }
            for row in bundle["entry"]
        ]
        return JSONResponse({"resourceType": "Bundle", "type": "transaction-response", "entry": made})

    app = Starlette(routes=[Route("/fhir", take, methods=["POST"])])
    config = uvicorn.Config(app, port=0, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/fhir"
    finally:
        server.should_exit = True
        await task
