"""Read and vread: https://hl7.org/fhir/R4/http.html#read. What may not be seen does not exist."""

from typing import Any

from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.keep import absent
from service.flows.permit import visible
from service.flows.search.scoped import covered
from service.flows.writing import expect_id, spec_of
from service.kernel.failures import Refused
from service.store import resources
from service.store.trail import current


async def read(context: Context, caller: Caller, type_: str, id_: str, version: int | None = None) -> Row:
    """The current version, or `version`. Refused: absent (404), gone (410) when that version is a deletion."""
    spec_of(type_, "read" if version is None else "vread")
    caller.expect_some(type_, "r")
    expect_id(id_)
    async with context.database.reading() as connection:
        return await read_in(context, connection, caller, type_, id_, version)


async def read_in(
    context: Context, connection: Any, caller: Caller, type_: str, id_: str, version: int | None
) -> Row:
    """As `read`, on a connection that the story already has."""
    if version is None:
        row = await resources.read(connection, type_, id_, caller.viewer)
    else:
        row = await resources.read_version(connection, type_, id_, version, caller.viewer)
    seen = await visible(context, connection, caller, covered(context, caller, [row], "r")) if row else []
    if not seen:
        raise absent(type_, id_)
    if seen[0].deleted:
        raise Refused("gone", f"{type_}/{id_} was deleted")
    current().show(seen)
    return seen[0]
