"""`casebridge simulate`: a partner agency to test against, as a process of its own."""

import asyncio
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from service.commands.running import fail, public_url, run, settings
from service.fhir.json import encode
from service.flows import onboard_partner as story
from service.kernel.failures import Refused, Unavailable
from service.simulator import process
from service.simulator.behaviour import Behaviour, Dialect
from service.simulator.keys import Key
from service.simulator.process import Plan
from service.wiring import Wiring


def simulate(
    partner: Annotated[str, typer.Option(help="whom to play")],
    behaviour: Annotated[Behaviour, typer.Option(help="how it behaves")] = "accept-complete",
    port: Annotated[int | None, typer.Option(help="default: the port of the partner's FHIR base")] = None,
    casebridge: Annotated[str | None, typer.Option(help="where Casebridge is; opens no database")] = None,
    pace: Annotated[float, typer.Option(min=0, help="seconds between two steps of its staff")] = 1.0,
    seed: Annotated[int, typer.Option(help="makes flaky repeatable")] = 1,
    dialect: Annotated[Dialect, typer.Option(help="how its staff says what it does")] = "sdohcc",
    messages: Annotated[bool, typer.Option(help="it speaks by message Bundles (bser)")] = False,
    light: Annotated[bool, typer.Option(help="it works on our server (direct light)")] = False,
    register: Annotated[bool, typer.Option(help="register the partner if it is new")] = False,
) -> None:
    """Play a partner agency until stopped: its FHIR server, its token endpoint, its staff.

    `ready URL` says where it listens; URL/simulator shows what it has and what reached it.
    """
    plan = Plan(
        partner,
        behaviour,
        port or 0,
        pace,
        seed,
        casebridge,
        light=light,
        dialect=dialect,
        by_message=messages,
    )
    try:
        asyncio.run(process.run(plan if casebridge else _known(plan, port, register=register)))
    except OSError as error:
        fail(Unavailable(f"cannot listen on 127.0.0.1:{plan.port}: {error.strerror}"))


def _known(plan: Plan, port: int | None, *, register: bool) -> Plan:
    """The plan with what the registry of this data directory says of the partner."""
    chosen_settings = settings()
    slug = re.sub(r"[^a-z0-9]+", "-", plan.name.lower()).strip("-")
    keep = chosen_settings.data_dir.resolve() / "simulators" / slug
    keep.mkdir(parents=True, exist_ok=True)
    found = run(lambda wiring: _found(wiring, plan, keep, port, register=register))
    listening = port or urlsplit(found.get("fhir_base") or "").port or 0
    return Plan(
        plan.name, plan.behaviour, listening, plan.pace, plan.seed, public_url(chosen_settings),
        found["client_id"], found["organization"], keep, guarded="token_url" in found, light=plan.light,
        dialect=plan.dialect, by_message=plan.by_message,
    )  # fmt: skip


async def _found(
    wiring: Wiring, plan: Plan, keep: Path, port: int | None, *, register: bool
) -> dict[str, Any]:
    """The partner as registered; registered now, if it is new and that was asked for."""
    try:
        return await story.show(wiring.context, plan.name)
    except Refused as refused:
        if refused.reason != "absent":
            raise
        if not register:
            raise Refused("absent", f"{refused.text}; or let --register make one") from None
    origin = f"http://127.0.0.1:{port or 8090}"
    jwks = keep / "jwks.json"
    jwks.write_bytes(encode(Key(keep / "key.json").public_set))
    base, token = (None, None) if plan.light else (f"{origin}/fhir", f"{origin}/token")
    roles = ("referral-source", "referral-recipient")
    agreed = ("transport=message",) if plan.by_message else ()
    wanted = story.Registration(
        plan.name, roles, (), str(jwks), base, token, dialect=plan.dialect, agreed=agreed
    )
    return await story.add(wiring.context, wanted)
