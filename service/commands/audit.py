"""`casebridge audit`: is the trail what it was?"""

import typer

from service.commands.running import run
from service.flows.audit.verify import verify as story

app = typer.Typer(no_args_is_help=True, help="The audit trail.")


@app.callback()
def _audit() -> None:
    """The audit trail."""


@app.command()
def verify() -> None:
    """Check every row, link, checkpoint and the anchor; `ok` with counts, or what was changed and where."""
    verdict = run(lambda wiring: story(wiring.context))
    for finding in verdict.findings:
        print(finding)
    if verdict.findings:
        print(f"{len(verdict.findings)} findings in {verdict.rows} rows, {verdict.checkpoints} checkpoints")
        raise typer.Exit(1)
    print(f"ok: {verdict.rows} rows in the chain, {verdict.checkpoints} checkpoints, anchor in place")
