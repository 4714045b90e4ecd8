"""What every FHIR endpoint is wrapped in: who is calling, and one way to answer failures."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from service.api.callers import caller_of
from service.api.content import lenient
from service.api.failures import outcome_response
from service.api.negotiation import Form, form_of
from service.api.witness import witnessed
from service.flows.caller import Caller
from service.flows.context import Context
from service.kernel.failures import Failure, Refused

Endpoint = Callable[[Request], Awaitable[Response]]
Story = Callable[[Request, Context, Caller], Awaitable[Response]]


def context_of(request: Request) -> Context:
    """The stories' context, as wiring made it."""
    context: Context = request.app.state.wiring.context
    return context


def door(story: Story, *, negotiates: bool = True) -> Endpoint:
    """An endpoint that knows its caller; failures become OperationOutcomes.

    A form that we do not write is refused before anything is done. (`negotiates`: a raw Binary is its own.)
    """

    async def endpoint(request: Request) -> Response:
        try:
            caller = await caller_of(request)
            if negotiates:
                form_of(request)
            return await story(request, context_of(request), caller)
        except Failure as failure:
            return refusal(request, failure)

    return witnessed(endpoint, refusal)


def open_door(story: Callable[[Request, Context], Awaitable[Response]]) -> Endpoint:
    """As `door`, for what anybody may ask: metadata and the definitions we publish."""

    async def endpoint(request: Request) -> Response:
        try:
            form_of(request)
            return await story(request, context_of(request))
        except Failure as failure:
            return refusal(request, failure)

    return endpoint


def refusal(request: Request, failure: Failure) -> Response:
    """The OperationOutcome, in the client's form where we have it."""
    form: Form = "json"
    with suppress(Refused):
        form = form_of(request)
    return outcome_response(failure, form)


def expect_parameters(request: Request, known: Iterable[str] = ()) -> None:
    """Refused("malformed") for a URL parameter that would do nothing here, unless handling is lenient."""
    if not request.scope["query_string"] or lenient(request):
        return
    unknown = set(request.query_params) - {"_format", "_pretty", *known}
    if unknown:
        name = min(unknown)
        shown = name if name.replace("-", "").replace("_", "").isalnum() and len(name) < 40 else "one of them"
        raise Refused("malformed", f"there is a URL parameter that is not offered here: {shown}")
