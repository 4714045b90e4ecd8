"""`casebridge export gpra` and `casebridge report gpra`: shared outcome data for the funder, and how clients fare."""

import csv
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.commands.running import run
from service.flows.gpra.export import Reason, Report, Wanted, export, preflight

WIDE = 300
PLACES = ("client", "type", "sequence", "place", "reason")
export_app = typer.Typer(
    no_args_is_help=True, help="Files for those who may have them; each is a disclosure on record."
)


@export_app.command("gpra")
def export_gpra(
    grant: Annotated[str, typer.Option(help="the grant or contract number")],
    to: Annotated[str, typer.Option(help="who receives it: a partner of role funder, by name")],
    tool: Annotated[str, typer.Option(help="csat-gpra, suprt-a, suprt-c")] = "csat-gpra",
    out: Annotated[Path | None, typer.Option(help="the file to write; without it nothing leaves")] = None,
    format_: Annotated[str, typer.Option("--format", help="csv (SPARS), sais (XML batch) or ndjson")] = "csv",
    missing: Annotated[
        bool, typer.Option(help="also interviews with unanswered questions, coded -9")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="write the preflight report here, as CSV")] = None,
) -> None:
    """Interviews under a grant as a file. First the preflight: what is not ready, and why, place by place."""
    wanted = Wanted(grant, tool, to, format_, missing)
    if out is None:
        told = run(lambda wiring: preflight(wiring.context, wanted))
    else:
        document, told = run(lambda wiring: export(wiring.context, wanted))
        if told.ready:
            _write(out, document)
    if report is not None:
        _save(report, told.reasons)
    _tell(told, out)


def _write(path: Path, document: bytes) -> None:
    """For the operator's eyes only: it is about substance use treatment."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(document)


def _save(path: Path, reasons: list[Reason]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, PLACES)
        writer.writeheader()
        writer.writerows(asdict(each) for each in reasons)


def _tell(told: Report, out: Path | None) -> None:
    if told.reasons:
        table = Table(*PLACES)
        for each in told.reasons:
            table.add_row(*(str(value) for value in asdict(each).values()))
        Console(stderr=True, width=None if sys.stderr.isatty() else WIDE).print(table)
    done = {"ready": told.ready, "held_back": told.held_back, "file": str(out) if out and told.ready else ""}
    print(json.dumps(done, ensure_ascii=False))
