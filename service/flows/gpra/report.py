"""How the grant's clients fare, and who owes which interview: read from what is on record, counted by pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from service.casework import records as words
from service.casework.records.gpra_interview import GpraInterview
from service.coordination.gpra.edits import Interview
from service.coordination.gpra.measure import rates
from service.coordination.gpra.measure_report import URL
from service.coordination.gpra.tool import Tool, read_tool
from service.coordination.gpra.windows import USUAL, Due, Held, windows
from service.coordination.measures.rates import Rate
from service.coordination.measures.report import report
from service.fhir.json import JsonObject, decode_object
from service.flows.audit.witness import act
from service.flows.context import Context
from service.kernel.failures import Refused
from service.mapping.gpra_interview import values
from service.store import gpra, partners, records, resources
from service.store.console.named import names
from service.store.records import Kept

KIND = "gpra-interviews"
EPISODE = "EpisodeOfCare"


@dataclass(frozen=True, slots=True)
class Owed:
    """An interview that is owed, where it stands today, and the primary case manager who owes it."""

    due: Due
    state: str
    owner: str


async def measured(
    context: Context,
    grant: str | None,
    as_of: date | None = None,
    *,
    period: tuple[date, date] | None = None,
    patients: frozenset[str] | None = None,
) -> tuple[list[Rate], JsonObject]:
    """The rates under a grant (None: all) as of a day (None: the agency's today), and the same as a MeasureReport.

    `period`: of intakes on these days only; `patients`: of these clients only. On the trail. Refused("absent") when no
    interviews with a tool of ours are on record under the grant.
    """
    day = as_of or today_of(context)
    async with context.database.reading() as connection:
        placed = [
            each
            for each in await gpra.placed(connection, grant)
            if patients is None or each[2].patient in patients
        ]
        kept = await records_of(connection, placed)
        home = await partners.home(connection)
    tool, interviews = _interviews([each for each in kept.values() if each is not None])
    if tool is None:
        under = f"under grant {grant!r}" if grant else "of these clients"
        raise Refused("absent", f"no interviews with a tool of ours are on record {under}")
    wanted = _begun(interviews, period) if period else interviews
    found = rates(tool, wanted, day, small=context.settings.small_cells)
    await context.database.record([act(context, "administration", "gpra-reported")])
    first = min(date.fromisoformat(each.day) for each in interviews)
    span = period or (min(first, day), day)
    return found, report(URL, found, span, context.clock(), home.organization if home else "")


def _begun(interviews: Sequence[Interview], period: tuple[date, date]) -> list[Interview]:
    """The interviews of the episodes whose intake was in the period."""
    start, end = (each.isoformat() for each in period)
    begun = {
        (each.grant, each.client, each.sequence)
        for each in interviews
        if each.type == "intake" and start <= each.day <= end
    }
    return [each for each in interviews if (each.grant, each.client, each.sequence) in begun]


async def owed(
    context: Context, grant: str | None, as_of: date | None = None, types: Sequence[str] = USUAL
) -> list[Owed]:
    """Every follow-up that intakes owe, in the order of their due days, with who owes it. On the trail."""
    day = as_of or today_of(context)
    async with context.database.reading() as connection:
        dues = windows(await gpra.of_grant(connection, grant), types)
        leads = await owners(connection, [each.patient for each in dues])
    await context.database.record([act(context, "administration", "gpra-dues-listed")])
    return [Owed(each, each.state(day), leads.get(each.patient, "")) for each in dues]


async def owners(connection: Any, patients: Sequence[str]) -> dict[str, str]:
    """Client (`Patient/…`) → the primary case manager of the client's EpisodeOfCare, by name."""
    leads: dict[str, str] = {}
    for row in await resources.of_patients(connection, sorted({*patients}), [EPISODE]):
        held = decode_object(row.body or b"{}")
        lead = held.get("careManager", {})
        if held.get("status") in ("active", "onhold", "planned") and lead:
            leads[row.patient or ""] = str(lead.get("display") or lead.get("reference") or "")
    called = await names(connection, leads.values())
    return {patient: called.get(lead, lead) for patient, lead in leads.items()}


def today_of(context: Context) -> date:
    """The agency's date."""
    return context.clock().astimezone(context.settings.zone).date()


async def records_of(connection: Any, placed: Sequence[tuple[str, str, Held]]) -> dict[tuple[str, str], Kept]:
    """The records of interviews, by source and id."""
    kept: dict[tuple[str, str], Kept] = {}
    for source in {source for source, _, _ in placed}:
        own = [(KIND, id_) for s, id_, _ in placed if s == source]
        for each in (await records.those(connection, source, own)).values():
            kept[source, each.id] = each
    return kept


def _interviews(kept: Sequence[Kept]) -> tuple[Tool | None, list[Interview]]:
    """Completed interviews of a tool with a table; of several versions, the one most have."""
    found: dict[tuple[str, str], list[Interview]] = {}
    for each in kept:
        record = words.read(KIND, each.id, decode_object(each.body))
        if isinstance(record, GpraInterview) and read_tool(record.tool, record.version):
            interview = values(record)
            if interview.complete:
                found.setdefault((record.tool, record.version), []).append(interview)
    if not found:
        return None, []
    key = max(found, key=lambda each: len(found[each]))
    return read_tool(*key), found[key]
