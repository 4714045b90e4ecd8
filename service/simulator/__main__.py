"""`python -m service.simulator`: an agency that is told where Casebridge is, without its database.

Light to start; `casebridge simulate` is the command for people.
"""

import asyncio
from pathlib import Path

import typer

from service.simulator.behaviour import Behaviour
from service.simulator.process import Plan, run


def main(
    name: str,
    behaviour: Behaviour = "accept-complete",
    port: int = 0,
    pace: float = 0.5,
    seed: int = 1,
    casebridge: str | None = None,
    keep: Path | None = None,
    light: bool = False,
) -> None:
    """Run until stopped."""
    plan = Plan(name, behaviour, port, pace, seed, casebridge, keep=keep, light=light)
    asyncio.run(run(plan))


if __name__ == "__main__":
    typer.run(main)
