"""Two whole services, each with its own case-management system: Harbor's and Northside's. What one refers, the other
answers, over real HTTP and real tokens, in a dialect of their choice."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from parts import Service, running
from town import Town, at_work, register

from service.commands.demo.people import HARBOR, NORTHSIDE
from service.flows import onboard_partner
from service.simulator.casebridge import Casebridge
from service.simulator.keys import Key

SCOPES = "casework/*.cruds system/*.cruds"


@dataclass(frozen=True)
class Speech:
    """A dialect, as transactions or as messages."""

    dialect: str
    by_message: bool = False


@asynccontextmanager
async def pair(
    here_url: str, there_url: str, folder: Path, speech: Speech
) -> AsyncIterator[tuple[Town, Town]]:
    """(Harbor's side, Northside's side). Each knows the other under its FHIR base as client_id."""
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(running(here_url, folder / "here"))
        there = await stack.enter_async_context(running(there_url, folder / "there"))
        mine = await _side(stack, here, here_url, folder, HARBOR)
        other = await _side(stack, there, there_url, folder, NORTHSIDE)
        await _knows(here, here_url, NORTHSIDE, "referral-recipient", there, speech, pushed=True)
        await _knows(there, there_url, HARBOR, "referral-source", here, speech, pushed=speech.by_message)
        await mine.file_everybody()
        await stack.enter_async_context(at_work(here))
        await stack.enter_async_context(at_work(there))
        yield mine, other


async def _side(stack: AsyncExitStack, service: Service, url: str, folder: Path, name: str) -> Town:
    key = Key()
    found = await register(service, folder, name, "casework", key, None)
    client = Casebridge(service.url, found["client_id"], key, SCOPES)
    casework = await stack.enter_async_context(client)
    return Town(service.url, casework, url, service.wiring.context, service)


async def _knows(
    service: Service, url: str, name: str, role: str, other: Service, speech: Speech, *, pushed: bool
) -> None:
    """The other service as a partner of this one."""
    address = {"fhir_base": other.base, "token_url": f"{other.url}/auth/token"} if pushed else {}
    wanted = onboard_partner.Registration(
        name, (role,), dialect=speech.dialect,
        agreed=("transport=message",) if speech.by_message else (), **address,
    )  # fmt: skip
    await onboard_partner.add(service.wiring.context, wanted)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "UPDATE partner SET client_id = $1, jwks_url = $2 WHERE name = $3",
            other.base, f"{other.url}/.well-known/jwks.json", name,
        )  # fmt: skip
    finally:
        await connection.close()
