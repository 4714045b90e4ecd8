"""`casebridge ground`: emergencies, agreements and court orders on which information may go without consent."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.commands.running import run
from service.flows import grounds as story

app = typer.Typer(
    no_args_is_help=True,
    help="Grounds other than consent (42 CFR 2.11, 2.51, 2.53, 2.61): explicit, logged, ended.",
)
COLUMNS = (
    "id",
    "basis",
    "partner",
    "clients",
    "types",
    "purposes",
    "document",
    "from",
    "until",
    "recorded_by",
)
WIDE = 300


@app.command()
def add(
    basis: Annotated[str, typer.Argument(help="emergency, audit-evaluation, qsoa or court-order")],
    partner: Annotated[str, typer.Argument(help="who may learn it: the partner's name")],
    client: Annotated[
        list[str] | None, typer.Option(help="the casework system's own id, or Patient/…; all when left out")
    ] = None,
    type_: Annotated[
        list[str] | None, typer.Option("--type", help="only this resource type; all when left out")
    ] = None,
    purpose: Annotated[
        list[str] | None, typer.Option(help="v3-ActReason; by the ground when left out")
    ] = None,
    document: Annotated[str, typer.Option(help="where the written agreement or order is found")] = "",
    until: Annotated[
        datetime | None, typer.Option(help="UTC; an emergency: 24 hours when left out, 72 at most")
    ] = None,
    recipient: Annotated[str, typer.Option(help="emergency: who receives it, by name")] = "",
    affiliation: Annotated[str, typer.Option(help="emergency: the recipient's facility")] = "",
    discloser: Annotated[str, typer.Option(help="emergency: who discloses it, by name")] = "",
    nature: Annotated[str, typer.Option(help="emergency: what has happened")] = "",
) -> None:
    """Record a ground; prints it as JSON. It counts from now on, and is on the audit trail."""
    end = until.replace(tzinfo=UTC) if until else None
    wanted = story.Act(
        basis, partner, client or (), type_ or (), purpose or (), document, end, recipient,
        affiliation, discloser, nature,
    )  # fmt: skip
    print(json.dumps(run(lambda wiring: story.record(wiring.context, wanted)), indent=2, ensure_ascii=False))


@app.command("list")
def list_() -> None:
    """What is and was on record, the newest first."""
    rows = run(lambda wiring: story.listing(wiring.context))
    table = Table()
    for name in COLUMNS:
        table.add_column(name, no_wrap=name == "id", overflow="fold")
    for row in rows:
        shown = (row.get(name, "") for name in COLUMNS)
        table.add_row(*(" ".join(each) if isinstance(each, list) else str(each) for each in shown))
    Console(width=None if sys.stdout.isatty() else WIDE).print(table if rows else "no grounds")


@app.command("end")
def stop(ground: str) -> None:
    """From now on it carries nothing."""
    run(lambda wiring: story.end(wiring.context, ground))
    print("ended")
