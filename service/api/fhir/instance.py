"""One resource: read, vread, update, patch, delete. https://hl7.org/fhir/R4/http.html"""

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import (
    answer,
    expected_version,
    json_of,
    only_new,
    resource_of,
    unchanged,
    version_headers,
    written,
)
from service.api.fhir.door import door, expect_parameters
from service.api.negotiation import sent
from service.fhir.catalogue import catalogue
from service.fhir.row import Row
from service.fhir.search.parse import parse
from service.fhir.search.subset import cut
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.delete import delete as delete_story
from service.flows.patch import Change, by_json_patch, by_parameters
from service.flows.patch import patch as patch_story
from service.flows.read import read as read_story
from service.flows.update import update as update_story
from service.flows.writing import expect_type
from service.kernel.failures import Refused

_PARTS = ("_summary", "_elements")


def _key(request: Request) -> tuple[str, str]:
    return request.path_params["type"], request.path_params["id"]


@door
async def read(request: Request, context: Context, caller: Caller) -> Response:
    """GET {type}/{id}, conditional by If-None-Match and If-Modified-Since, `_summary` and `_elements`."""
    expect_parameters(request, _PARTS)
    row = await read_story(context, caller, *_key(request))
    return shown(request, context, row)


@door
async def vread(request: Request, context: Context, caller: Caller) -> Response:
    """GET {type}/{id}/_history/{vid}"""
    expect_parameters(request, _PARTS)
    text = request.path_params["vid"]
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise Refused("absent", "there is no such version")
    row = await read_story(context, caller, *_key(request), version=int(text))
    return shown(request, context, row)


def shown(request: Request, context: Context, row: Row) -> Response:
    """A version in the form and the part asked for, or 304."""
    headers = version_headers(row)
    got = request.headers
    if unchanged(row, got.get("if-none-match", ""), got.get("if-modified-since", "")):
        return Response(status_code=304, headers=headers)
    body = row.body or b""
    if request.scope["query_string"]:
        pairs = [(name, value) for name, value in request.query_params.multi_items() if name in _PARTS]
        query = parse((row.type,), pairs, now=row.updated, base=context.base, served=tuple(catalogue))
        if query.summary == "count":
            raise Refused("malformed", "_summary=count is for searches")
        body = cut(body, query)
    return answer(request, body, headers=headers)


@door
async def update(request: Request, context: Context, caller: Caller) -> Response:
    """PUT {type}/{id}"""
    expect_parameters(request)
    type_, id_ = _key(request)
    resource = await resource_of(request, context.settings.max_body_bytes)
    expect_type(resource, type_)
    done = await update_story(
        context, caller, id_, resource, expected_version(request), only_new=only_new(request)
    )
    return written(request, done.kept.row, done.kept.created, context.base, done.issues)


@door
async def patch(request: Request, context: Context, caller: Caller) -> Response:
    """PATCH {type}/{id}: JSON Patch, or FHIRPath Patch as Parameters."""
    expect_parameters(request)
    change = await change_of(request, context)
    done = await patch_story(context, caller, *_key(request), change, expected_version(request))
    return written(request, done.kept.row, done.kept.created, context.base, done.issues)


async def change_of(request: Request, context: Context) -> Change:
    """The patch in the body. Refused("media-type") names the two that there are."""
    kind = sent(request)
    if kind == "json-patch":
        return by_json_patch(await json_of(request, context.settings.max_body_bytes))
    if kind not in ("json", "xml"):
        raise Refused(
            "media-type", "send application/json-patch+json, or Parameters as application/fhir+json or +xml"
        )
    return by_parameters(await resource_of(request, context.settings.max_body_bytes))


@door
async def delete(request: Request, context: Context, caller: Caller) -> Response:
    """DELETE {type}/{id}"""
    expect_parameters(request)
    row = await delete_story(context, caller, *_key(request), expected_version(request))
    return Response(status_code=204, headers=version_headers(row) if row else {})
