"""`casebridge report measures`: how well case management goes, measure by measure."""

from datetime import date, datetime
from typing import Annotated, Any

import typer

from service.commands.mapping import show
from service.commands.running import fail, run
from service.coordination.measures.counting import Asked, Counted
from service.coordination.measures.rates import Rate
from service.flows.measures.tally import count
from service.flows.measures.tell import Result, keep, told
from service.kernel.failures import Refused
from service.wiring import Wiring

RATES = ("measure", "by", "stratum", "numerator", "denominator", "rate", "median", "unit", "hidden")
OPEN = ("measure", "what", "client", "on", "case_manager")


def measures(
    measure: Annotated[
        list[str] | None, typer.Option(help="one by name; may be repeated; all if left out")
    ] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="from this day on")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="up to this day")] = None,
    open_: Annotated[
        bool, typer.Option("--open", help="instead: what does not count, like referrals without an outcome")
    ] = False,
    outside: Annotated[
        bool, typer.Option(help="as a funder may see it: small counts hidden, nobody who works here named")
    ] = False,
    store: Annotated[
        bool,
        typer.Option("--store", help="keep each as a MeasureReport of the period, as a funder may see it"),
    ] = False,
    console: Annotated[
        bool, typer.Option("--console", help="count anew what the console shows: the last year")
    ] = False,
    format_: Annotated[str, typer.Option("--format", help="table, json or csv")] = "table",
) -> None:
    """Timeliness, linkage, plans, contacts, caseload, continuity, loops, satisfaction, coverage: by stratum."""
    names, first, last = measure or [], *(each.date() if each else None for each in (since, until))
    if console:
        print(f"{len(run(lambda wiring: count(wiring.context)))} measures counted")
        return
    if store:
        if first is None or last is None:
            fail(Refused("malformed", "a MeasureReport that is kept has a period: say --since and --until"))
        for reference in run(lambda wiring: keep(wiring.context, names, first, last)):
            print(reference)
        return
    results = run(lambda wiring: _told(wiring, names, first, last, outside=outside))
    if open_:
        show([_open(each, one) for each in results for one in each.open], OPEN, format_)
    else:
        show([_rate(each, one) for each in results for one in each.rates], RATES, format_)


async def _told(
    wiring: Wiring, names: list[str], since: date | None, until: date | None, *, outside: bool
) -> list[Result]:
    small = wiring.context.settings.small_cells if outside else 1
    return (await told(wiring.context, names, Asked(since, until, small=small, outside=outside))).results


def _rate(result: Result, one: Rate) -> dict[str, Any]:
    counts = {
        "numerator": one.numerator,
        "denominator": one.denominator,
        "rate": one.rate,
        "median": one.typical,
    }
    shown = {name: "" if value is None else value for name, value in counts.items()}
    unit = result.measure.unit if one.typical is not None else ""
    hidden = "small counts" if one.denominator is None else ""
    return {
        "measure": one.measure,
        "by": one.stratifier,
        "stratum": one.stratum,
        **shown,
        "unit": unit,
        "hidden": hidden,
    }


def _open(result: Result, one: Counted) -> dict[str, Any]:
    worker = one.strata.get("case manager", "")
    return {
        "measure": result.measure.name,
        "what": one.what,
        "client": one.client,
        "on": f"{one.on}",
        "case_manager": worker,
    }
