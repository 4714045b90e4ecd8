"""`casebridge report disclosures`: to whom a client's information went."""

import csv
import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.commands.running import run
from service.flows.audit.disclosures import Disclosure, archived_before, listing
from service.flows.audit.witness import act
from service.kernel.clock import instant
from service.wiring import Wiring

COLUMNS = ("date", "client", "recipient", "description", "purpose", "basis", "consents", "arrived", "event")
WIDE = 300


def disclosures(
    client: Annotated[str | None, typer.Option(help="the casework system's own id, or Patient/…")] = None,
    years: Annotated[
        int | None, typer.Option(min=1, max=100, help="how far back; default by setting")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="table, json or csv")] = "table",
) -> None:
    """The accounting of disclosures (42 CFR 2.25; 45 CFR 164.528), newest first. Looking is on the trail too."""
    if format_ not in ("table", "json", "csv"):
        raise typer.BadParameter("one of table, json, csv", param_hint="--format")

    async def story(wiring: Wiring) -> list[Disclosure]:
        found = await listing(wiring.context, client, years)
        about = sorted({one.client for one in found})[:1000]
        row = act(wiring.context, "administration", "disclosures-reported", about=about)
        await wiring.context.database.record([row])
        if before := await archived_before(wiring.context, years):
            print(
                f"before {instant(before)}: see the archived trail (`casebridge audit archive`)",
                file=sys.stderr,
            )
        return found

    _show([_row(each) for each in run(story)], format_)


def _row(one: Disclosure) -> dict[str, str]:
    said = (
        instant(one.date), one.client, one.recipient, one.description, one.purpose, one.basis,
        " ".join(one.consents), one.arrived, f"AuditEvent/{one.event}",
    )  # fmt: skip
    return dict(zip(COLUMNS, said, strict=True))


def _show(rows: list[dict[str, str]], format_: str) -> None:
    if format_ == "json":
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif format_ == "csv":
        writer = csv.DictWriter(sys.stdout, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    else:
        table = Table(*COLUMNS[:-1])
        for row in rows:
            table.add_row(*(row[name] for name in COLUMNS[:-1]))
        Console(width=None if sys.stdout.isatty() else WIDE).print(table if rows else "no disclosures")
