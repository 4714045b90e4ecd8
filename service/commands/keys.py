"""`casebridge keys`: our signing keys and the secret behind them, changed without a pause."""

import json
from typing import Annotated

import typer

from service.commands.running import run
from service.fhir.json import JsonObject
from service.flows import our_keys as story

app = typer.Typer(
    no_args_is_help=True, help="Our own keys: what we sign with, and what encrypts stored secrets."
)


@app.command("list")
def list_() -> None:
    """Every key: which sign, which are published ahead, which are on their way out."""
    _show(run(lambda wiring: story.listing(wiring.context)))


@app.command()
def rotate(
    now: Annotated[bool, typer.Option(help="sign with the new keys at once, not in ten minutes")] = False,
) -> None:
    """Make new signing keys. Partners find old and new in our key set meanwhile."""
    _show(run(lambda wiring: story.rotate(wiring.context, at_once=now)))


@app.command()
def retire(
    kid: str,
    compromised: Annotated[
        bool, typer.Option(help="take it out of our key set at once: somebody else may have it")
    ] = False,
) -> None:
    """Sign no more with one key; a missing one is made."""
    _show(run(lambda wiring: story.retire(wiring.context, kid, compromised=compromised)))


@app.command()
def reseal(
    new: Annotated[bool, typer.Option(help="with a new secret in the file secret.key")] = False,
    forget: Annotated[
        bool, typer.Option(help="afterwards the older lines of that file open nothing")
    ] = False,
) -> None:
    """Encrypt everything stored with the newest secret; prints how many rows of which table."""
    print(json.dumps(run(lambda wiring: story.reseal(wiring.context, new=new, forget=forget)), indent=2))


def _show(rows: list[JsonObject]) -> None:
    for row in rows:
        until = {"signing": "signs_until", "retired": "published_until"}.get(row["state"], "")
        ends = f" until {row[until]}" if until in row else ""
        print(f"{row['kid']}  {row['algorithm']}  {row['state']} from {row['signs_from']}{ends}")
