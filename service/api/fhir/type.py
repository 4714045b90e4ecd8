"""A type: create. Search has its own room. https://hl7.org/fhir/R4/http.html#create"""

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import resource_of, written
from service.api.fhir.door import door
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.create import create as create_story
from service.flows.writing import expect_type
from service.kernel.failures import Refused


@door
async def create(request: Request, context: Context, caller: Caller) -> Response:
    """POST {type}, with If-None-Exist as conditional create."""
    unknown = [name for name in request.query_params if name not in ("_format", "_pretty")]
    if unknown:
        raise Refused(
            "malformed", "a create takes no search parameters; for get-or-create send If-None-Exist"
        )
    type_ = request.path_params["type"]
    resource = await resource_of(request, context.settings.max_body_bytes)
    expect_type(resource, type_)
    done = await create_story(context, caller, resource, request.headers.get("if-none-exist", ""))
    return written(request, done.kept.row, done.kept.created, context.base, done.issues)
