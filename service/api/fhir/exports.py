"""Bulk Data: kick-off, status, cancelling, files. https://hl7.org/fhir/uv/bulkdata/export.html"""

import zlib
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service.api.content import answer, http_date, lenient, resource_of
from service.api.fhir.door import door
from service.fhir.json import encode
from service.fhir.outcome import Issue, operation_outcome
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.exports import fetch as files
from service.flows.exports import status as looked
from service.flows.exports.ask import Kickoff, Level, ask
from service.kernel.failures import Refused

NDJSON = "application/fhir+ndjson"


@door
async def kick_off(request: Request, context: Context, caller: Caller) -> Response:
    """GET or POST $export, Patient/$export, Group/[id]/$export"""
    if "respond-async" not in _wishes(request):
        raise Refused("malformed", "an export is answered later: send Prefer: respond-async")
    group = request.path_params.get("id", "")
    level: Level = "group" if group else "patient" if "/Patient/" in request.scope["path"] else "system"
    posted = request.method == "POST"
    sized = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    body = await resource_of(request, context.settings.max_body_bytes) if posted and sized else None
    query = request.query_params.multi_items()
    one = await ask(
        context, caller, Kickoff(level, group, _url(request, context), body, query, lenient(request))
    )
    said = operation_outcome([Issue("information", "informational", "the export has begun")])
    return answer(request, encode(said), 202, {"Content-Location": f"{context.base}/{looked.PATH}/{one.id}"})


def _wishes(request: Request) -> set[str]:
    text = ",".join(request.headers.getlist("prefer"))
    return {wish.strip().lower() for wish in text.replace(";", ",").split(",")}


def _url(request: Request, context: Context) -> str:
    """As partners know us, whatever stands between."""
    query: str = request.scope["query_string"].decode("latin-1")
    path: str = request.scope["path"].removeprefix("/fhir")
    return context.base + path + (f"?{query}" if query else "")


@door
async def status(request: Request, context: Context, caller: Caller) -> Response:
    """GET of the place that the kick-off named"""
    found = await looked.status(context, caller, request.path_params["job"])
    match found:
        case looked.Progress(words, retry_after):
            headers = {
                "X-Progress": words,
                "Retry-After": str(retry_after),
                "Cache-Control": "no-store",
            }
            return Response(b"", 202, headers)
        case looked.Complete(manifest, expires):
            headers = {"Expires": http_date(expires), "Cache-Control": "no-store"}
            return Response(encode(manifest), 200, headers, "application/json")


@door
async def cancel(request: Request, context: Context, caller: Caller) -> Response:
    """DELETE of the same place"""
    await looked.cancel(context, caller, request.path_params["job"])
    said = operation_outcome([Issue("information", "informational", "the export and its files are gone")])
    return answer(request, encode(said), 202)


async def _file(request: Request, context: Context, caller: Caller) -> Response:
    fetched = await files.fetch(context, caller, request.path_params["job"], request.path_params["file"])
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding", "Content-Disposition": "attachment"}
    if request.method == "HEAD":
        return Response(b"", 200, headers, NDJSON)
    pieces = files.lines(context, fetched)
    if _takes_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        pieces = _compressed(pieces)
    return StreamingResponse(pieces, 200, headers, NDJSON)


file = door(_file, negotiates=False)
"""GET of a file that a manifest names: ndjson whatever Accept says, compressed for whoever takes gzip."""


def _takes_gzip(header: str) -> bool:
    for part in header.split(","):
        name, _, rest = part.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return rest.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


async def _compressed(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    deflate = zlib.compressobj(wbits=31)
    async for piece in pieces:
        yield deflate.compress(piece) + deflate.flush(zlib.Z_SYNC_FLUSH)
    yield deflate.flush()
