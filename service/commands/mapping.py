"""`casebridge remap` and `casebridge report unmapped`: what the mappings make, and what they cannot translate."""

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from service.commands.running import run
from service.flows import remap_records, report_unmapped
from service.wiring import Wiring

WIDE = 300


def remap(
    apply: Annotated[
        bool, typer.Option(help="write the differences; without it they are only shown")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="also records that the mapping of now has made")
    ] = False,
) -> None:
    """Run the mappings again over the records an older one has mapped, and show what differs."""

    async def story(wiring: Wiring) -> list[remap_records.Difference]:
        found = remap_records.remap(wiring.context, apply=apply, everything=everything)
        return [each async for each in found]

    rows = run(story)
    table = Table("record", "resource", "change", "elements")
    for each in rows:
        table.add_row(f"{each.kind}/{each.id}", each.resource, each.change, " ".join(each.elements))
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    console.print(table if rows else "nothing differs")
    if rows:
        did = "written" if apply else "not written; casebridge remap --apply writes them"
        count = "one difference" if len(rows) == 1 else f"{len(rows)} differences"
        print(f"{count}, {did}")


def unmapped(
    format_: Annotated[str, typer.Option("--format", help="table, json or csv")] = "table",
) -> None:
    """Codes of records that no map translates: they travel as text with their own coding."""
    rows = run(lambda wiring: report_unmapped.report_unmapped(wiring.context))
    show([asdict(each) for each in rows], ("kind", "finding", "records", "example"), format_)


def show(rows: Sequence[dict[str, Any]], columns: Sequence[str], format_: str) -> None:
    """Rows as a table for people, or as JSON or CSV for programs."""
    if format_ == "json":
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif format_ == "csv":
        writer = csv.DictWriter(sys.stdout, columns)
        writer.writeheader()
        writer.writerows(rows)
    elif format_ == "table":
        table = Table(*columns)
        for row in rows:
            table.add_row(*(str(row[name]) for name in columns))
        Console(width=None if sys.stdout.isatty() else WIDE).print(table if rows else "nothing to report")
    else:
        raise typer.BadParameter("--format is table, json or csv")
