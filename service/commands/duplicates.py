"""`casebridge report duplicates`: services found twice, and what came of it."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from service.commands.mapping import show
from service.commands.running import run
from service.flows.duplicates import report


def duplicates(
    since: Annotated[datetime | None, typer.Option(help="found on this day or later")] = None,
    until: Annotated[datetime | None, typer.Option(help="found on this day or before")] = None,
    format_: Annotated[str, typer.Option("--format", help="table, json or csv")] = "table",
) -> None:
    """The same need served twice for one client: found, open, resolved how, and what was not given twice since."""
    first, last = (each.date() if each else None for each in (since, until))
    rows = run(lambda wiring: report.duplicates_report(wiring.context, first, last))
    show([asdict(each) for each in rows], tuple(report.Line.__dataclass_fields__), format_)
