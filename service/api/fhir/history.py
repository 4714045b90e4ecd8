"""GET …/_history: of one resource, of a type, of the system. https://hl7.org/fhir/R4/http.html#history"""

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer
from service.api.fhir.door import door, expect_parameters
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.history import PARAMETERS, past_of
from service.flows.history import history as history_story


@door
async def history(request: Request, context: Context, caller: Caller) -> Response:
    """Newest first; `_count` a page, `_since`, `_at`; the next link goes on below."""
    expect_parameters(request, PARAMETERS)
    past = past_of(request.path_params.get("type"), request.path_params.get("id"), request.url.query)
    return answer(request, await history_story(context, caller, past))
