"""Measure/$evaluate-measure, and the Measures we ship.

https://hl7.org/fhir/R4/measure-operation-evaluate-measure.html
"""

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer, resource_of
from service.api.fhir.door import door, expect_parameters
from service.fhir.arguments import arguments
from service.fhir.json import encode
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.measures import evaluate as story
from service.flows.measures.evaluate import Evaluation
from service.kernel.failures import Refused

_TEXTS = ("measure", "periodStart", "periodEnd", "subject", "reportType", "grant")


@door
async def read(request: Request, context: Context, caller: Caller) -> Response:
    """GET Measure/{id} of one we ship; it is the same for everybody and nobody changes it."""
    expect_parameters(request)
    return answer(request, encode(await story.definition_of(caller, request.path_params["id"])))


@door
async def evaluate(request: Request, context: Context, caller: Caller) -> Response:
    """GET or POST Measure/$evaluate-measure, Measure/{id}/$evaluate-measure"""
    sized = request.method == "POST" and request.headers.get("content-length", "0") != "0"
    body = await resource_of(request, context.settings.max_body_bytes) if sized else None
    given = arguments(body, request.query_params.multi_items(), _TEXTS)
    measure, start, end, subject, kind, grant = (given.text(name) for name in _TEXTS)
    named = request.path_params.get("id", "")
    if bool(measure) == bool(named):
        raise Refused("malformed", "say which measure: at an instance, or by the parameter measure")
    asked = Evaluation(named or measure, start, end, subject, kind, grant)
    return answer(request, encode(await story.evaluate(context, caller, asked)))
