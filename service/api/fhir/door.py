"""What every FHIR endpoint is wrapped in: who is calling, and one way to answer failures."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from service.api.callers import caller_of
from service.api.failures import outcome_response
from service.flows.caller import Caller
from service.flows.context import Context
from service.kernel.failures import Failure

Endpoint = Callable[[Request], Awaitable[Response]]
Story = Callable[[Request, Context, Caller], Awaitable[Response]]


def context_of(request: Request) -> Context:
    """The stories' context, as wiring made it."""
    context: Context = request.app.state.wiring.context
    return context


def door(story: Story) -> Endpoint:
    """An endpoint that knows its caller; failures become OperationOutcomes."""

    async def endpoint(request: Request) -> Response:
        try:
            caller = await caller_of(request)
            return await story(request, context_of(request), caller)
        except Failure as failure:
            return outcome_response(failure)

    return endpoint


def open_door(story: Callable[[Request, Context], Awaitable[Response]]) -> Endpoint:
    """As `door`, for what anybody may ask: metadata."""

    async def endpoint(request: Request) -> Response:
        try:
            return await story(request, context_of(request))
        except Failure as failure:
            return outcome_response(failure)

    return endpoint
