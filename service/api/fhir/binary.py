"""Binary: bytes as they are, or as a resource when FHIR is asked for. https://hl7.org/fhir/R4/binary.html

A raw body is read and answered in pieces; `X-Security-Context` names the resource whose rules it follows.
"""

import base64
import re
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service.api.content import (
    body_of,
    expected_version,
    only_new,
    resource_of,
    unchanged,
    version_headers,
    written,
)
from service.api.fhir.door import door, expect_parameters
from service.api.fhir.instance import shown
from service.api.negotiation import accepted, explicit, form_of, sent
from service.fhir.json import JsonObject, decode_object
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.create import create as create_story
from service.flows.read import read as read_story
from service.flows.update import update as update_story
from service.flows.writing import expect_type
from service.kernel.failures import Refused

TYPE = "Binary"
_MEDIA = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}(?:;[\x20-\x7e]{0,200})?\Z")
PIECE = 49_152
"""Characters of base64 that are decoded at a time: a multiple of four."""


async def _sent(request: Request, context: Context) -> JsonObject:
    """The Binary in the body: FHIR as it is written, anything else as data of its media type."""
    limit = context.settings.max_body_bytes
    kind = request.headers.get("content-type", "").strip()
    if sent(request) in ("json", "xml") and "fhir" in kind:
        resource = await resource_of(request, limit)
        expect_type(resource, TYPE)
        return resource
    if not _MEDIA.match(kind):
        raise Refused("media-type", "a Binary needs a Content-Type")
    data = base64.b64encode(await body_of(request, limit)).decode("ascii")
    resource = {"resourceType": TYPE, "contentType": kind}
    context_of = request.headers.get("x-security-context", "")
    if context_of:
        resource["securityContext"] = {"reference": context_of}
    return {**resource, "data": data} if data else resource


@door
async def create(request: Request, context: Context, caller: Caller) -> Response:
    """POST Binary, with any Content-Type. (`_filename` is a habit of Medplum's client; R4 has no room for it.)"""
    expect_parameters(request, ("_filename",))
    if "if-match" in request.headers or "if-none-exist" in request.headers:
        raise Refused("malformed", "a Binary is created as it comes; send neither If-Match nor If-None-Exist")
    done = await create_story(context, caller, await _sent(request, context))
    return written(request, done.kept.row, done.kept.created, context.base, done.issues)


@door
async def update(request: Request, context: Context, caller: Caller) -> Response:
    """PUT Binary/{id}, with any Content-Type."""
    expect_parameters(request)
    id_ = request.path_params["id"]
    resource = await _sent(request, context)
    if "id" not in resource:
        resource = {"resourceType": TYPE, "id": id_, **resource}
    expected, new = expected_version(request), only_new(request)
    done = await update_story(context, caller, id_, resource, expected, only_new=new)
    return written(request, done.kept.row, done.kept.created, context.base, done.issues)


async def _read(request: Request, context: Context, caller: Caller) -> Response:
    expect_parameters(request, ("_summary", "_elements"))
    row = await read_story(context, caller, TYPE, request.path_params["id"])
    asked = request.query_params.get("_format", "")
    if explicit(accepted(request), asked):
        form_of(request)
        return shown(request, context, row)
    return _raw(request, row)


read = door(_read, negotiates=False)
"""GET Binary/{id}: as it is, unless a FHIR form is asked for by name."""


def _raw(request: Request, row: Row) -> Response:
    resource = decode_object(row.body or b"")
    headers = {**version_headers(row), "Vary": "Accept", "Content-Disposition": "attachment"}
    if unchanged(row, request.headers.get("if-none-match", ""), request.headers.get("if-modified-since", "")):
        return Response(status_code=304, headers=headers)
    security = resource.get("securityContext")
    if isinstance(security, dict) and isinstance(security.get("reference"), str):
        headers["X-Security-Context"] = security["reference"]
    kind = resource["contentType"]
    if not _MEDIA.match(kind):
        kind = "application/octet-stream"
    return StreamingResponse(_pieces(resource.get("data", "")), headers={**headers, "Content-Type": kind})


def _pieces(data: str) -> Iterator[bytes]:
    plain = "".join(data.split())
    for start in range(0, len(plain), PIECE):
        yield base64.b64decode(plain[start : start + PIECE])
