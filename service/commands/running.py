"""What every command does: read the settings, run a story on them, and say failures in one sentence."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from service.flows.audit.witness import operator
from service.kernel import events
from service.kernel.failures import Failure, Refused
from service.settings import Settings, strangers
from service.wiring import Wiring, prepared, wire

T = TypeVar("T")


def settings(**given: Any) -> Settings:
    """The settings, with what the command line gave over what the environment says; ends the command if bad."""
    try:
        chosen = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        for each in error.errors(include_input=False):
            name = "_".join(str(step) for step in each["loc"][:1]).upper()
            print(f"CASEBRIDGE_{name}: {each['msg']}", file=sys.stderr)
        raise typer.Exit(2) from None
    events.configure(chosen.log_level)
    if "CASEBRIDGE_PARENT_PIPE" not in os.environ:  # whoever started us has said it
        for name, near in strangers():
            print(f"{name} is no setting" + (f"; is {near} meant?" if near else ""), file=sys.stderr)
    return chosen


def run(story: Callable[[Wiring], Awaitable[T]], data_dir: Path | None = None) -> T:
    """Open everything, run the story, close everything. A failure is a sentence on standard error, exit 1."""
    chosen = settings(data_dir=data_dir)

    async def whole() -> T:
        operator()
        url = await prepared(chosen)
        async with wire(chosen, url, public_url(chosen)).running() as wiring:
            return await story(wiring)

    try:
        return asyncio.run(whole())
    except Failure as failure:
        fail(failure)


def public_url(chosen: Settings) -> str:
    """How partners reach this installation, as far as a command without a port can know."""
    if chosen.public_url:
        return chosen.public_url.rstrip("/")
    noted = chosen.data_dir / "public-url"
    return noted.read_text().strip() if noted.is_file() else "http://127.0.0.1:8080"


def fail(failure: Failure) -> NoReturn:
    """Say it and leave with 1."""
    print(f"casebridge: {failure}", file=sys.stderr)
    if isinstance(failure, Refused):
        for issue in failure.issues:
            text = getattr(issue, "text", "")
            if text and text != failure.text:
                print(f"  {text}", file=sys.stderr)
    raise typer.Exit(1)
