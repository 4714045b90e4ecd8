"""Measure/$evaluate-measure (https://hl7.org/fhir/R4/measure-operation-evaluate-measure.html): a summary over a period.

The case-management system sees every count. A funder sees finished quarters of the calendar, small counts hidden and
nobody who works here named: periods of its own choosing could be subtracted from each other. Others see none.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from service.coordination.calendar import months
from service.coordination.gpra.measure_report import URL as GPRA
from service.coordination.measures.counting import Asked
from service.coordination.measures.report import BASE, definition, report
from service.coordination.measures.table import measures
from service.fhir.json import JsonObject, decode_object
from service.fhir.references import local
from service.fhir.shelf import data_folder
from service.flows.access.roles import FUNDER
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.gpra.report import measured, today_of
from service.flows.measures.tell import told
from service.flows.read import read
from service.kernel.failures import Refused
from service.store import measures as store

MEASURE, REPORT, GROUP = "Measure", "MeasureReport", "Group"
OUTCOMES: Final = GPRA.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`measure`: its name or canonical; `subject`: a `Group/…` or nothing; `grant`: of the GPRA measure only."""

    measure: str
    start: str
    end: str
    subject: str = ""
    kind: str = ""
    grant: str = ""


@cache
def shipped() -> dict[str, JsonObject]:
    """The Measures of this release by id."""
    path = data_folder() / "gpra" / f"Measure-{OUTCOMES}.json"
    return {row.name: definition(row) for row in measures.values()} | {
        OUTCOMES: decode_object(path.read_bytes())
    }


async def definition_of(caller: Caller, id_: str) -> JsonObject:
    """A Measure that we ship."""
    caller.require(MEASURE, "r")
    return shipped()[id_]


async def evaluate(context: Context, caller: Caller, asked: Evaluation) -> JsonObject:
    """The MeasureReport. Refused: forbidden (who may not ask), absent (the measure), malformed."""
    caller.require(MEASURE, "r")
    caller.require(REPORT, "r")
    name = _name(asked.measure)
    start, end = _day("periodStart", asked.start), _day("periodEnd", asked.end)
    if start > end:
        raise Refused("malformed", "the period ends before it starts")
    if asked.kind not in ("", "population", "summary"):
        raise Refused("unsupported", "measures are told over clients: reportType is population")
    if asked.grant and name != OUTCOMES:
        raise Refused("malformed", f"the parameter grant is for Measure/{OUTCOMES}")
    if not caller.custodian:
        _outside(context, caller, asked, start, end)
    if asked.subject and name in measures and not measures[name].clients:
        raise Refused(
            "unsupported", f"{measures[name].title} is not counted of some clients: leave subject out"
        )
    group = await _group(context, caller, asked.subject)
    if name == OUTCOMES:
        return await _outcomes(context, asked, (start, end), group)
    clients = await _clients(context, group)
    row, small = measures[name], 1 if caller.custodian else context.settings.small_cells
    found = await told(context, [name], Asked(start, end, clients, small, outside=not caller.custodian))
    [result] = found.results
    return report(
        f"{BASE}/{name}",
        result.rates,
        (start, end),
        context.clock(),
        found.gathered.home,
        row.unit,
        asked.subject,
    )


def _name(said: str) -> str:
    url, _, version = said.partition("|")
    name = url.removeprefix(f"{BASE}/").removeprefix(f"{MEASURE}/")
    if name not in shipped() or version not in ("", shipped()[name]["version"]):
        raise Refused("absent", f"this Measure is not known here; there are {', '.join(shipped())}")
    return name


def _day(name: str, said: str) -> date:
    try:
        return date.fromisoformat(said[:10])
    except ValueError:
        raise Refused("malformed", f"the parameter {name} is needed, a date like 2026-03-31") from None


def _outside(context: Context, caller: Caller, asked: Evaluation, start: date, end: date) -> None:
    if FUNDER not in caller.roles:
        raise Refused("forbidden", "measures are told to the case-management system and to funders")
    quarter = start.day == 1 and start.month % 3 == 1 and end == _last_of_quarter(start)
    if not quarter or end >= today_of(context):
        text = "a funder asks for a quarter of the calendar that is over: like 2026-01-01 to 2026-03-31"
        raise Refused("forbidden", text)
    if asked.subject or asked.grant:
        raise Refused("forbidden", "a funder asks about all clients together")


def _last_of_quarter(start: date) -> date:
    return date.fromordinal(months(start, 3).toordinal() - 1)


async def _group(context: Context, caller: Caller, subject: str) -> frozenset[str] | None:
    """The clients (`Patient/…`) of the Group asked about; None for everybody."""
    if not subject:
        return None
    key = local(subject, context.base)
    if key is None or key[0] != GROUP:
        raise Refused(
            "unsupported", "the parameter subject is a Group of this server, or left out for everybody"
        )
    found = decode_object((await read(context, caller, *key)).body or b"{}")
    members = (
        each.get("entity", {}).get("reference", "")
        for each in found.get("member", [])
        if not each.get("inactive")
    )
    return frozenset("/".join(whom) for each in members if (whom := local(each, context.base)))


async def _clients(context: Context, group: frozenset[str] | None) -> frozenset[str] | None:
    if group is None:
        return None
    async with context.database.reading() as connection:
        return frozenset(await store.clients_of(connection, sorted(group)))


async def _outcomes(
    context: Context, asked: Evaluation, period: tuple[date, date], group: frozenset[str] | None
) -> JsonObject:
    """Follow-up rate and outcomes of intakes in the period; small counts are hidden whoever asks."""
    _, made = await measured(context, asked.grant or None, period=period, patients=group)
    return {**made, **({"subject": {"reference": asked.subject}} if asked.subject else {})}
