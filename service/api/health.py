"""Operations: is the process alive, can it serve, what has it counted."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.flows.health import metrics as page_of
from service.flows.health import ping
from service.kernel.failures import Unavailable


async def live(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    """The process and its database answer; 503 otherwise."""
    try:
        await ping(request.app.state.wiring.context)
    except Unavailable as away:
        return JSONResponse({"status": "unavailable", "detail": away.text}, 503)
    return JSONResponse({"status": "ok"})


async def metrics(request: Request) -> Response:
    """Counts in the Prometheus text format; labels name no client. 503 while the database is away."""
    try:
        page = await page_of(request.app.state.wiring.context)
    except Unavailable as away:
        return JSONResponse({"status": "unavailable", "detail": away.text}, 503)
    return Response(page, media_type="text/plain; version=0.0.4")


routes = [
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
]
