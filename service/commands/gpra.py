"""`casebridge export gpra` and `casebridge report gpra`: shared outcome data for the funder, and how clients fare."""

import csv
import json
import os
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.commands.mapping import show
from service.commands.running import run
from service.coordination.gpra.windows import USUAL
from service.coordination.measures.rates import Rate
from service.fhir.json import pretty
from service.flows.gpra.export import Reason, Report, Wanted, export, preflight
from service.flows.gpra.report import Owed, measured, owed

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
    explain: Annotated[
        Path | None, typer.Option(help="write here, as CSV, which columns hold no answer, and why")
    ] = None,
) -> None:
    """Interviews under a grant as a file. First the preflight: what is not ready, and why, place by place."""
    wanted = Wanted(grant, tool, to, format_, missing)
    if out is None:
        told = run(lambda wiring: preflight(wiring.context, wanted))
    else:
        document, told = run(lambda wiring: export(wiring.context, wanted))
        if told.ready:
            _write(out, document)
            if told.notice:
                _write(out.with_name(f"{out.name}.notice.txt"), f"{told.notice}\n".encode())
    if report is not None:
        _save(report, told.reasons)
    if explain is not None:
        _save(explain, told.unfilled)
    _tell(told, out)


def report_gpra(
    grant: Annotated[str, typer.Option(help="the grant or contract number")],
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="as of this day; today if left out")
    ] = None,
    due: Annotated[bool, typer.Option("--due", help="who owes which interview, instead of rates")] = False,
    three_month: Annotated[bool, typer.Option(help="with --due: three-month interviews, too")] = False,
    format_: Annotated[
        str, typer.Option("--format", help="table, json, csv; fhir (a MeasureReport) for rates")
    ] = "table",
) -> None:
    """The six-month follow-up rate (80 % is asked for), outcomes from intake to follow-up; small counts are hidden."""
    day = as_of.date() if as_of else None
    if due:
        types = ("three-month", *USUAL) if three_month else USUAL
        rows = [_owed(each) for each in run(lambda wiring: owed(wiring.context, grant, day, types))]
        show(rows, OWED, format_)
        return
    rates, told = run(lambda wiring: measured(wiring.context, grant, day))
    if format_ == "fhir":
        print(pretty(told).decode())
    else:
        show([_rate(each) for each in rates], RATES, format_)


def _rate(one: Rate) -> dict[str, object]:
    counts = {"numerator": one.numerator, "denominator": one.denominator, "rate": one.rate}
    shown = {name: "" if value is None else value for name, value in counts.items()}
    small = "small counts" if one.denominator is None else ""
    return {"measure": one.measure, "stratum": one.stratum, **shown, "hidden": small}


def _owed(one: Owed) -> dict[str, object]:
    held = one.due
    days = {"opens": held.opens, "due": held.due, "closes": held.closes}
    told = {name: value.isoformat() for name, value in days.items()}
    return {
        "client": held.client, "sequence": held.sequence, "type": held.type, **told, "state": one.state,
        "owner": one.owner,
    }  # fmt: skip


RATES = ("measure", "stratum", "numerator", "denominator", "rate", "hidden")
OWED = ("client", "sequence", "type", "opens", "due", "closes", "state", "owner")


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
