"""`casebridge ingest FILE… --as PARTNER`: newline-delimited JSON through the rules of create, update and delete."""

import gzip
import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TextIO

import orjson
import typer

from service.commands.running import run
from service.flows import ingest as story
from service.flows.ingest import Ingested, Line
from service.wiring import Wiring

SHOWN = 20
"""Refusals that are printed when there is no report."""
EVERY = 50


def ingest(
    files: Annotated[list[Path], typer.Argument(help="NDJSON, also .gz: a resource a line, or deletions")],
    partner: Annotated[str, typer.Option("--as", help="the partner whose data it is")],
    report: Annotated[
        Path | None, typer.Option(help="what became of each line; with one that exists, go on where it ends")
    ] = None,
) -> None:
    """File every line as the partner could; exit 1 when one was refused. Doing it again makes nothing twice."""
    missing = next((file for file in files if not file.is_file()), None)
    if missing is not None:
        raise typer.BadParameter(f"there is no file {missing}")
    counts = run(lambda wiring: file_all(wiring, files, partner, report))
    print(summary(counts))
    if counts["refused"]:
        raise typer.Exit(1)


def summary(counts: Counter[str]) -> str:
    """How many lines had which outcome, in a sentence."""
    return ", ".join(f"{counts[word]} {word}" for word in sorted(counts)) or "nothing to do"


async def file_all(wiring: Wiring, files: list[Path], partner: str, report: Path | None) -> Counter[str]:
    """Every line that the report does not know as taken; how many had which outcome."""
    caller = await story.partner_named(wiring.context, partner)
    done = _taken(report)
    counts: Counter[str] = Counter({"already taken": len(done)} if done else {})
    lines = _lines(files, wiring.settings.max_body_bytes, done)
    out = _opened(report)
    try:
        async for each in story.ingest(wiring.context, caller, lines):
            counts[each.outcome] += 1
            _tell(out, each, counts)
    finally:
        if out is not None:
            out.close()
        if sys.stderr.isatty():
            print(file=sys.stderr)
    return counts


def _tell(out: TextIO | None, each: Ingested, counts: Counter[str]) -> None:
    if out is not None:
        out.write(_row(each))
        out.flush()
    elif each.outcome == "refused" and counts["refused"] <= SHOWN:
        print(f"{each.line.file}:{each.line.number}: {'; '.join(each.issues)}", file=sys.stderr)
    if sys.stderr.isatty() and counts.total() % EVERY == 0:
        print(f"\r{each.line.file}: line {each.line.number}", end="", file=sys.stderr, flush=True)


# the report


def _row(each: Ingested) -> str:
    row = {
        "file": each.line.file,
        "line": each.line.number,
        "digest": _digest(each.line),
        "outcome": each.outcome,
        **({"reference": each.reference} if each.reference else {}),
        **({"issues": each.issues} if each.issues else {}),
    }
    return orjson.dumps(row).decode() + "\n"


def _digest(line: Line) -> str:
    return hashlib.sha256(line.raw or b"").hexdigest()[:16]


def _taken(report: Path | None) -> set[tuple[int, str]]:
    """Number and digest of the lines that an earlier run has taken; refused ones are tried again.

    The last row may have been cut off by whatever ended that run: its line is done again, with the same effect.
    """
    found: set[tuple[int, str]] = set()
    if report is None or not report.is_file():
        return found
    with report.open("rb") as rows:
        for row in rows:
            try:
                told = orjson.loads(row)
                key = (told["line"], told["digest"])
            except (orjson.JSONDecodeError, KeyError, TypeError):
                continue
            (found.discard if told.get("outcome") == "refused" else found.add)(key)
    return found


def _opened(report: Path | None) -> TextIO | None:
    if report is None:
        return None
    torn = report.is_file() and not _ends_well(report)
    out = report.open("a", encoding="utf-8")
    if torn:
        out.write("\n")
    return out


def _ends_well(report: Path) -> bool:
    with report.open("rb") as rows:
        size = rows.seek(0, os.SEEK_END)
        rows.seek(max(0, size - 1))
        return rows.read() in (b"", b"\n")


# the files


def _lines(files: list[Path], limit: int, done: set[tuple[int, str]]) -> Iterator[Line]:
    """What is left to do, a line at a time."""
    for file in files:
        number = 0
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            while raw := stream.readline(limit + 1):
                number += 1
                line = Line(str(file), number, raw.strip() if len(raw) <= limit else None)
                while len(raw) > limit and not raw.endswith(b"\n"):
                    raw = stream.readline(limit + 1) or b"\n"
                if line.raw != b"" and (number, _digest(line)) not in done:
                    yield line
