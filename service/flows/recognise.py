"""One person, one Patient: whoever arrives is compared with those who are here, by the weights of Patient/$match.

Done by the worker after the commit, never while the sender waits: neither an answer nor its time tells anybody that
somebody else knows this person. What is certainly alike stays two Patients until a person says otherwise; the case
manager is told, and gets a Task (docs/decisions/one-person-one-patient.md).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.matching import Verdict, weigh
from service.fhir.references import texts
from service.fhir.row import Row
from service.fhir.search import extract, keys
from service.flows.context import Context
from service.flows.queue import Queue, work_off
from service.flows.writing import version_of
from service.kernel.clock import instant
from service.kernel.ids import derived_id
from service.store import partners, people, persons, records, resources
from service.store.partners import Partner
from service.store.unit import Told, Unit

PERSON = "Patient"
MOST_ALIKE = 200
_KINDS = "https://casebridge.example/fhir/CodeSystem/due-task"
_DETAILS = "https://casebridge.example/fhir/CodeSystem/task-detail"


async def recognise(context: Context) -> int:
    """Compare some of those who arrived; returns how many, 0 when nobody waits."""
    waiting = Queue(people.take, lambda unit, id_: _compare(context, unit, id_), people.out)
    return await work_off(context, waiting)


async def _compare(context: Context, unit: Unit, newcomer: str) -> None:
    """Ask about the one that is most alike, unless somebody was asked before; a pair that was told apart is passed."""
    home = await partners.home(unit)
    row = next(iter(await resources.known(unit, [(PERSON, newcomer)], None)), None)
    if row is None or row.deleted:
        return
    for other, verdict in await _certain(context, unit, row):
        id_ = question(row, other)
        if unit.collects("Task", id_):
            return
        asked = (await resources.lock(unit, [("Task", id_)])).get(("Task", id_))
        if asked is None:
            await _ask(context, unit, home, id_, row, other, verdict)
        if asked is None or asked.deleted or decode_object(asked.body or b"{}")["status"] != "rejected":
            return


def question(one: Row, other: Row) -> str:
    """The id of the Task about two Patients: a pair is asked about once."""
    return derived_id("same-person", *sorted((one.id, other.id)))


async def _certain(context: Context, unit: Unit, row: Row) -> list[tuple[Row, Verdict]]:
    """Those who are certainly this person, surest first, but for those whose Patients name each other already."""
    sought = decode_object(row.body or b"{}")
    indexed = extract(sought, context.base)
    exact = [key for key in indexed.keys if _tells(key)]
    families = [value for name, value, _ in indexed.strings if name == "family"]
    births = [low for name, low, high in indexed.dates if name == "birthdate" and (high - low).days == 1]
    found = await people.alike(
        unit, row.id, exact, ("family", families), ("birthdate", births[0] if births else None), MOST_ALIKE
    )
    one = await persons.group(unit, row.reference)
    graded = []
    for other in found:
        if other.reference in one:
            continue  # merged: a person has said so already
        candidate = decode_object(other.body or b"{}")
        verdict = weigh(sought, candidate)
        if verdict.grade == "certain" and not _linked(row, sought, other, candidate):
            graded.append((other, verdict))
    return sorted(graded, key=lambda each: (-each[1].weight, each[0].id))


def _tells(key: str) -> bool:
    """An identifier with its system, a telephone number or an e-mail address: the whole of it."""
    parameter, _, form = key.partition("=")
    if parameter == keys.name(PERSON, "identifier"):
        return "|" in form.replace("\\|", "") and not form.endswith("|")
    return parameter == keys.name(PERSON, "telecom") and "|" not in form


def _linked(row: Row, one: JsonObject, other: Row, another: JsonObject) -> bool:
    """Does one of them say itself who the other is?"""
    said = [*texts(one.get("link")), *texts(another.get("link"))]
    return any(text.endswith((row.reference, other.reference)) for text in said)


async def _ask(
    context: Context, unit: Unit, home: Partner | None, id_: str, row: Row, other: Row, verdict: Verdict
) -> None:
    now = context.clock()
    task = _task(home, row, other, verdict, now)
    unit.put(version_of(context, task, id_, None, home.client_id if home else "", now))
    if home is not None:
        unit.tell(Told(home.client_id, "possible-same-person", now, encode(
            await _event(unit, home, f"Task/{id_}", (row, other), verdict, now))))  # fmt: skip


def _task(home: Partner | None, row: Row, other: Row, verdict: Verdict, now: datetime) -> JsonObject:
    """Its references name versions, so that it never keeps a Patient from deletion: that would tell its author."""
    owner = {"owner": {"reference": home.organization}} if home else {}
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [{"system": _KINDS, "code": "same-person"}]},
        "description": "Are these two Patients one person? completed: yes; rejected: no, they are two.",
        "focus": _seen(row),
        "for": _seen(row),
        "authoredOn": instant(now),
        **owner,
        "input": [
            {"type": _detail("possible-same-person"), "valueReference": _seen(other)},
            {"type": _detail("match-weight"), "valuePositiveInt": verdict.weight},
        ],
    }


def _detail(code: str) -> JsonObject:
    return {"coding": [{"system": _DETAILS, "code": code}]}


def _seen(row: Row) -> JsonObject:
    return {"reference": f"{row.reference}/_history/{row.version}"}


async def _event(
    connection: Any, home: Partner, task: str, pair: Sequence[Row], verdict: Verdict, now: datetime
) -> JsonObject:
    """In the casework system's words: which of its clients, and from whom the other one came."""
    clients = [await records.becoming(connection, home.client_id, row.reference) for row in pair]
    others = [await partners.known(connection, row.author) for row in pair if row.author != home.client_id]
    return {
        "kind": "possible-same-person",
        "at": instant(now),
        "task": task,
        "patients": [row.reference for row in pair],
        "clients": [each.id for each in clients if each],
        "partners": sorted({each.name for each in others if each}),
        "weight": verdict.weight,
    }
