"""`casebridge directory`: community programmes, from Open Referral lists and as HSDS-FHIR."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.commands.running import run
from service.fhir.json import encode
from service.flows.programmes import reading, taking, telling
from service.flows.programmes.taking import Report
from service.wiring import Wiring

app = typer.Typer(no_args_is_help=True, help="Community programmes: what there is, and how to get in.")
Format = Annotated[Literal["table", "json"], typer.Option("--format")]
_SHOWN = 50


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help="a folder, a .json or .ndjson file, or a URL")],
    name: Annotated[
        str, typer.Option("--list", help="what this list is called, at every import")
    ] = "community",
    shrink: Annotated[bool, typer.Option(help="believe it when most of the list has vanished")] = False,
    format_: Format = "table",
) -> None:
    """Take in an Open Referral HSDS 3.0 list: CSV tables, JSON documents, an HSDS API. Exit 1 on rows with trouble."""

    async def story(wiring: Wiring) -> Report:
        if source.startswith(("https://", "http://")):
            listing = await reading.read_url(wiring.context, wiring.outside, source)
        else:
            listing = reading.read_path(Path(source))
        return await taking.take(wiring.context, listing, name, _progress, shrink=shrink)

    report = run(story)
    if format_ == "json":
        print(json.dumps(report.shown(), indent=2, ensure_ascii=False))
    else:
        _told(report)
    if report.troubles:
        raise typer.Exit(1)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {total}", end="" if done < total else "\n", file=sys.stderr, flush=True)


def _told(report: Report) -> None:
    shown = report.shown()
    words = ("new", "changed", "unchanged", "inactive", "refused", "private")
    print(f"list {report.name}: " + ", ".join(f"{shown[word]} {word}" for word in words))
    for each in report.troubles:
        print(f"{each.place}: {each.words}")
    if report.unmapped:
        print("no ConceptMap knows:")
    for term, count in report.unmapped.most_common(_SHOWN):
        print(f"  {term}: {count} services")


@app.command()
def export(
    out: Annotated[Path | None, typer.Option(help="a file; default: standard output")] = None,
) -> None:
    """The active directory as HSDS-FHIR 1.0, one resource a line (ndjson)."""

    async def story(wiring: Wiring) -> int:
        with ExitStack() as stack:
            file = stack.enter_context(out.open("wb")) if out else sys.stdout.buffer
            return await _written(wiring, file)

    count = run(story)
    print(f"{count} resources", file=sys.stderr)


async def _written(wiring: Wiring, file: BinaryIO) -> int:
    count = 0
    async for each in telling.export(wiring.context):
        file.write(encode(each) + b"\n")
        count += 1
    file.flush()
    return count


@app.command()
def stale(
    days: Annotated[int, typer.Option(min=0, help="older than so many days")] = 180, format_: Format = "table"
) -> None:
    """Active programmes that nobody has vouched for lately, oldest first."""
    found = run(lambda wiring: telling.stale(wiring.context, days))
    if format_ == "json":
        rows = [
            {"programme": each.reference, "name": each.name, "agency": each.agency, "list": each.source,
             "assured": each.assured.isoformat(), "days": each.days}
            for each in found
        ]  # fmt: skip
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table()
    for head in ("programme", "agency", "list", "assured", "days", "resource"):
        table.add_column(head, overflow="fold")
    for each in found:
        table.add_row(
            escape(each.name),
            escape(each.agency),
            each.source,
            each.assured.isoformat(),
            str(each.days),
            each.reference,
        )
    Console().print(table)
    print(f"{len(found)} programmes are older than {days} days", file=sys.stderr)
