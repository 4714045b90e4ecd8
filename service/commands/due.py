"""`casebridge calendar`, `casebridge report timeliness` and `report caseload`: what is due, and was it done."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from service.commands.mapping import show
from service.commands.running import run
from service.coordination.calendar import Calendar
from service.coordination.caseload import Load
from service.flows.due import calendars, report

app = typer.Typer(
    no_args_is_help=True,
    help="When the agency works: time zone, working week, holidays. Days due are counted in it.",
)
Agency = Annotated[
    str, typer.Option(help="an agency's name as a partner: what begins while it leads; ours when left out")
]
Format = Annotated[str, typer.Option("--format", help="table, json or csv")]


@app.command("show")
def show_(agency: Agency = "") -> None:
    """The calendar that counts, as JSON."""
    _print(run(lambda wiring: calendars.show_calendar(wiring.context, agency)))


@app.command("set")
def set_(
    zone: Annotated[str | None, typer.Option(help="IANA name, like America/New_York")] = None,
    week: Annotated[str, typer.Option(help="weekdays worked: mon,tue,wed,thu,fri")] = "",
    holiday: Annotated[
        list[str] | None, typer.Option(help="a date not worked, 2026-05-25; may be repeated")
    ] = None,
    work: Annotated[list[str] | None, typer.Option(help="a holiday that is none after all")] = None,
    agency: Agency = "",
) -> None:
    """Change what is said, keep the rest. No restart: every case is looked at again at once."""
    days = [each.strip() for each in week.split(",") if each.strip()]
    made, cases = run(
        lambda wiring: calendars.set_calendar(wiring.context, agency, zone, days, holiday or (), work or ())
    )
    _print(made, cases=cases)


def _print(made: Calendar, **more: int) -> None:
    week = [calendars.WEEKDAYS[each] for each in sorted(made.working)]
    told = {"zone": made.zone, "week": week, "holidays": [str(each) for each in sorted(made.holidays)]}
    print(json.dumps(told | more, indent=2))


def timeliness(
    since: Annotated[datetime | None, typer.Option(help="due on this day or later")] = None,
    until: Annotated[datetime | None, typer.Option(help="due on this day or before")] = None,
    format_: Format = "table",
) -> None:
    """Was what the standards ask done in time? Every timer over all clients, from what is filed."""
    first, last = (each.date() if each else None for each in (since, until))
    rows = run(lambda wiring: report.timeliness(wiring.context, first, last))
    show([asdict(each) for each in rows], _columns(report.Timeliness), format_)


def caseload(
    month: Annotated[str | None, typer.Option(help="2026-06; this month when left out")] = None,
    format_: Format = "table",
) -> None:
    """Clients, direct contacts and where they were, by case manager."""
    rows = [asdict(each) for each in run(lambda wiring: report.caseloads(wiring.context, month))]
    if format_ != "json":
        for row in rows:
            row["places"] = " ".join(f"{place}:{count}" for place, count in row["places"].items())
    show(rows, _columns(Load), format_)


def _columns(kind: Any) -> tuple[str, ...]:
    return tuple(kind.__dataclass_fields__)
