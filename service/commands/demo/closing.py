"""The end of the demo: a table, and what to look at while it stays up."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from service.commands.demo.acts import Result
from service.commands.demo.people import HARBOR, NORTHSIDE
from service.commands.demo.stage import Stage
from service.flows.console.people import ROLES
from service.flows.console.sign_in import make_link
from service.wiring import database_url, wire


def table(console: Console, results: Sequence[Result]) -> None:
    """Referral, partner, steps with the seconds since it was begun, result."""
    shown = Table(title="\nHow the referrals ended", title_justify="left")
    shown.add_column("referral")
    shown.add_column("partner")
    shown.add_column("seconds and step", no_wrap=True)
    shown.add_column("result")
    for each in results:
        steps = "\n".join(f"{at - each.began:5.1f}  {name}" for name, at in each.steps)
        shown.add_row(each.referral, each.partner, steps, each.result)
    console.print(shown)
    console.print(
        "Read back from the partners' own servers: both loops closed, nothing left without consent."
    )


async def stay(console: Console, stage: Stage) -> None:
    """Print where to look, then wait for Ctrl-C or for the service to end."""
    url = stage.service.url
    command = f"CASEBRIDGE_DATA_DIR={shlex.quote(str(stage.folder))} {shlex.quote(str(_command()))}"
    rows = [
        ("the console (once)", await console_link(stage)),
        ("the console again", f"{command} console link"),
        ("FHIR metadata", f"{url}/fhir/metadata"),
        ("API documentation", f"{url}/docs"),
        ("what arrived at Northside", f"{stage.partners[NORTHSIDE].child.url}/simulator/requests"),
        ("deliveries", f"{command} deliveries"),
        ("a token", f'{command} partner token "{HARBOR}"'),
        ("casework events", f'curl -H "Authorization: Bearer $TOKEN" {url}/casework/v1/events'),
        ("logs", str(stage.folder)),
    ]
    console.print("\n[bold]Everything stays up until Ctrl-C.[/bold]")
    for name, where in rows:
        console.print(f"  {name:<26} {where}", soft_wrap=True, markup=False)
    await stage.service.process.wait()
    console.print("the service has ended")


async def console_link(stage: Stage) -> str:
    """A link by which whoever reads this comes in, once within the hour, as a supervisor with every page."""
    chosen = stage.settings()
    async with wire(chosen, database_url(chosen), stage.service.url).running() as wiring:
        token = await make_link(wiring.context, "Samuel Okafor", list(ROLES), 60)
    return f"{stage.service.url}/console/link/{token}"


def _command() -> Path:
    beside = Path(sys.executable).with_name("casebridge")
    return beside if beside.exists() else Path(sys.argv[0])


def logs(console: Console, folder: Path) -> None:
    """The last words of every process, before the folder is gone."""
    for log in sorted(folder.glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()[-5:]
        if lines:
            console.print(f"[dim]{log.name}:[/dim]")
            for line in lines:
                console.print(f"  {line}", markup=False, soft_wrap=True)
