"""Setting up: the service and the agencies as processes, partners registered, a token by signed assertion."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from service.commands.demo.people import COUNTY, HARBOR, LAKEVIEW, NORTHSIDE
from service.commands.demo.telling import Teller, WentWrong
from service.fhir.json import decode, encode
from service.flows import onboard_partner as story
from service.settings import Settings
from service.simulator.casebridge import Casebridge
from service.simulator.children import Child, child
from service.simulator.keys import Key
from service.wiring import database_url, wire

ENVIRONMENT = {"CASEBRIDGE_OUTBOUND_ALLOW": "127.0.0.0/8", "CASEBRIDGE_POLL_SECONDS": "0.5"}
ROLES = {NORTHSIDE: "referral-recipient", COUNTY: "referral-source", LAKEVIEW: "referral-recipient"}
DIALECT = {COUNTY: "cow"}


@dataclass
class Partner:
    """An agency that runs: its registration here, and a way to look into its own store."""

    name: str
    child: Child
    described: dict[str, Any]
    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request to its control desk or, with the staff's token, to its own FHIR server."""
        answer = await self.http.request(method, path, content=None if body is None else encode(body))
        value = decode(answer.content) if answer.content else None
        if not answer.is_success:
            said = value.get("detail", "") if isinstance(value, dict) else ""
            raise WentWrong(f"{self.name}: {method} {path} was answered {answer.status_code} {said}")
        return value


@dataclass
class Stage:
    """Everything that runs."""

    folder: Path
    service: Child
    partners: Mapping[str, Partner]
    harbor: dict[str, Any]
    casework: Casebridge

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to see this installation."""
        return {"CASEBRIDGE_DATA_DIR": str(self.folder), **ENVIRONMENT}

    def settings(self) -> Settings:
        """This installation's settings, for a story told in this process."""
        return settings(self.folder)


def settings(folder: Path) -> Settings:
    """As the service process has them; a `.env` or a database of the operator's is left alone."""
    chosen: dict[str, Any] = {"data_dir": folder, "outbound_allow": "127.0.0.0/8", "database_url": None}
    return Settings(_env_file=None, **chosen)  # type: ignore[call-arg]


async def set_up(stack: AsyncExitStack, folder: Path, port: int, teller: Teller) -> Stage:
    """Start and register everything; `stack` ends it. NotReady or a Failure says what did not come up."""
    bar = Progress(
        TextColumn("{task.description:<44}"), BarColumn(), TimeElapsedColumn(), console=teller.console
    )
    with bar:
        doing = bar.add_task("starting the service and its PostgreSQL", total=7)

        async def enter(name: str, *arguments: str) -> Child:
            log = folder / f"{name.split(maxsplit=1)[0].lower()}.log"
            made = await stack.enter_async_context(child(name, arguments, log, _environment(folder)))
            bar.update(doing, advance=1, description=f"{name} is ready")
            return made

        serve = ("service", "serve", "--port", str(port), "--data-dir", str(folder))
        starting = [enter("Casebridge", *serve), *(enter(n, "service.simulator", n) for n in ROLES)]
        service, *agencies = await _all(starting)
        bar.update(doing, description="registering the partners")
        key = Key()
        described = await _register(folder, service.url, key, dict(zip(ROLES, agencies, strict=True)))
        bar.update(doing, advance=1)
        partners = {}
        for name, agency in zip(ROLES, agencies, strict=True):
            partners[name] = await _partner(stack, agency, described[name], service.url)
        bar.update(doing, advance=1, description="asking for a token with a signed assertion")
        casework = Casebridge(
            service.url, described[HARBOR]["client_id"], key, "casework/*.cruds system/*.rs"
        )
        stage = Stage(folder, service, partners, described[HARBOR], await stack.enter_async_context(casework))
        await casework.ask("GET", "/casework/v1/events")
        bar.update(doing, advance=1, description="everything runs")
    return stage


def _environment(folder: Path) -> dict[str, str]:
    """Our own environment without the operator's choices for Casebridge."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CASEBRIDGE_")}
    return {**kept, **ENVIRONMENT, "CASEBRIDGE_DATA_DIR": str(folder)}


async def _all(starting: list[Any]) -> list[Child]:
    """All at once; the first that fails ends the waiting for the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in starting]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


async def _register(
    folder: Path, origin: str, key: Key, agencies: Mapping[str, Child]
) -> dict[str, dict[str, Any]]:
    """What `casebridge partner add` does, for the case-management system and the agencies."""
    chosen = settings(folder)
    jwks = folder / "harbor-jwks.json"
    jwks.write_bytes(encode(key.public_set))
    wanted = [story.Registration(HARBOR, ("casework",), jwks=str(jwks))]
    wanted += [_registration(name, agency.url) for name, agency in agencies.items()]
    async with wire(chosen, database_url(chosen), origin).running() as wiring:
        return {each.name: await story.add(wiring.context, each) for each in wanted}


def _registration(name: str, url: str) -> story.Registration:
    return story.Registration(
        name,
        (ROLES[name],),
        jwks=f"{url}/.well-known/jwks.json",
        fhir_base=f"{url}/fhir",
        token_url=f"{url}/token",
        dialect=DIALECT.get(name, "sdohcc"),
    )


async def _partner(stack: AsyncExitStack, agency: Child, described: dict[str, Any], origin: str) -> Partner:
    """Tell the agency how it is known at Casebridge, and get the staff's token for its own store."""
    http = await stack.enter_async_context(
        httpx.AsyncClient(base_url=agency.url, trust_env=False, timeout=10)
    )
    partner = Partner(agency.name, agency, described, http)
    told = {
        "origin": origin,
        "client_id": described["client_id"],
        "organization": described["organization"],
    }
    await partner.ask("PUT", "/simulator/registration", told)
    given = await partner.ask("GET", "/simulator/staff-token")
    http.headers["Authorization"] = f"Bearer {given['access_token']}"
    return partner
