"""Facts of a case, from the records, the referrals' steps and what hospitals sent."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import chain
from typing import Any

from service.casework import records as words
from service.casework.records.client import Client
from service.coordination.calendar import Calendar, calendar
from service.coordination.facts import Case
from service.fhir.json import decode_object
from service.flows.context import Context
from service.kernel.failures import Refused
from service.mapping import facts
from service.mapping.facts import Filed, Former, Sent, Step
from service.store import leads, timers
from service.store.records import Kept

PAGE = 1000
AT_ONCE = 20
"""Clients that are read before others have a turn."""
Dated = tuple[Kept, datetime]


@dataclass
class Known:
    """What is known of one client. `references`: record (`care-plans/x`) → the resource it is. `filed`: the records."""

    client: Client
    case: Case
    source: str
    patient: str
    references: dict[str, str] = field(default_factory=dict)
    filed: Sequence[Filed] = ()


async def calendar_of(context: Context, connection: Any, agency: str) -> Calendar:
    """The agency's calendar; until one is set, Monday to Friday in CASEBRIDGE_TIME_ZONE without holidays."""
    found = await timers.calendar(connection, agency)
    return calendar(*found) if found else calendar(context.settings.time_zone)


async def known(connection: Any, kept: Kept, patients: Sequence[str], days: Calendar) -> Known | None:
    """One client, under every Patient that is this person, the target of all first; None when the record cannot be
    read."""
    dated = await timers.of_client(connection, kept.source, patients)
    steps = [_steps(await timers.steps(connection, kept.source, each))[each] for each in patients]
    sent = _sent(await timers.sent(connection, kept.source, patients))
    former = _former(await timers.former(connection, kept.source, kept.id))
    told = [one for each in patients for one in sent[each]]
    turns = [_turns(await timers.turns(connection, kept.source, each), days)[each] for each in patients]
    found = _known(kept, patients[0], dated, list(chain(*steps)), told, former[kept.id], days)
    return (
        _counted(found, sorted(chain(*turns), key=lambda each: each[0]), found.case.lead) if found else None
    )


async def everybody(connection: Any, source: str, days: Calendar) -> list[Known]:
    """Every client of a casework system: for reports. Other requests have their turn in between."""
    by_client: dict[str, list[Dated]] = defaultdict(list)
    clients: dict[str, Kept] = {}
    behind = ("", "")
    while True:
        page = await timers.everything(connection, source, behind, PAGE)
        for kept, first in page:
            behind = (kept.kind, kept.id)
            whose = kept.id if kept.kind == "clients" else decode_object(kept.body).get("client")
            if kept.kind == "clients":
                clients[kept.id] = kept
            if whose:
                by_client[whose].append((kept, first))
        if len(page) < PAGE:
            break
    patients = {id_: patient_of(kept) for id_, kept in clients.items()}
    steps = _steps(await timers.steps(connection, source, None))
    sent = _sent(await timers.sent(connection, source, sorted(filter(None, patients.values()))))
    former = _former(await timers.former(connection, source, None))
    turns = _turns(await timers.turns(connection, source, None), days)
    led = await leads.led(connection, source)
    found: list[Known] = []
    for number, (id_, kept) in enumerate(clients.items()):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        patient = patients[id_]
        if not patient:
            continue
        known = _known(kept, patient, by_client[id_], steps[patient], sent[patient], former[id_], days)
        if known:
            lead = led.get(patient, known.case.lead)
            found.append(_counted(known, turns[patient], lead))
    return found


def patient_of(kept: Kept) -> str:
    """The Patient that a client's record became; empty when there is none."""
    return next((each for each in kept.resources if each.startswith("Patient/")), "")


def _known(
    kept: Kept,
    patient: str,
    dated: Iterable[Dated],
    steps: Sequence[Step],
    sent: Sequence[Sent],
    former: Sequence[Former],
    days: Calendar,
) -> Known | None:
    client = readable(kept, kept.updated)
    if client is None or not isinstance(client.record, Client):
        return None
    rows = list(dated)
    filed = [each for each in (readable(*row) for row in rows) if each]
    told = {f"{row.kind}/{row.id}": _main(row) for row, _ in rows if row.resources}
    told |= {name: f"{name}/_history/{version}" for name, version in _versions(sent)}
    case = facts.case(client.record, filed, steps, sent, days, former)
    return Known(client.record, case, kept.source, patient, told, filed)


def _versions(sent: Iterable[Sent]) -> Iterable[tuple[str, str]]:
    """Another's resource is named with its version: then our Task does not keep it from deletion."""
    for each in sent:
        body = each.resource
        yield f"{body['resourceType']}/{body['id']}", str(body.get("meta", {}).get("versionId", "1"))


_MAIN = {"clients": "EpisodeOfCare/", "referrals": "ServiceRequest/", "complaints": "Communication/"}


def _main(kept: Kept) -> str:
    """The resource that the record is about."""
    wanted = _MAIN.get(kept.kind, "")
    return next((each for each in reversed(kept.resources) if each.startswith(wanted)), kept.resources[-1])


def readable(kept: Kept, first: datetime) -> Filed | None:
    """The record; None for one of an older release that cannot be read: it is passed, the others count."""
    try:
        record = words.read(kept.kind, kept.id, decode_object(kept.body))
    except Refused:
        return None
    return Filed(kept.kind, kept.id, record, first, kept.updated)


def _counted(known: Known, turns: Sequence[tuple[date, Calendar]], lead: str | None) -> Known:
    return replace(known, case=replace(known.case, turns=tuple(turns), lead=lead))


def _turns(
    found: Iterable[tuple[str, datetime, str | None, list[int], list[date]]], home: Calendar
) -> dict[str, list[tuple[date, Calendar]]]:
    turns: dict[str, list[tuple[date, Calendar]]] = defaultdict(list)
    for patient, starts, zone, week, holidays in found:
        turns[patient].append((home.day_of(starts), calendar(zone, week, holidays) if zone else home))
    return turns


def _former(found: Iterable[tuple[str, int, bytes, datetime, datetime]]) -> dict[str, list[Former]]:
    former: dict[str, list[Former]] = defaultdict(list)
    for id_, version, body, since, until in found:
        try:
            record = words.read("clients", id_, decode_object(body))
        except Refused:
            continue
        if isinstance(record, Client):
            former[id_].append(Former(record, since if version > 1 else None, until))
    return former


def _steps(found: Iterable[tuple[str, str, str, datetime, bytes]]) -> dict[str, list[Step]]:
    steps: dict[str, list[Step]] = defaultdict(list)
    for patient, record, direction, at, body in found:
        task = decode_object(body)
        status, priority = task.get("status", ""), task.get("priority", "routine")
        steps[patient].append(Step(record, direction, status, priority, at))
    return steps


def _sent(found: Iterable[tuple[str, datetime, bytes]]) -> dict[str, list[Sent]]:
    sent: dict[str, list[Sent]] = defaultdict(list)
    for patient, at, body in found:
        sent[patient].append(Sent(decode_object(body), at))
    return sent
