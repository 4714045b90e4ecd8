"""A transaction: everything in the Bundle or nothing. https://hl7.org/fhir/R4/http.html#trules

Gather the entries, find or make the id of every one, rewrite the references between them, check all of them at
once (one answer lists everything that is wrong), and remember them in one commit. Reads come last.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from service.fhir.bundle import Entry, entries
from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.flows.aims import Aim, aim, at, expect_distinct, meet
from service.flows.bundle_reads import asks, expect_allowed, look, version_named
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.delete import drop
from service.flows.integrity import expect_free, expect_known
from service.flows.keep import Wish, keep, lock_names
from service.flows.linking import Links
from service.flows.patch import in_bundle, patched
from service.flows.writing import checked
from service.kernel.failures import Refused
from service.store import resources
from service.store.unit import Unit

BREATH = 20
"""Entries checked before others get their turn on the event loop."""


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to one entry: a version, a Bundle (`body`), or nothing but a status.

    `refused` is why a read could not be answered; `issues` what was found that did not stop a write.
    """

    status: str
    row: Row | None = None
    body: bytes | None = None
    refused: Refused | None = None
    issues: Sequence[Issue] = ()


async def receive_bundle(context: Context, caller: Caller, bundle: JsonObject) -> list[Done]:
    """Answers in the order of the entries. Refused names `Bundle.entry[n]` and leaves nothing behind."""
    return await receive_entries(context, caller, entries(bundle, context.settings.max_bundle_entries))


async def receive_entries(
    context: Context, caller: Caller, rows: Sequence[Entry], *, alone: bool = False
) -> list[Done]:
    """As `receive_bundle`, for entries that are read already. `alone`: the one entry of a batch."""
    aims = [aim(entry, caller, context.base) for entry in rows if not asks(entry)]
    for entry in rows:
        if asks(entry):
            expect_allowed(entry, caller, context.base, alone=alone)
    expect_distinct(aims)
    done: dict[int, Done] = {}
    if aims:
        async with context.database.unit() as unit:
            done = await write(context, unit, caller, aims)
    for entry in rows:
        if asks(entry):
            done[entry.place] = await _read(context, caller, entry)
    return [done[entry.place] for entry in rows]


async def write(context: Context, unit: Unit, caller: Caller, aims: Sequence[Aim]) -> dict[int, Done]:
    """What the writing entries come to, by their places, in a unit that its opener commits.

    Conditions are locked and answered first, then all resources are locked in one order.
    """
    conditions = {each.condition for each in aims if each.condition}
    if conditions:
        await unit.lock(*conditions)
        aims = await meet(context, unit, caller, aims)
        expect_distinct(aims)
    if locks := _locks(aims):
        await unit.lock(*locks)
    held = await _held(unit, caller, aims)
    done = await _deletes(context, unit, caller, aims, held)
    written = await _contents(context, unit, caller, aims, held)
    found = await _check_all(context, aims, written)
    await _expect_whole(context, unit, caller, aims, written)
    wishes = [
        Wish({**written[each.entry.place], "id": each.id}, each.id, _expected(each.entry), each.fresh,
             only_new=bool(each.entry.if_none_match),
             relabels=caller.custodian and each.entry.method == "PATCH")
        for each in aims if each.writes
    ]  # fmt: skip
    kept = await keep(context, unit, caller, wishes, context.clock())
    for each, result in zip((each for each in aims if each.writes), kept, strict=True):
        status = "201 Created" if result.created else "200 OK"
        done[each.entry.place] = Done(status, result.row, issues=found.get(each.entry.place, ()))
    for each in aims:
        if each.match is not None:
            done[each.entry.place] = Done("200 OK", each.match)
    return done


def _locks(aims: Sequence[Aim]) -> list[str]:
    """Names of what exists or may exist; an id of ours that is new needs none, but for a Task's loop."""
    firm = [each.key for each in aims if each.id and each.match is None and not each.fresh]
    tasks = [each.key for each in aims if each.fresh and each.entry.method == "POST"]
    return lock_names(firm) + [name for name in lock_names(tasks) if "/" not in name]


async def _held(unit: Unit, caller: Caller, aims: Sequence[Aim]) -> dict[tuple[str, str], Row]:
    keys = [each.key for each in aims if each.entry.method in ("DELETE", "PATCH") and each.id]
    return (await resources.lock_known(unit, keys, caller.viewer))[0] if keys else {}


async def _deletes(
    context: Context, unit: Unit, caller: Caller, aims: Sequence[Aim], held: dict[tuple[str, str], Row]
) -> dict[int, Done]:
    done = {}
    for each in aims:
        if each.entry.method == "DELETE":
            with at(each.entry):
                expected = _expected(each.entry)
                if each.id:
                    await drop(context, unit, caller, held.get(each.key), each.key, expected)
                elif expected is not None:
                    raise Refused("stale", "ifMatch names a version, but nothing matches")
            done[each.entry.place] = Done("204 No Content")
    return done


async def _contents(
    context: Context, unit: Unit, caller: Caller, aims: Sequence[Aim], held: dict[tuple[str, str], Row]
) -> dict[int, JsonObject]:
    """What every writing entry leaves behind, patches applied and references resolved."""
    links = Links(aims, context.base)
    contents: dict[int, JsonObject] = {}
    for each in aims:
        if not each.writes or each.entry.resource is None:
            continue
        resource, patch = each.entry.resource, each.entry.method == "PATCH"
        if patch:
            with at(each.entry):
                change, expected = in_bundle(resource), _expected(each.entry)
                resource = await patched(
                    context, unit, caller, each.key, held.get(each.key), change, expected
                )
        await links.meet(context, unit, caller, each, resource)
        contents[each.entry.place] = links.linked(each, resource, names_only=patch)
    return contents


async def _check_all(
    context: Context, aims: Sequence[Aim], written: dict[int, JsonObject]
) -> dict[int, list[Issue]]:
    """What was found that stops nothing, by the place of the entry."""
    issues: list[Issue] = []
    found: dict[int, list[Issue]] = {}
    for number, each in enumerate(aims):
        if number % BREATH == BREATH - 1:
            await asyncio.sleep(0)
        if each.entry.place in written:
            try:
                with at(each.entry):
                    found[each.entry.place] = checked(context, written[each.entry.place])
            except Refused as refused:
                issues += [issue for issue in refused.issues if isinstance(issue, Issue)]
    if issues:
        first = next(issue for issue in issues if issue.fails)
        raise Refused("invalid", first.text, issues)
    return found


async def _expect_whole(
    context: Context, unit: Unit, caller: Caller, aims: Sequence[Aim], written: dict[int, JsonObject]
) -> None:
    """Nothing that stays refers to what goes; with strict references, everything referred to is here."""
    going = [each.key for each in aims if each.entry.method == "DELETE" and each.id]
    keys = {each.key for each in aims if each.writes}
    if going:
        await expect_free(context, unit, caller, going, list(written.values()), keys)
    await expect_known(context, unit, caller, list(written.values()), keys)


async def _read(context: Context, caller: Caller, entry: Entry) -> Done:
    try:
        seen = await look(entry, context, caller)
    except Refused as refused:
        return Done("", refused=refused)
    return Done("200 OK", seen.row, seen.body)


def _expected(entry: Entry) -> int | None:
    if not entry.if_match:
        return None
    with at(entry):
        return version_named(entry.if_match)
