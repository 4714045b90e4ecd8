"""Delete: https://hl7.org/fhir/R4/http.html#delete. The history stays; the current version says it is gone."""

from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.keep import absent, lock_names, may_know
from service.flows.writing import deletion_of, row_of, spec_of
from service.kernel.failures import Refused
from service.store import loops, resources
from service.fhir.row import Row
from service.store.unit import Unit


async def delete(context: Context, caller: Caller, type_: str, id_: str, expected: int | None) -> Row | None:
    """The deleted version, or None when there was nothing to delete (which is a success, 204).

    Refused: forbidden when it belongs to another party, unprocessable for the Task of a referral.
    """
    spec_of(type_, "delete")
    caller.require(type_, "d")
    async with context.database.unit(*lock_names([(type_, id_)])) as unit:
        held = await resources.lock(unit, [(type_, id_)])
        return await drop(context, unit, caller, held.get((type_, id_)), (type_, id_), expected)


async def drop(
    context: Context,
    unit: Unit,
    caller: Caller,
    before: Row | None,
    key: tuple[str, str],
    expected: int | None,
) -> Row | None:
    """Collect the deletion of a locked row."""
    if before is None or before.deleted or not await may_know(unit, caller, before):
        if expected is not None:
            raise absent(*key)
        return None
    if expected is not None and expected != before.version:
        raise Refused("stale", f"If-Match names version {expected}, which is not the current one")
    if not (caller.custodian or before.author == caller.client_id):
        raise Refused(
            "forbidden", f"{before.reference} belongs to another party; only its author may delete it"
        )
    if before.type == "Task" and await loops.find(unit, before.id):
        text = "a referral's Task is not deleted: cancel it, or set it to entered-in-error"
        raise Refused("unprocessable", text)
    put = deletion_of(before, context.clock())
    unit.put(put)
    return row_of(put)
