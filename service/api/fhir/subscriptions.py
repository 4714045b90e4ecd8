"""Subscription/$status and Subscription/{id}/$events.

https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-status.html and -events
"""

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer, resource_of
from service.api.fhir.door import door
from service.fhir.arguments import Arguments, arguments
from service.fhir.json import encode
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.subscriptions import look
from service.kernel.failures import Refused


@door
async def status(request: Request, context: Context, caller: Caller) -> Response:
    """GET or POST Subscription/$status and Subscription/{id}/$status; at an instance, `id` and `status` do nothing."""
    given = await _given(request, context, ("id", "status"))
    bundle = await look.status(
        context, caller, request.path_params.get("id"), given.texts("id"), given.texts("status")
    )
    return answer(request, encode(bundle))


@door
async def events(request: Request, context: Context, caller: Caller) -> Response:
    """GET or POST Subscription/{id}/$events"""
    given = await _given(request, context, ("eventsSinceNumber", "eventsUntilNumber", "content"))
    span = look.Span(
        _number(given, "eventsSinceNumber"), _number(given, "eventsUntilNumber"), given.text("content")
    )
    return answer(request, encode(await look.events(context, caller, request.path_params["id"], span)))


def _number(given: Arguments, name: str) -> int | None:
    """A string in R4, and zero is one."""
    found = given.values.get(name, [])
    if not found:
        return None
    text = str(found[0])
    if len(found) > 1 or not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise Refused("malformed", f"the parameter {name} is one whole number")
    return int(text)


async def _given(request: Request, context: Context, known: tuple[str, ...]) -> Arguments:
    sized = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    body = (
        await resource_of(request, context.settings.max_body_bytes)
        if request.method == "POST" and sized
        else None
    )
    return arguments(body, request.query_params.multi_items(), known)
