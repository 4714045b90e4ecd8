"""A referral that was passed on, and those that pass it on, are brought to say the same.

The state of the parts rolls up into the whole, whose partner hears of it; a whole that ends calls off its open
parts. Each step is a transaction of its own and is decided from what is stored, so a step done twice changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from service.fhir.json import Json, JsonObject, encode
from service.flows import advance_referral
from service.flows.advance_referral import side_of, task_of
from service.flows.context import Context
from service.flows.writing import version_of
from service.kernel.clock import instant
from service.referral import forwarding
from service.referral import loop as referral
from service.referral.lifecycle import Move, State
from service.store import loops, partners, resources
from service.store.loops import Loop
from service.store.unit import Told, Unit

AGAIN = timedelta(seconds=30)
CALLED_OFF = "the referral that this one passes on has ended"


async def take_stirred(context: Context, free: int, busy: Sequence[str]) -> list[Loop]:
    """Up to `free` referrals whose parts or whole have moved."""
    now = context.clock()
    async with context.database.unit() as unit:
        return await loops.stirred(unit, now, now + AGAIN, free, busy)


async def forward_referral(context: Context, whole: Loop) -> None:
    """One step: the whole moves as its parts say, or a part is called off; else there is nothing left to do."""
    async with context.database.reading() as connection:
        found = await loops.parts(connection, whole.id)
    names = [loops.lock_name(each.id) for each in (whole, *found)]
    async with context.database.unit(*names) as unit:
        current = await loops.find(unit, whole.id)
        parts = await loops.parts(unit, whole.id)
        if current is None or {each.id for each in parts} != {each.id for each in found}:
            return  # another part was filed meanwhile: the next look sees it
        held = await resources.lock(unit, [("Task", each.id) for each in (current, *parts)])
        tasks = {id_: task_of(row) for (_, id_), row in held.items() if not row.deleted}
        if not await _step(context, unit, current, parts, tasks):
            await loops.rested(unit, current)


async def _step(
    context: Context, unit: Unit, whole: Loop, parts: Sequence[Loop], tasks: dict[str, JsonObject]
) -> bool:
    """Make the next step if there is one."""
    now = context.clock()
    states = [referral.state(tasks[each.id]) for each in parts if each.id in tasks]
    if whole.id not in tasks:
        return False
    state = referral.state(tasks[whole.id])
    side = side_of(await partners.find(unit, whole.partner))
    move = forwarding.next_step(side.dialect, state, states)
    if move is not None:
        made = {"output": _outputs(tasks, whole, parts)} if move.after.terminal else {}
        await _move(context, unit, whole, tasks[whole.id], move, made, now)
        return True
    for part in parts:
        dialect = side_of(await partners.find(unit, part.partner)).dialect
        off = (
            forwarding.called_off(dialect, state, referral.state(tasks[part.id]))
            if part.id in tasks
            else None
        )
        if off is not None:
            await _move(context, unit, part, tasks[part.id], off, {"statusReason": {"text": CALLED_OFF}}, now)
            return True
    unplaced = forwarding.all_refused(states) and not state.terminal
    if unplaced and await loops.refused(unit, whole.id, len(parts)):
        await _tell_refused(unit, whole, state, now)
    return False


async def _move(
    context: Context, unit: Unit, loop: Loop, task: JsonObject, move: Move, said: JsonObject, now: datetime
) -> None:
    """Our move in this loop, told to the case manager and to the partner."""
    before = (await resources.lock(unit, [("Task", loop.id)]))["Task", loop.id]
    side = side_of(await partners.find(unit, loop.partner))
    kept = {name: value for name, value in task.items() if name != "statusReason"}
    after = {**referral.standing(kept, side.dialect, move.after), "lastModified": instant(now), **said}
    unit.put(version_of(context, {k: v for k, v in after.items() if v}, loop.id, before, before.author, now))
    await advance_referral.advance_referral(context, unit, loop, side, task, after, now, inform_partner=True)


def _outputs(tasks: dict[str, JsonObject], whole: Loop, parts: Sequence[Loop]) -> list[Json]:
    """What the parts have come to, after what the whole has said itself; nothing twice."""
    found: list[Json] = list(tasks[whole.id].get("output", []))
    for part in parts:
        found += [each for each in tasks.get(part.id, {}).get("output", []) if each not in found]
    return found


async def _tell_refused(unit: Unit, whole: Loop, state: State, now: datetime) -> None:
    """Nobody is left who might do it: the case manager asks another agency, or answers the one who asked."""
    body: JsonObject = {"kind": "referral-unplaced", "at": instant(now), "referral": whole.record}
    body |= {"direction": whole.direction, "status": state.status}
    body |= {"partner": (await partners.find(unit, whole.partner)).name}
    unit.tell(Told(whole.source, "referral-unplaced", now, encode(body)))
