"""`casebridge console`: who may come in without an identity provider, who is in, and who has to leave."""

import getpass
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.commands.running import run
from service.flows.console import sign_in as story
from service.flows.console.people import ROLES, name_of
from service.kernel.clock import instant
from service.wiring import Wiring

app = typer.Typer(no_args_is_help=True, help="People at the web console.")
WIDE = 200
_ROLES = typer.Option("--role", help=f"one of {', '.join(ROLES)}; may be repeated; default all")


@app.command()
def link(
    name: Annotated[str | None, typer.Option(help="who it is for; default your user name")] = None,
    role: Annotated[list[str] | None, _ROLES] = None,
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="how long it can be used")] = 15,
) -> None:
    """Print a link that signs one person in, once."""
    wanted, roles = name or getpass.getuser(), role or list(ROLES)

    async def made(wiring: Wiring) -> str:
        token = await story.make_link(wiring.context, wanted, roles, minutes)
        return f"{wiring.public_url}/console/link/{token}"

    print(run(made))


@app.command()
def sessions() -> None:
    """Who is signed in."""
    found = run(lambda wiring: story.signed_in(wiring.context))
    table = Table("person", "name", "roles", "since", "last seen", "until at most")
    for one in found:
        moments = (instant(each) for each in (one.started, one.seen, one.expires))
        table.add_row(name_of(one), one.name, " ".join(one.roles), *moments)
    table.columns[0].overflow = "fold"  # whole, for `console end`
    Console(width=None if sys.stdout.isatty() else WIDE).print(table if found else "nobody is signed in")


@app.command()
def end(
    person: Annotated[str, typer.Argument(help="as `sessions` and the audit trail call the person")],
) -> None:
    """End every session of a person: the next click leads to the sign-in."""
    number = run(lambda wiring: story.end_all(wiring.context, person))
    print(f"{number} {'session' if number == 1 else 'sessions'} ended")
