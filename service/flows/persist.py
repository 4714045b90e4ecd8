"""What a new version may not lose: its labels, and what its writer was not shown."""

from typing import Any

from service.consent.security import as_stored, never_lowered
from service.fhir.json import JsonObject, decode_object
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.permit import own, visible
from service.store import resources
from service.store.unit import Unit


async def meant(
    context: Context, connection: Any, caller: Caller, before: Row, wanted: JsonObject
) -> JsonObject:
    """What its author wants of a resource that others changed. It was shown it as consent allows, masked and
    labelled; what it leaves as it was shown stays as it is stored."""
    if caller.custodian or before.author != caller.client_id or own(caller.client_id, before):
        return wanted
    [shown] = await visible(context, connection, caller, [before])
    return as_stored(decode_object(before.body or b""), decode_object(shown.body or b""), wanted)


async def relabelled(unit: Unit, gone: Row, wanted: JsonObject) -> JsonObject:
    """What was deleted comes back with the labels it had."""
    last = await resources.read_version(unit, gone.type, gone.id, gone.version - 1, None)
    return never_lowered(decode_object(last.body), wanted) if last and last.body else wanted
