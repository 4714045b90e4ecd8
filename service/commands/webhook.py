"""`casebridge webhook`: the events feed pushed, signed as Standard Webhooks asks."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.commands.running import run
from service.flows import webhooks as story

app = typer.Typer(
    no_args_is_help=True, help="Webhooks: the events feed, pushed to the case-management system."
)
COLUMNS = ("id", "partner", "url", "state", "attempts", "after", "why")
WIDE = 300


@app.command()
def add(
    url: str,
    secret: Annotated[str | None, typer.Option(help="whsec_…; made and printed when left out")] = None,
    partner: Annotated[str | None, typer.Option(help="whose events; the case-management system's")] = None,
    after: Annotated[
        str | None, typer.Option(help="a cursor of the feed, or `now`; from the beginning when left out")
    ] = None,
) -> None:
    """Push every event to this URL; prints id and secret as JSON. The secret is shown only here."""
    print(json.dumps(run(lambda wiring: story.add(wiring.context, url, secret, partner, after)), indent=2))


@app.command("list")
def list_() -> None:
    """All webhooks and how they do."""
    rows = run(lambda wiring: story.listing(wiring.context))
    table = Table()
    for name in COLUMNS:
        table.add_column(name, no_wrap=name == "id", overflow="fold")
    for row in rows:
        table.add_row(*(str(row[name]) for name in COLUMNS))
    Console(width=None if sys.stdout.isatty() else WIDE).print(table if rows else "no webhooks")


@app.command()
def remove(webhook: str) -> None:
    """Push nothing more to it."""
    run(lambda wiring: story.remove(wiring.context, webhook))
    print("removed")


@app.command()
def replay(
    webhook: str,
    after: Annotated[
        str | None, typer.Option(help="push again what is behind this cursor; 0-0 is everything")
    ] = None,
) -> None:
    """Start a stopped webhook where it stopped, or push events again from any point."""
    run(lambda wiring: story.replay(wiring.context, webhook, after))
    print("running")


@app.command()
def rotate(webhook: str) -> None:
    """Make a new secret and print it; events are signed with both until the next rotation."""
    print(run(lambda wiring: story.rotate(wiring.context, webhook)))
