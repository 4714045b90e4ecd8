"""Where partners' servers tell us what happened to our referrals: /subscriptions/{handle}.

The handle is random and the secret comes in the Authorization header that our Subscription asked for; whoever lacks
either learns nothing, not even that there is such a door.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.api.content import body_of, parsed
from service.api.failures import outcome_response
from service.flows.context import Context
from service.flows.subscriptions.hear import MAX_BYTES, hear, nobody
from service.kernel.failures import Failure


async def notification(request: Request) -> Response:
    """POST of a notification Bundle; 200 as soon as it is kept."""
    context: Context = request.app.state.wiring.context
    try:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise nobody()
        bundle = parsed(await body_of(request, MAX_BYTES))
        await hear(context, request.path_params["handle"], secret, bundle)
    except Failure as failure:
        return outcome_response(failure)
    return Response(status_code=200, headers={"Cache-Control": "no-store"})


routes = [Route("/subscriptions/{handle}", notification, methods=["POST"])]
