"""Delete: https://hl7.org/fhir/R4/http.html#delete. The history stays; the current version says it is gone."""

from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.conditional import condition_lock, the_one
from service.flows.context import Context
from service.flows.integrity import expect_free
from service.flows.keep import absent, lock_names, may_know
from service.flows.lead.claim import expect_not_leading
from service.flows.writing import deletion_of, expect_id, row_of, spec_of
from service.kernel.failures import Refused
from service.store import loops, resources, subscriptions
from service.store.unit import Unit


async def delete(context: Context, caller: Caller, type_: str, id_: str, expected: int | None) -> Row | None:
    """The deleted version, or None when there was nothing to delete (which is a success, 204).

    Refused: forbidden when it belongs to another party, unprocessable for the Task of a referral and the
    EpisodeOfCare of an open case, conflict while other resources refer to it.
    """
    spec_of(type_, "delete")
    caller.require(type_, "d")
    expect_id(id_)
    async with context.database.unit(*lock_names([(type_, id_)])) as unit:
        return await _gone(context, unit, caller, (type_, id_), expected)


async def delete_matching(
    context: Context, caller: Caller, type_: str, criteria: str, expected: int | None
) -> Row | None:
    """Conditional delete of the one match; None when there is none. Refused("ambiguous") for several."""
    spec_of(type_, "delete")
    caller.require(type_, "d")
    async with context.database.unit(condition_lock(type_, criteria)) as unit:
        found = await the_one(context, unit, caller, type_, criteria)
        if found is None:
            if expected is not None:
                raise Refused("stale", "If-Match names a version, but nothing matches")
            return None
        await unit.lock(*lock_names([(type_, found.id)]))
        return await _gone(context, unit, caller, (type_, found.id), expected)


async def _gone(
    context: Context, unit: Unit, caller: Caller, key: tuple[str, str], expected: int | None
) -> Row | None:
    held, _ = await resources.lock_known(unit, [key], caller.viewer)
    row = await drop(context, unit, caller, held.get(key), key, expected)
    if row is not None:
        await expect_free(context, unit, caller, [key])
    return row


async def drop(
    context: Context,
    unit: Unit,
    caller: Caller,
    before: Row | None,
    key: tuple[str, str],
    expected: int | None,
) -> Row | None:
    """Collect the deletion of a locked row. Whether others refer to it is `expect_free`'s to ask."""
    if before is None or before.deleted or not await may_know(context, unit, caller, before):
        if expected is not None:
            raise absent(*key)
        return None
    if expected is not None and expected != before.version:
        raise Refused("stale", f"If-Match names version {expected}, which is not the current one")
    await expect_deletable(unit, caller, before)
    if before.type == "Subscription":
        await subscriptions.drop(unit, before.id)
    put = deletion_of(before, context.clock())
    unit.put(put)
    return row_of(put)


async def expect_deletable(unit: Unit, caller: Caller, before: Row) -> None:
    """Refused: forbidden when it belongs to another party, unprocessable for the Task of a referral and the
    EpisodeOfCare of an open case."""
    if not (caller.custodian or before.author == caller.client_id):
        text = f"{before.reference} belongs to another party; only its author may delete it"
        raise Refused("forbidden", text)
    await expect_not_leading(unit, before)
    if before.type == "Task" and await loops.find(unit, before.id):
        text = "a referral's Task is not deleted: cancel it, or set it to entered-in-error"
        raise Refused("unprocessable", text)
