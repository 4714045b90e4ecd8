"""The application: doors, middleware, OpenAPI. Hot paths are plain routes; the OpenAPI document describes them
from the catalogue (service/api/description)."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Lifespan

from service.api import auth, casework, console, description, health, links, subscriptions
from service.api.console.render import trouble
from service.api.edge import Edge
from service.api.fhir import routes as fhir
from service.api.middleware import Guarded
from service.settings import Settings


class Runs(Protocol):
    """What wiring gives: it is opened when the application starts and closed when it ends."""

    @property
    def settings(self) -> Settings:
        """What the operator chose."""

    def running(self) -> AbstractAsyncContextManager[object]:
        """Connected while entered."""


def make_app(wiring: Runs) -> FastAPI:
    """The ASGI application around a wiring; opening and closing the wiring is the application's lifespan."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with wiring.running():
            yield

    app = bare_app(lifespan, wiring.settings)
    app.state.wiring = wiring
    return app


def bare_app(lifespan: Lifespan[FastAPI] | None = None, settings: Settings | None = None) -> FastAPI:
    """The application without anything behind it: enough to describe it. With `settings` it has its limits."""
    app = FastAPI(
        title="Casebridge",
        version="0.1.0",
        description="Case management and FHIR R4, joined. Errors under /fhir are OperationOutcomes, elsewhere "
        "RFC 9457 problem details.",
        lifespan=lifespan,
        redoc_url=None,
    )
    app.router.routes.extend(
        [
            *fhir.routes,
            *health.routes,
            *auth.routes,
            *casework.routes,
            *subscriptions.routes,
            *console.routes,
            *links.routes,
        ]
    )
    app.router.redirect_slashes = False
    app.add_exception_handler(404, _nothing_here)
    app.add_exception_handler(405, _nothing_here)
    app.openapi = lambda: description.openapi(app)  # type: ignore[method-assign]
    app.add_middleware(GZipMiddleware, minimum_size=2048, compresslevel=1)
    if settings:
        app.add_middleware(Edge, settings=settings)
    secure = settings is not None and (
        settings.public_url.startswith("https://") or settings.tls_certificate is not None
    )
    app.add_middleware(Guarded, secure=secure)
    return app


async def _nothing_here(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    text = "this path does not exist here" if status == 404 else "this method is not offered here"
    if request.url.path.startswith("/fhir"):
        code = "not-found" if status == 404 else "not-supported"
        issue = {"severity": "error", "code": code, "details": {"text": text}, "diagnostics": text}
        body = {"resourceType": "OperationOutcome", "issue": [issue]}
        return JSONResponse(body, status, getattr(error, "headers", None), "application/fhir+json")
    if request.url.path.startswith("/console"):
        return trouble(status, "Not found" if status == 404 else "Not offered", text)
    problem = {"type": "about:blank", "title": text, "status": status}
    return JSONResponse(problem, status, getattr(error, "headers", None), "application/problem+json")
