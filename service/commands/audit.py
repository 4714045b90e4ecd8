"""`casebridge audit`: is the trail what it was?"""

from pathlib import Path
from typing import Annotated

import typer

from service.commands.running import run
from service.flows.audit.archive import archive as archive_story
from service.flows.audit.archive import verify_files
from service.flows.audit.verify import Verdict
from service.flows.audit.verify import verify as story
from service.wiring import Wiring

app = typer.Typer(no_args_is_help=True, help="The audit trail.")


@app.callback()
def _audit() -> None:
    """The audit trail."""


@app.command()
def verify(
    files: Annotated[bool, typer.Option(help="also read every archived file")] = False,
    archives: Annotated[
        Path | None, typer.Option(help="where they are, if not in the data directory")
    ] = None,
) -> None:
    """Check every row, link, checkpoint, archive and the anchor; `ok` with counts, or what was changed and where."""

    async def whole(wiring: Wiring) -> tuple[Verdict, list[str]]:
        verdict = await story(wiring.context)
        return verdict, [
            *verdict.findings,
            *(await verify_files(wiring.context, archives) if files else []),
        ]

    verdict, findings = run(whole)
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} findings in {verdict.rows} rows, {verdict.checkpoints} checkpoints")
        raise typer.Exit(1)
    print(f"ok: {verdict.rows} rows in the chain, {verdict.checkpoints} checkpoints, anchor in place")


@app.command()
def archive(
    to: Annotated[
        Path | None, typer.Option(help="folder for the file; default audit-archive in the data directory")
    ] = None,
) -> None:
    """Move rows older than CASEBRIDGE_AUDIT_KEEP_YEARS into a signed file; the chain stays provable."""
    done = run(lambda wiring: archive_story(wiring.context, to))
    print(f"{done.rows} rows in {done.file}" if done.file else "nothing is old enough to be archived")
