"""What is due is computed again, whenever something is filed about a client and whenever time makes a difference.

One Task for each thing due, for ever: its id is derived from the client, the timer and what it is about. So counting
again changes nothing, a revised date moves the Task, a fact that comes late completes it, one that is taken back opens
it again. What was over before anybody looked becomes no Task.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from service.coordination import timers as table
from service.coordination.stages import RANKS, TOLD, next_look, stage
from service.coordination.timers import Due, Row
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.meta import content
from service.fhir.row import Row as Version
from service.flows.context import Context
from service.flows.due import gather
from service.flows.due.gather import Known
from service.flows.due.left import left_alone
from service.flows.due.owners import Owners, owners
from service.flows.due.task import OVER, task_of
from service.flows.queue import Queue, work_off
from service.flows.writing import version_of
from service.kernel.clock import instant
from service.kernel.ids import derived_id
from service.store import leads, persons, resources, timers
from service.store.records import Kept
from service.store.timers import Item
from service.store.unit import Told, Unit

LATER = timedelta(minutes=5)
"""A case that could not be looked at, though nothing was filed: looked at again."""
ENDED = ("closed", "moot")
DAY = timedelta(days=1)
FRESH = timedelta(days=2)
"""What began longer ago than this when it is first seen is history: it becomes a Task, told from its next step on."""


async def look_again(context: Context) -> None:
    """A worker starts, perhaps of another release or with other limits (CASEBRIDGE_TIMERS): they count for every case
    within a day."""
    async with context.database.unit() as unit:
        await timers.look_within(unit, context.clock(), DAY)


async def recount(context: Context) -> int:
    """Look at some of the clients of whom something was filed, or whose time has come; returns how many."""
    now = context.clock()
    waiting = Queue(
        lambda unit, most: timers.take(unit, now, most),
        lambda unit, patient: _recount(context, unit, patient, now),
        timers.out,
        lambda unit, patient: timers.behind(unit, patient, now + LATER),
    )
    return await work_off(context, waiting)


async def _recount(context: Context, unit: Unit, patient: str, now: datetime) -> None:
    patients = await persons.group(unit, patient)
    await unit.lock(*(f"due/{each}" for each in patients))
    for merged in patients[1:]:
        await _settle(context, unit, merged, None, [], Owners(""), now)
        await timers.forget(unit, merged)
    patient = patients[0]
    kept = await _record(unit, patients)
    known = None
    if kept is not None:
        days = await gather.calendar_of(context, unit, kept.source)
        known = await gather.known(unit, kept, patients, days)
    if known is None:
        await _settle(context, unit, patient, None, [], Owners(""), now)
        await timers.forget(unit, patient)
        return
    case = await leads.last_of(unit, patient)
    owed_by = await owners(unit, known, case, now)
    found = table.due(known.case, days, now, context.timers)
    await _settle(context, unit, patient, known, found, owed_by, now)
    await left_alone(context, unit, known, case, owed_by, now)
    await timers.watch(unit, patient, known.source, known.client.id, next_look(found, now, days))


async def _record(unit: Unit, patients: Sequence[str]) -> Kept | None:
    """The record of who this is: the one whose case is open, else that of the Patient all were merged into."""
    held = [kept for each in patients if (kept := await timers.client_of(unit, each))]
    led = [kept for kept in held if _open(decode_object(kept.body))]
    return next(iter([*led, *held]), None)


def _open(client: JsonObject) -> bool:
    episode = client.get("episode")
    return episode is not None and episode.get("status", "active") not in ("finished", "cancelled")


async def _settle(
    context: Context,
    unit: Unit,
    patient: str,
    known: Known | None,
    found: list[Due],
    owners: Owners,
    now: datetime,
) -> None:
    """Bring Tasks, events and what we remember of them to what was found."""
    before = await timers.items(unit, patient)
    wanted = {} if known is None else {_id(known, each): each for each in found}
    asked = sorted({id_ for id_ in (*wanted, *before) if id_ not in before or before[id_].task})
    held = await resources.lock(unit, [("Task", id_) for id_ in asked])
    changed = []
    for id_ in sorted({*wanted, *before}):
        one, was, task = wanted.get(id_), before.get(id_), held.get(("Task", id_))
        item = _item(id_, patient, one, was, task, owners, now)
        if item != was:
            told = _tell(context, unit, known, item, was, one, task, owners, now) if item.task else item
            changed.append(told)
    if changed:
        await timers.keep_items(unit, changed)


def _id(known: Known, item: Due) -> str:
    return derived_id("due", known.source, known.client.id, item.timer, item.subject)


def _item(
    id_: str,
    patient: str,
    found: Due | None,
    before: Item | None,
    held: Version | None,
    owners: Owners,
    now: datetime,
) -> Item:
    """The item as it is now."""
    if found is None:
        return _gone(before, now)
    at: str = stage(found, now)
    if before and before.stage in RANKS and at in RANKS and before.due == found.due:
        at = max(before.stage, at, key=RANKS.index)  # a clock set back untells nothing
    ended, by = (found.ended, found.by if at == "closed" else "") if at in ENDED else (None, "")
    if (moment := _by_hand(before, held)) and (ended is None or moment < ended):
        at, ended, by = "closed", moment, f"Task/{id_}"
    row = table.rows[found.timer]
    owner = (owners.supervisor if row.owner == "supervisor" or at == "escalated" else owners.lead) or ""
    if at in ENDED and before:
        owner = before.owner
    over = at in ENDED or (row.shape == "monthly" and found.due <= now)  # nobody can do anything any more
    task = (before is not None and before.task) or not over
    told = before is not None and before.told
    return Item(id_, patient, found.timer, found.subject, found.due, at, owner, ended, by, task, told)


def _gone(before: Item | None, now: datetime) -> Item:
    """The facts that made it due are no more."""
    if before is None:
        raise AssertionError
    return before if before.stage in ENDED else replace(before, stage="moot", ended=now)


def _by_hand(before: Item | None, held: Version | None) -> datetime | None:
    """When a person closed the Task, if one did."""
    if before is None or held is None or held.body is None:
        return None
    if before.by == f"Task/{before.id}":
        return before.ended
    closed = before.stage in RANKS and decode_object(held.body).get("status") in OVER
    return held.updated if closed else None


def _tell(
    context: Context, unit: Unit, known: Known | None, item: Item, before: Item | None, found: Due | None,
    held: Version | None, owners: Owners, now: datetime,
) -> Item:  # fmt: skip
    """The Task as it should be now, and the event if it reached another stage; an end only if its due was told."""
    old = decode_object(held.body) if held and held.body else None
    new = task_of(item, table.rows[item.timer], found, known, old, owners.organization, now)
    source = known.source if known else held.author if held else ""
    if old is None or content(old) != content(new):
        unit.put(version_of(context, new, item.id, held, source, now))
    kind = TOLD.get(item.stage)
    if before is None and found is not None and found.since < now - FRESH:
        return item
    if (
        not kind
        or not source
        or (before and before.stage == item.stage)
        or (item.stage in ENDED and not item.told)
    ):
        return item
    unit.tell(Told(source, kind, now, encode(_event(kind, table.rows[item.timer], item, known, found, now))))
    return replace(item, told=True)


def _event(
    kind: str, row: Row, item: Item, known: Known | None, found: Due | None, now: datetime
) -> JsonObject:
    """In the casework system's words."""
    told: JsonObject = {
        "kind": kind, "at": instant(now), "timer": row.id, "what": row.rule, "task": f"Task/{item.id}",
        "due": instant(item.due), "owner": item.owner,
    }  # fmt: skip
    if known:
        told["client"] = known.client.id
    if found:
        told["record"] = found.record
    if item.stage in ENDED:
        told |= {"done": item.stage == "closed", "by": item.by}
    return told
