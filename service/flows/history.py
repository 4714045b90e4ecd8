"""Instance history: https://hl7.org/fhir/R4/http.html#history, newest first."""

from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.keep import absent
from service.flows.permit import visible
from service.flows.writing import expect_id, spec_of
from service.store import resources
from service.fhir.row import Row

NEWEST = 2**31 - 1


async def history(
    context: Context, caller: Caller, type_: str, id_: str, before: int = NEWEST, limit: int = 50
) -> list[Row]:
    """Up to `limit` versions below `before`, deletions included. Refused("absent") where there is nothing."""
    spec_of(type_, "history")
    caller.require(type_, "r")
    expect_id(id_)
    async with context.database.reading() as connection:
        rows = await resources.history(connection, type_, id_, caller.viewer, before, limit)
        seen = await visible(context, connection, caller, rows)
    if not seen and (before == NEWEST or rows):
        raise absent(type_, id_)
    return seen
