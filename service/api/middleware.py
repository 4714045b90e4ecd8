"""One pure-ASGI layer around everything: a request id, safety headers, a log line without content, and no
stack trace for anybody. (BaseHTTPMiddleware costs 460 µs a layer.)"""

import re
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.console.render import trouble
from service.fhir.json import JsonObject, encode
from service.fhir.outcome import Issue, operation_outcome
from service.kernel.events import log
from service.kernel.ids import new_id
from service.kernel.meters import answered, method_of

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
"""Where callers reach us by https (RFC 6797)."""
_PAGES = ("/docs", "/console")
_ID = re.compile(
    rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,64}|[0-7][0-9A-HJKMNP-TV-Z]{25}"
)
"""A UUID, hexadecimal digits (trace ids are) or a ULID: the log has it, so it must not be a place for a name."""
MAX_QUERY = 8_192
MAX_PATH = 2_048


class Guarded:
    """See the module. `X-Request-Id` is taken over when it can be nothing but an id, and answered always."""

    def __init__(self, app: ASGIApp, *, secure: bool = False) -> None:
        self.app = app
        self._headers = [*_HEADERS, *([_HTTPS_ONLY] if secure else [])]
        self._page_headers = [header for header in self._headers if header[0] != b"content-security-policy"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 0
        page = scope["path"].startswith(_PAGES)

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = self._page_headers if page else self._headers
                message["headers"] = [*message["headers"], *extra, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            if len(scope["query_string"]) > MAX_QUERY or len(scope["path"]) > MAX_PATH:
                await plain_answer(
                    sending, scope, 414, Issue("error", "too-long", "the URL is too long; use POST _search")
                )
            else:
                await self.app(scope, receive, sending)
        except Exception as error:
            log(
                "request-failed",
                request=request_id,
                path=_route(scope),
                error=type(error).__name__,
                where=_where(error),
            )
            if status == 0:
                issue = Issue("fatal", "exception", f"an unexpected error; our log has it under {request_id}")
                await plain_answer(sending, scope, 500, issue)
        finally:
            spent, route, method = time.perf_counter() - started, _route(scope), method_of(scope["method"])
            answered(method, route, status, spent)
            milliseconds = round(spent * 1000, 2)
            log("request", request=request_id, method=method, path=route, status=status, ms=milliseconds)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return str(value.decode("ascii"))
    return new_id()


def _route(scope: Scope) -> str:
    """The route's template, never the path itself: ids and queries are somebody's data."""
    endpoint = scope.get("endpoint")
    return _templates(scope["app"]).get(id(endpoint), "(none)") if endpoint is not None else "(none)"


@lru_cache(maxsize=4)
def _templates(app: Any) -> dict[int, str]:
    """Endpoint → `/fhir/{type}/{id}`. (Starlette's own routes leave no trace of themselves in the scope.)"""
    return {
        id(route.endpoint): re.sub(r":\w+}", "}", route.path)
        for route in app.routes
        if hasattr(route, "endpoint")
    }


def _where(error: BaseException) -> str:
    """File and line of the innermost frame: enough to find the fault, nothing of what was processed."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""


async def plain_answer(
    send: Send, scope: Scope, status: int, issue: Issue, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """An answer that needs no door, in the form its door would give: OperationOutcome, OAuth error, problem details."""
    path, kind = scope["path"], b"application/problem+json"
    if path.startswith("/console"):
        page = trouble(status, "Something went wrong", issue.text)
        await send(
            {"type": "http.response.start", "status": status, "headers": [*page.raw_headers, *headers]}
        )
        await send({"type": "http.response.body", "body": page.body})
        return
    body: JsonObject = {"type": "about:blank", "title": issue.text, "status": status}
    if path.startswith("/fhir"):
        body, kind = operation_outcome([issue]), b"application/fhir+json; charset=utf-8"
    elif path.startswith("/auth/"):
        error = "temporarily_unavailable" if status in (429, 503) else "invalid_request"
        body, kind = {"error": error, "error_description": issue.text}, b"application/json"
    given = [(b"content-type", kind), (b"cache-control", b"no-store"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": given})
    await send({"type": "http.response.body", "body": encode(body)})
