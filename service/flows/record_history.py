"""Every version of a record, as the case-management system wrote it, with what it became."""

from dataclasses import dataclass

from service.fhir.json import JsonObject, decode_object
from service.flows.caller import Caller
from service.flows.context import Context
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.store import records
from service.store.records import Kept

MOST = 200


@dataclass(frozen=True, slots=True)
class Past:
    """Versions, newest first; `older` is the version to go on before, None at the end."""

    versions: list[JsonObject]
    older: int | None


async def record_history(
    context: Context, caller: Caller, kind: str, id_: str, before: int | None, limit: int
) -> Past:
    """Up to `limit` (at most 200) versions older than `before`. Refused: absent (also for what a partner sent)."""
    caller.require_casework(kind, "read")
    wanted = max(1, min(limit, MOST))
    async with context.database.reading() as connection:
        found = await records.versions(connection, caller.client_id, kind, id_, before, wanted + 1)
    if not found and before is None:
        raise Refused("absent", f"{kind}/{id_} is not known here")
    page = found[:wanted]
    return Past([_told(each) for each in page], page[-1].version if len(found) > wanted else None)


async def record_version(context: Context, caller: Caller, kind: str, id_: str, version: int) -> JsonObject:
    """One version. Refused: absent."""
    caller.require_casework(kind, "read")
    async with context.database.reading() as connection:
        found = await records.versions(connection, caller.client_id, kind, id_, version + 1, 1)
    if not found or found[0].version != version:
        raise Refused("absent", f"{kind}/{id_} has no version {version}")
    return _told(found[0])


def _told(kept: Kept) -> JsonObject:
    said: JsonObject = {"version": kept.version, "at": instant(kept.updated), "mapping": kept.mapping}
    if kept.deleted:
        return {**said, "deleted": True, "resources": kept.resources}
    return {**said, "resources": kept.resources, "record": decode_object(kept.body)}
