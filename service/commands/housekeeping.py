"""`casebridge migrate` and `casebridge settings`."""

import asyncio
import os
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.commands.running import fail
from service.commands.running import settings as chosen_settings
from service.kernel.failures import Failure
from service.settings import Settings
from service.store import migrate as store
from service.wiring import database_url


def migrate(check: Annotated[bool, typer.Option(help="only say where the schema stands")] = False) -> None:
    """Bring the database schema to this release; with --check exit 1 if it is not."""
    try:
        url = database_url(chosen_settings())
        state = asyncio.run(store.schema_state(url) if check else store.migrate(url))
    except Failure as failure:
        fail(failure)
    if check:
        print(state)
        raise typer.Exit(0 if state == "current" else 1)
    print("already current" if state == "current" else "migrated")


def settings() -> None:
    """Every setting, its value and where it comes from; secrets are masked."""
    chosen = chosen_settings()
    table = Table("setting", "value", "from", "what it is")
    for name, field in Settings.model_fields.items():
        variable = f"CASEBRIDGE_{name.upper()}"
        source = (
            "environment"
            if variable in os.environ
            else ".env"
            if name in chosen.model_fields_set
            else "default"
        )
        value = getattr(chosen, name)
        shown = (
            " ".join(map(str, value))
            if isinstance(value, tuple)
            else str(value)
            if value is not None
            else "–"
        )
        table.add_row(variable, shown, source, field.description or "")
    Console().print(table)
