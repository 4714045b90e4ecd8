"""Operations: is the process alive, can it serve, what has it counted."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.flows.health import counts, ping
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
    """Counts in the Prometheus text format; labels name no client."""
    rows = await counts(request.app.state.wiring.context)
    lines = [f"{name}{{{_labels(labels)}}} {number}" for name, labels, number in rows]
    return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in labels.items())


routes = [
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
]
