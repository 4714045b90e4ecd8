"""`casebridge subscriptions`: who is told what, and what we are told."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.commands.running import run
from service.flows.subscriptions.overview import overview

COLUMNS = ("way", "id", "partner", "about", "state", "events", "taken", "attempts", "last", "why")
WIDE = 400


def subscriptions(partner: Annotated[str | None, typer.Option(help="only this partner")] = None) -> None:
    """Partners' subscriptions here and ours at theirs: state, events, how many were taken, and why not more."""
    rows = run(lambda wiring: overview(wiring.context, partner))
    table = Table()
    for name in COLUMNS:
        table.add_column(name, no_wrap=name == "id", overflow="fold")
    for row in rows:
        table.add_row(*(str(row[name]) for name in COLUMNS))
    Console(width=None if sys.stdout.isatty() else WIDE).print(table if rows else "no subscriptions")
