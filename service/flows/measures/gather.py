"""Everything a measure counts, measure by measure, from what is on record."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from service.casework import records as words
from service.casework.records.agency import Agency
from service.casework.records.case_manager import CaseManager
from service.coordination import timers
from service.coordination.calendar import Calendar
from service.coordination.measures import counting
from service.coordination.measures.counting import Counted
from service.coordination.measures.table import AREAS
from service.fhir.json import JsonObject, decode_object
from service.flows.context import Context
from service.flows.due import gather
from service.flows.due.calendars import home_of
from service.flows.due.gather import Known
from service.flows.due.report import with_hand
from service.flows.measures.network import Network, network
from service.kernel.failures import Refused
from service.mapping import counting as told
from service.mapping.counting import OF_CLIENT, Told
from service.mapping.parts import full_name
from service.store import duplicates, leads, records
from service.store import measures as store
from service.store import timers as by_hand
from service.store.duplicates import Duplicate

AT_ONCE: Final = 20
"""Clients that are counted before others have a turn."""
OF_CASE: Final = frozenset({"timeliness", "contacts", "places"})


@dataclass
class Gathered:
    """What is counted, by measure. `names`: people and agencies by record id; `patients`: client → `Patient/…`."""

    today: date
    home: str
    counted: dict[str, list[Counted]] = field(default_factory=lambda: defaultdict(list))
    names: dict[str, str] = field(default_factory=dict)
    patients: dict[str, str] = field(default_factory=dict)
    network: Network | None = None


async def gathered(context: Context, connection: Any, wanted: Collection[str]) -> Gathered:
    """Of the measures wanted. Other requests have their turn in between: there may be many clients."""
    home = await home_of(connection, "")
    days = await gather.calendar_of(context, connection, home.client_id)
    today = days.day_of(context.clock())
    made = Gathered(today, home.organization)
    workers = [each async for each in _read(connection, home.client_id, "case-managers", CaseManager)]
    agencies = {each.id: each.name async for each in _read(connection, home.client_id, "agencies", Agency)}
    made.names = {each.id: full_name(each.name) or each.id for each in workers} | agencies
    if {*OF_CLIENT, *OF_CASE, "caseload", "loops", "continuity", "duplicates"} & {*wanted}:
        led = await leads.led(connection, home.client_id, context.clock())
        closed = await by_hand.by_hand(connection)
        everybody = [
            replace(each, case=replace(each.case, lead=led.get(each.patient, each.case.lead)))
            for each in await gather.everybody(connection, home.client_id, days)
        ]
        await _of_everybody(context, made, everybody, days, agencies, closed, wanted)
    if "loops" in wanted:
        made.counted["loops"] = list(_loops(await store.exchanged(connection, home.client_id), made, days))
    if "duplicates" in wanted:
        made.counted["duplicates"] = list(_duplicates(await duplicates.everything(connection), made, days))
    if "continuity" in wanted:
        found = await store.workers(connection, home.client_id)
        made.counted["continuity"] = list(_continuity(found, made, days))
    if "qualified" in wanted:
        made.counted["qualified"] = list(told.qualified(workers, agencies, today))
    if "coverage" in wanted:
        made.network = await network(connection, home.organization, today)
        made.counted["coverage"] = list(_coverage(made.network, today))
    return made


async def _read(connection: Any, source: str, kind: str, model: type[Any]) -> Any:
    """The living records of a kind that can be read."""
    for kept in await records.of_kind(connection, kind):
        if kept.source == source:
            try:
                record = words.read(kind, kept.id, decode_object(kept.body))
            except Refused:
                continue
            if isinstance(record, model):
                yield record


async def _of_everybody(
    context: Context, made: Gathered, everybody: list[Known], days: Calendar, agencies: dict[str, str],
    closed: dict[str, datetime], wanted: Collection[str],
) -> None:  # fmt: skip
    now = context.clock()
    for number, known in enumerate(everybody):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        made.patients[known.client.id] = known.patient
        file = Told(known.case, known.filed, days, agencies)
        for name, count in OF_CLIENT.items():
            if name in wanted:
                made.counted[name] += count(file)
        if OF_CASE & {*wanted}:
            dues = [
                with_hand(known, each, closed) for each in timers.due(known.case, days, now, context.timers)
            ]
            made.counted["timeliness"] += counting.timeliness(known.case, dues, days, now)
            made.counted["contacts"] += counting.contacts(known.case, dues, days, now)
            made.counted["places"] += counting.places(known.case)
    made.counted["caseload"] = list(counting.caseloads((each.case for each in everybody), made.today))


def _loops(found: Iterable[store.Exchanged], made: Gathered, days: Calendar) -> Iterator[Counted]:
    clients = {patient: client for client, patient in made.patients.items()}
    for each in found:
        strata = {
            "partner": each.partner, "direction": "sent" if each.direction == "outbound" else "received",
            "status": each.status.replace("-", " "), told.AREA: told.area_of_request(_body(each.request)),
        }  # fmt: skip
        took = (days.day_of(each.updated) - days.day_of(each.opened)).days if each.closed else None
        client = clients.get(each.patient, each.patient)
        yield Counted(each.closed, days.day_of(each.opened), f"referrals/{each.record}", client, strata, took)


def _body(found: bytes | None) -> JsonObject:
    return decode_object(found) if found else {}


def _duplicates(found: Iterable[Duplicate], made: Gathered, days: Calendar) -> Iterator[Counted]:
    """By the day on which each was found; its value is what is not given twice since, where that is known."""
    clients = {patient: client for client, patient in made.patients.items()}
    for each in found:
        if each.patient in clients:
            strata = {
                "service": each.service,
                "how sure": each.grade,
                "what came of it": each.resolution or "open",
            }
            held = each.resolution == "withdrawn"
            yield Counted(held, days.day_of(each.found), each.one, clients[each.patient], strata, each.units)


def _continuity(
    found: Iterable[tuple[str, bool, int, Any]], made: Gathered, days: Calendar
) -> Iterator[Counted]:
    clients = {patient: client for client, patient in made.patients.items()}
    for patient, open_, workers, since in found:
        strata = {"case": "open" if open_ else "closed"}
        client = clients.get(patient, patient)
        yield Counted(workers == 1, days.day_of(since), patient, client, strata, float(workers))


def _coverage(found: Network, today: date) -> Iterator[Counted]:
    for area in AREAS:
        words_ = told.area_words(area)
        yield Counted(found.covered(area), today, words_, strata={told.AREA: words_})
