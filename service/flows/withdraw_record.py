"""The case-management system takes a record back: nothing is erased, everything says entered-in-error."""

from service.casework import records as words
from service.casework.records.client import Client
from service.casework.records.closing import Closing
from service.fhir.json import JsonObject, decode_object
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.closing.follow import withdraw_closing
from service.flows.context import Context
from service.flows.keep import Wish, keep, lock_names
from service.flows.lead.of_record import follow_record
from service.flows.receive_record import mapping_context, note_origin
from service.kernel.failures import Refused
from service.mapping.table import withdraw
from service.store import gpra, offers, records, resources
from service.store.records import Kept

GPRA = "gpra-interviews"


async def withdraw_record(
    context: Context, caller: Caller, kind: str, id_: str, expected: int | None
) -> None:
    """Refused: absent, gone, stale, unprocessable (a referral whose lifecycle does not allow it)."""
    caller.require_casework(kind, "delete")
    async with context.database.reading() as connection:
        found = await records.find(connection, caller.client_id, kind, id_)
    if found is None:
        raise Refused("absent", f"{kind}/{id_} is not known here")
    previous = words.read(kind, id_, decode_object(found.body))
    async with context.database.reading() as connection:
        mapping = await mapping_context(context, connection, caller, previous, kind, id_, context.clock())
    gone = withdraw(kind, previous, mapping).resources
    keys = [(each["resourceType"], each["id"]) for each in gone]
    async with context.database.unit(f"record/{caller.client_id}/{kind}/{id_}", *lock_names(keys)) as unit:
        kept = await records.find(unit, caller.client_id, kind, id_)
        if kept is None or kept.deleted:
            raise Refused("gone", f"{kind}/{id_} was deleted")
        if expected not in (None, kept.version):
            raise Refused("stale", f"If-Match names version {expected}, which is not the current one")
        now = context.clock()
        if isinstance(previous, Client):
            followed = await follow_record(context, unit, caller, previous, previous, gone, now)
            gone = tuple(followed.resources)
            keys = [(each["resourceType"], each["id"]) for each in gone]
        if isinstance(previous, Closing):
            await withdraw_closing(context, unit, caller, previous, gone, mapping, now)
        held = await resources.lock(unit, keys)
        wishes = [
            Wish(_last(each, held), each["id"]) for each in gone if (each["resourceType"], each["id"]) in held
        ]
        await keep(context, unit, caller, wishes, now)
        for task in (id_ for type_, id_ in keys if type_ == "Task"):
            await offers.offer(unit, task, [], now)
        if kind == GPRA:
            await gpra.forget(unit, caller.client_id, id_)
        version = kept.version + 1
        note_origin(context, unit, caller, mapping, (kind, id_, version), kept.resources, "NULLIFY")
        await records.keep(
            unit, Kept(kept.source, kind, id_, version, now, True, kept.body, kept.resources, kept.mapping)
        )


def _last(gone: JsonObject, held: dict[tuple[str, str], Row]) -> JsonObject:
    """A referral's Task keeps what the performer said of it, and says why it is no more."""
    if gone["resourceType"] != "Task":
        return gone
    current = decode_object(held["Task", gone["id"]].body or b"")
    reason = {"text": "withdrawn by the case-management system"}
    return {**current, "status": "entered-in-error", "statusReason": reason}
