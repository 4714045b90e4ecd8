"""A file of an export, line by line, as its resources are and may be seen at this moment.

What has been deleted, changed so that it no longer fits, or withdrawn by the client since the export was made is left
out. Each page is on the audit trail, with the ground on which each client's data leaves, before it leaves.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from service.fhir.json import Json, JsonObject, decode_object, encode
from service.fhir.outcome import Issue, operation_outcome
from service.fhir.row import Row
from service.flows.audit.witness import testimony
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.exports.look import Seen, exporter, look
from service.flows.exports.status import absent, find
from service.kernel.failures import Failure
from service.store import exports, partners
from service.store.exports import Export, File
from service.store.trail import Trail, current


@dataclass(frozen=True, slots=True)
class Fetch:
    """A file that may be fetched, by whom, and the trail it leaves."""

    export: Export
    file: File
    caller: Caller
    trail: Trail


async def fetch(context: Context, caller: Caller, id_: str, file: str) -> Fetch:
    """Find it. Refused: absent where there is none, or where it is another partner's; forbidden as for the status."""
    trail = current()
    trail.action = "$export-file"
    one = await find(context, caller, id_)
    async with context.database.reading() as connection:
        found = [each for each in await exports.files(connection, one.id) if each.id == file]
        partner = await partners.find(connection, one.partner)
    if not found or one.state != "complete":
        raise absent()
    trail.detail = found[0].type
    within = replace(exporter(partner, one), scopes=caller.scopes)
    return Fetch(one, found[0], within, replace(trail))


async def lines(context: Context, fetched: Fetch) -> AsyncIterator[bytes]:
    """The file in pieces of whole lines; never more than a page in memory."""
    if fetched.file.kind == "error":
        for note in fetched.export.notes:
            yield encode(operation_outcome([Issue("warning", "incomplete", note)])) + b"\n"
        return
    number = 0
    while True:
        async with context.database.unit() as unit:
            there = await exports.touch(unit, fetched.export.id, context.clock())
        async with context.database.reading() as connection:
            ids = await exports.part(connection, fetched.file.id, number)
        if not there:  # cancelled meanwhile: cut off, so that nobody takes it for the whole
            raise Failure("the export was cancelled")
        if ids is None:
            return
        seen = await look(
            context, fetched.caller, fetched.export, (fetched.file.kind, fetched.file.type), ids=ids
        )
        await _testify(context, fetched, seen)
        write = _deletion if fetched.file.kind == "deleted" else _line
        yield b"".join(write(context.base, row) for row in seen.rows)
        number += 1


async def _testify(context: Context, fetched: Fetch, seen: Seen) -> None:
    """As for a search: a row for each client in this page, with the grounds; durable before a line leaves."""
    shown = seen.rows if fetched.file.kind == "output" else []
    trail = replace(
        fetched.trail, action="$export", detail=fetched.file.type, shown=shown, grounds=seen.trail.grounds,
        withheld=seen.trail.withheld, refusals=[], written=False,
    )  # fmt: skip
    rows, queries = testimony(trail, context.clock(), 200)
    await context.database.record(rows, queries)


def _line(base: str, row: Row) -> bytes:
    body = row.body or b""
    if b'"Binary/' in body:
        body = encode(_reachable(decode_object(body), base))
    return body + b"\n"


def _reachable(value: Json, base: str) -> Json:
    """The urls of attachments that are here, absolute: where the client fetches them with the token it has."""
    if isinstance(value, dict):
        return {key: _url(key, member, base) for key, member in value.items()}
    if isinstance(value, list):
        return [_reachable(member, base) for member in value]
    return value


def _url(key: str, member: Json, base: str) -> Json:
    if key == "url" and isinstance(member, str) and member.startswith("Binary/"):
        return f"{base}/{member}"
    return _reachable(member, base)


def _deletion(_: str, row: Row) -> bytes:
    """https://hl7.org/fhir/uv/bulkdata/export.html#response---complete-status, `deleted`"""
    entry: JsonObject = {"request": {"method": "DELETE", "url": row.reference}}
    return encode({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}) + b"\n"
