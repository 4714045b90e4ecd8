"""A type: create, and what names its resource by a search. Search has its own room.

https://hl7.org/fhir/R4/http.html#create, #cond-update
"""

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import expected_version, resource_of, version_headers, written
from service.api.fhir.door import door
from service.api.fhir.instance import change_of
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.create import create as create_story
from service.flows.delete import delete_matching
from service.flows.patch import patch_matching
from service.flows.update import update_matching
from service.flows.writing import expect_type
from service.kernel.failures import Refused


@door
async def create(request: Request, context: Context, caller: Caller) -> Response:
    """POST {type}, with If-None-Exist as conditional create."""
    if [name for name in request.query_params if name not in ("_format", "_pretty")]:
        raise Refused(
            "malformed", "a create takes no search parameters; for get-or-create send If-None-Exist"
        )
    if "if-match" in request.headers:
        raise Refused("malformed", "a create has no version to match; send no If-Match")
    type_ = request.path_params["type"]
    resource = await resource_of(request, context.settings.max_body_bytes)
    expect_type(resource, type_)
    done = await create_story(context, caller, resource, request.headers.get("if-none-exist", ""))
    return written(request, done.kept.row, done.kept.created, context.base, done.issues)


@door
async def update(request: Request, context: Context, caller: Caller) -> Response:
    """PUT {type}?criteria"""
    type_, criteria = request.path_params["type"], criteria_of(request)
    if "if-none-match" in request.headers:
        raise Refused(
            "malformed", "a conditional update says by its search what it means; send no If-None-Match"
        )
    resource = await resource_of(request, context.settings.max_body_bytes)
    expect_type(resource, type_)
    done = await update_matching(context, caller, resource, criteria, expected_version(request))
    return written(request, done.kept.row, done.kept.created, context.base, done.issues)


@door
async def patch(request: Request, context: Context, caller: Caller) -> Response:
    """PATCH {type}?criteria"""
    type_, criteria = request.path_params["type"], criteria_of(request)
    change = await change_of(request, context)
    done = await patch_matching(context, caller, type_, criteria, change, expected_version(request))
    return written(request, done.kept.row, done.kept.created, context.base, done.issues)


@door
async def delete(request: Request, context: Context, caller: Caller) -> Response:
    """DELETE {type}?criteria: of the one match; several are refused."""
    type_, criteria = request.path_params["type"], criteria_of(request)
    row = await delete_matching(context, caller, type_, criteria, expected_version(request))
    return Response(status_code=204, headers=version_headers(row) if row else {})


def criteria_of(request: Request) -> str:
    """The search in the URL, without what says how to answer. Refused when there is none."""
    parts = request.scope["query_string"].decode("latin-1").split("&")
    kept = [part for part in parts if part and part.partition("=")[0] not in ("_format", "_pretty")]
    if not kept:
        method = request.method
        text = f"{method} of a type needs search parameters that name the resource, or its id in the path"
        raise Refused("malformed", text)
    return "&".join(kept)
