"""`casebridge reindex`: what finds the resources, written anew."""

import sys
from typing import Annotated

import typer

from service.commands.running import run
from service.flows import reindex as story
from service.wiring import Wiring


def reindex(
    type_: Annotated[list[str] | None, typer.Option("--type", help="only this type; may be repeated")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="also resources that the rules of now have indexed")
    ] = False,
) -> None:
    """Write the search index anew for resources that an older release indexed; serving goes on meanwhile."""

    async def told(wiring: Wiring) -> dict[str, int]:
        done: dict[str, int] = {}
        async for each in story.reindex(wiring.context, tuple(type_ or ()), everything=everything):
            done[each.type] = each.done
            if sys.stderr.isatty():
                print(f"\r{each.type}: {each.done} of {each.total}", end="", file=sys.stderr, flush=True)
        return done

    done = run(told)
    if sys.stderr.isatty() and done:
        print(file=sys.stderr)
    for name, count in done.items():
        print(f"{name}: {count}")
    if not done:
        print("nothing to do: the rules of now have indexed everything")
