"""`casebridge deliveries` and `casebridge replay`: see and repair every exchange."""

import sys
from datetime import UTC, datetime
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.table import Table

from service.commands.running import run
from service.flows import outbox_view as story
from service.store.outbox import State, Wanted

COLUMNS = ("id", "partner", "referral", "kind", "state", "attempts", "status", "created", "reason")
WIDE = 400
"""Into a pipe or a file, a row is a line."""


def deliveries(
    partner: Annotated[str | None, typer.Option(help="only this partner")] = None,
    status: Annotated[str | None, typer.Option(help="pending, delivered, failing, dead or withheld")] = None,
) -> None:
    """The outbox, newest first: what was sent to whom, what was not, and why."""
    rows = run(lambda wiring: story.listing(wiring.context, partner, status))
    table = Table()
    for name in COLUMNS:  # an id that is cut short cannot be replayed
        table.add_column(name, no_wrap=name == "id", overflow="fold")
    for row in rows:
        table.add_row(*("–" if row[name] is None else str(row[name]) for name in COLUMNS))
    Console(width=None if sys.stdout.isatty() else WIDE).print(table if rows else "no deliveries")


def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="delivery ids")] = None,
    partner: Annotated[str | None, typer.Option(help="all of this partner's")] = None,
    status: Annotated[
        str | None, typer.Option(help="only those in this state: dead, withheld, failing or delivered")
    ] = None,
    since: Annotated[datetime | None, typer.Option(help="put out at or after this instant (UTC)")] = None,
    until: Annotated[datetime | None, typer.Option(help="put out before this instant (UTC)")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say which")] = False,
) -> None:
    """Make dead, withheld or failing deliveries due now; consent is asked anew when they are sent."""
    if not ids and not partner and not since and not until:
        raise typer.BadParameter("give ids, --partner, --since or --until")
    wanted = Wanted(ids or (), partner, cast(State | None, status), _utc(since), _utc(until))
    found = run(lambda wiring: story.replay(wiring.context, wanted, dry=dry_run))
    if dry_run:
        print(*found, sep="\n")
    print(f"{len(found)} would be due again" if dry_run else f"{len(found)} due again")


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None
