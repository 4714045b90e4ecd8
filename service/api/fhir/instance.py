"""One resource: read, vread, update, delete, history. https://hl7.org/fhir/R4/http.html"""

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer, expected_version, resource_of, version_headers, written
from service.api.fhir.door import door
from service.fhir.bundle import join
from service.fhir.json import encode
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.delete import delete as delete_story
from service.flows.history import NEWEST, history as history_story
from service.flows.read import read as read_story
from service.flows.update import update as update_story
from service.flows.writing import expect_type
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.fhir.row import Row


def _key(request: Request) -> tuple[str, str]:
    return request.path_params["type"], request.path_params["id"]


@door
async def read(request: Request, context: Context, caller: Caller) -> Response:
    """GET {type}/{id}"""
    row = await read_story(context, caller, *_key(request))
    headers = version_headers(row)
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return answer(request, row.body or b"", headers=headers)


@door
async def vread(request: Request, context: Context, caller: Caller) -> Response:
    """GET {type}/{id}/_history/{vid}"""
    text = request.path_params["vid"]
    if not text.isdecimal() or len(text) > 9:
        raise Refused("absent", "there is no such version")
    row = await read_story(context, caller, *_key(request), version=int(text))
    return answer(request, row.body or b"", headers=version_headers(row))


@door
async def update(request: Request, context: Context, caller: Caller) -> Response:
    """PUT {type}/{id}"""
    type_, id_ = _key(request)
    resource = await resource_of(request, context.settings.max_body_bytes)
    expect_type(resource, type_)
    done = await update_story(context, caller, id_, resource, expected_version(request))
    return written(request, done.kept.row, done.kept.created, context.base, done.issues)


@door
async def delete(request: Request, context: Context, caller: Caller) -> Response:
    """DELETE {type}/{id}"""
    row = await delete_story(context, caller, *_key(request), expected_version(request))
    return Response(status_code=204, headers=version_headers(row) if row else {})


@door
async def history(request: Request, context: Context, caller: Caller) -> Response:
    """GET {type}/{id}/_history, newest first; `_count` a page, the next link goes on below."""
    type_, id_ = _key(request)
    count = min(_number(request, "_count", 50), 1000)
    rows = await history_story(context, caller, type_, id_, _number(request, "_before", NEWEST), count)
    here = f"{context.base}/{type_}/{id_}/_history"
    links = [{"relation": "self", "url": f"{here}?_count={count}"}]
    if len(rows) == count and rows[-1].version > 1:
        links.append({"relation": "next", "url": f"{here}?_count={count}&_before={rows[-1].version}"})
    body = join("history", [("link", encode(links))], (history_entry(row, context.base) for row in rows))
    return answer(request, body)


def history_entry(row: Row, base: str) -> bytes:
    """An entry of a history Bundle: what was asked then, and what came of it."""
    method = "DELETE" if row.deleted else "POST" if row.version == 1 else "PUT"
    url = row.type if method == "POST" else row.reference
    status = {"DELETE": "204 No Content", "POST": "201 Created", "PUT": "200 OK"}[method]
    response = {"status": status, "etag": f'W/"{row.version}"', "lastModified": instant(row.updated)}
    resource = b'"resource":' + row.body + b"," if row.body else b""
    return b"".join((
        b'{"fullUrl":', encode(f"{base}/{row.reference}"), b",", resource,
        b'"request":', encode({"method": method, "url": url}), b',"response":', encode(response), b"}",
    ))  # fmt: skip


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 10 or int(text) == 0:
        raise Refused("malformed", f"{name} must be a positive whole number")
    return int(text)
