"""`python -m service.simulator`: an agency that is told where Casebridge is, without its database.

Light to start; `casebridge simulate` is the command for people.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from service.simulator.behaviour import BEHAVIOURS, Behaviour
from service.simulator.process import Plan, run


def main(  # noqa: PLR0917 - typer makes them options
    name: str,
    behaviour: str = "accept-complete",
    port: int = 0,
    pace: float = 0.5,
    seed: int = 1,
    casebridge: str | None = None,
    keep: Path | None = None,
    light: bool = False,
    child: Annotated[bool, typer.Option(help="stop when standard input ends")] = False,
) -> None:
    """Run until stopped."""
    plan = Plan(name, chosen(behaviour), port, pace, seed, casebridge, keep=keep, light=light)
    asyncio.run(run(plan, until_input_ends=child))


def chosen(text: str) -> Behaviour:
    """A behaviour by its name; ends the command with the list of them otherwise."""
    for behaviour in BEHAVIOURS:
        if behaviour == text:
            return behaviour
    raise typer.BadParameter(f"a behaviour is one of {', '.join(BEHAVIOURS)}")


if __name__ == "__main__":
    typer.run(main)
