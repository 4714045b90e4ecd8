"""$validate, $meta, $meta-add, $meta-delete, Patient/$everything, Patient/$match.

Each is described by an OperationDefinition in fhir_profiles/operations. https://hl7.org/fhir/R4/operations.html
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer, expected_version, resource_of
from service.api.fhir.door import door, expect_parameters
from service.fhir.arguments import Arguments, arguments
from service.fhir.json import encode
from service.fhir.outcome import operation_outcome
from service.flows import everything as everything_story
from service.flows import match as match_story
from service.flows import meta as meta_story
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.validate import Doubt
from service.flows.validate import validate as validate_story
from service.kernel.failures import Refused

MAX_COUNT = 1000


async def _given(request: Request, context: Context, known: Sequence[str]) -> Arguments:
    """The arguments, from URL and body."""
    sized = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    body = None
    if request.method == "POST" and sized:
        body = await resource_of(request, context.settings.max_body_bytes)
    return arguments(body, request.query_params.multi_items(), known)


def _key(request: Request) -> tuple[str, str]:
    return request.path_params["type"], request.path_params["id"]


@door
async def validate(request: Request, context: Context, caller: Caller) -> Response:
    """POST $validate, {type}/$validate, {type}/{id}/$validate; GET of an instance looks at what is stored."""
    given = await _given(request, context, ("resource", "mode", "profile"))
    doubt = Doubt(
        request.path_params.get("type"), request.path_params.get("id"), given.resource,
        tuple(given.texts("profile")), given.text("mode"),
    )  # fmt: skip
    issues = await validate_story(context, caller, doubt)
    return answer(request, encode(operation_outcome(issues)))


@door
async def meta(request: Request, context: Context, caller: Caller) -> Response:
    """GET or POST {type}/{id}/$meta, also of one version."""
    await _given(request, context, ())
    text = request.path_params.get("vid")
    if text is not None and (not (text.isascii() and text.isdecimal()) or len(text) > 9):
        raise Refused("absent", "there is no such version")
    version = int(text) if text is not None else None
    return answer(request, encode(await meta_story.meta(context, caller, *_key(request), version)))


@door
async def meta_add(request: Request, context: Context, caller: Caller) -> Response:
    """POST {type}/{id}/$meta-add"""
    value = _one(await _given(request, context, ("meta",)), "meta")
    done = await meta_story.meta_add(context, caller, *_key(request), value, expected_version(request))
    return answer(request, encode(done))


@door
async def meta_delete(request: Request, context: Context, caller: Caller) -> Response:
    """POST {type}/{id}/$meta-delete"""
    value = _one(await _given(request, context, ("meta",)), "meta")
    done = await meta_story.meta_delete(context, caller, *_key(request), value, expected_version(request))
    return answer(request, encode(done))


def _one(given: Arguments, name: str) -> object:
    found = given.values.get(name, [])
    if len(found) != 1:
        raise Refused("malformed", f"the parameter {name} is needed, once")
    return found[0]


@door
async def everything(request: Request, context: Context, caller: Caller) -> Response:
    """GET or POST Patient/{id}/$everything"""
    given = await _given(request, context, ("_since", "_type", "_count", "_cursor"))
    wanted = everything_story.Wanted(
        given.text("_since").replace(" ", "+"), tuple(given.texts("_type")), given.number("_count", MAX_COUNT),
        given.text("_cursor"),
    )  # fmt: skip
    return answer(
        request, await everything_story.everything(context, caller, request.path_params["id"], wanted)
    )


@door
async def match(request: Request, context: Context, caller: Caller) -> Response:
    """POST Patient/$match"""
    expect_parameters(request, ())
    given = await _given(request, context, ("resource", "onlyCertainMatches", "count"))
    if given.resource is None:
        raise Refused("malformed", "send the person to be found as the parameter resource, a Patient")
    sought = match_story.Sought(
        given.resource, given.flag("onlyCertainMatches"), given.number("count", MAX_COUNT) or 20
    )
    return answer(request, await match_story.match(context, caller, sought))
