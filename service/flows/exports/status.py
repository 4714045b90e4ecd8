"""How far an export is, what came of it, and its end before its time. Only for the partner that asked: for anybody else
it is not there. https://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-status-request"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.fhir.json import JsonObject
from service.flows.caller import Caller, lacking
from service.flows.context import Context
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.store import exports
from service.store.exports import Export, File
from service.store.trail import current

PATH = "export"
"""Below our FHIR base; no resource type begins with a small letter."""

TOO_SOON = timedelta(seconds=1)
"""Who looks again sooner than this is asked to wait."""
LONGEST_WAIT = 60


@dataclass(frozen=True, slots=True)
class Progress:
    """Under way: in words, and when to look again (seconds)."""

    words: str
    retry_after: int


@dataclass(frozen=True, slots=True)
class Complete:
    """The manifest, and until when its files can be fetched."""

    manifest: JsonObject
    expires: datetime


async def find(context: Context, caller: Caller, id_: str) -> Export:
    """The caller's export. Refused: absent; forbidden for a token that does not cover all that is exported."""
    async with context.database.reading() as connection:
        one = await exports.known(connection, id_, caller.client_id)
    if one is None or (one.state != "running" and one.expires < context.clock()):
        raise absent()
    for type_ in one.types:
        if not (caller.some(type_, "r") and caller.some(type_, "s")):
            raise lacking(f"system/{type_}.rs")
    return one


def absent() -> Refused:
    """Another's, cancelled, expired or never there: all alike."""
    return Refused("absent", "there is no such export; it may have been cancelled, or its time may be over")


async def status(context: Context, caller: Caller, id_: str) -> Progress | Complete:
    """Refused: throttled when asked too soon again, unprocessable when the export failed, and as `find`."""
    current().action = "$export-status"
    one = await find(context, caller, id_)
    if one.state == "failed":
        raise Refused("unprocessable", f"the export failed: {one.why}")
    if one.state == "complete":
        async with context.database.reading() as connection:
            found = await exports.files(connection, one.id)
        return Complete(manifest(context.base, one, found), one.expires)
    now = context.clock()
    wait = min(LONGEST_WAIT, 2 + int((now - one.asked).total_seconds()) // 10)
    if one.polled is not None and now - one.polled < TOO_SOON:
        raise Refused("throttled", "the export is under way; wait as Retry-After says", retry_after=str(wait))
    async with context.database.unit() as unit:
        await exports.asked_again(unit, one, now)
    return Progress(_words(one), wait)


def _words(one: Export) -> str:
    steps = one.steps
    if one.step == len(steps):
        return "finishing"
    kind, type_ = steps[one.step]
    what = f"deletions of {type_}" if kind == "deleted" else type_
    return f"{100 * one.step // len(steps)}% done, looking through {what}"


async def cancel(context: Context, caller: Caller, id_: str) -> None:
    """End it and forget its files. Refused as `find`."""
    current().action = "$export-cancel"
    async with context.database.unit() as unit:
        if not await exports.drop(unit, id_, caller.client_id):
            raise absent()


def manifest(base: str, one: Export, files: list[File]) -> JsonObject:
    """https://hl7.org/fhir/uv/bulkdata/export.html#response---complete-status"""
    listed: dict[str, list[JsonObject]] = {"output": [], "error": []}
    if one.since is not None:
        listed["deleted"] = []
    for file in files:
        type_ = "Bundle" if file.kind == "deleted" else file.type
        url = f"{base}/{PATH}/{one.id}/{file.id}"
        listed[file.kind].append({"type": type_, "url": url, "count": file.count})
    return {
        "transactionTime": instant(one.asked),
        "request": one.request,
        "requiresAccessToken": True,
        **listed,
    }
