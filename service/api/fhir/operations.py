"""Operations at a URL of their own: what was sent, to the story that answers. https://hl7.org/fhir/R4/operations.html"""

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer, expected_version, resource_of
from service.api.fhir.door import door
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.operate import Target
from service.flows.operate import operate as story


@door
async def operate(request: Request, context: Context, caller: Caller) -> Response:
    """GET or POST $[code] of the system, a type, an instance, a version; the last segment of the path names it."""
    sized = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    body = None
    if request.method == "POST" and sized:
        body = await resource_of(request, context.settings.max_body_bytes)
    code = request.scope["path"].rpartition("$")[2]
    parts = request.path_params
    target = Target(code, parts.get("type"), parts.get("id"), parts.get("vid"), expected_version(request))
    return answer(request, await story(context, caller, target, body, request.query_params.multi_items()))
