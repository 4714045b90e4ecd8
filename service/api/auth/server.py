"""What the auth endpoints take from wiring, and how they answer.

Wiring must offer `context` (flows.context.Context) and `outside` (remote.outside.Outside).
"""

import re
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from service.api.callers import shown_by
from service.api.witness import witnessed
from service.fhir.json import JsonObject, encode
from service.flows.context import Context
from service.flows.issue_token import OAuthError, TokenRefused, TokenServer
from service.flows.publish_keys import publish_keys
from service.kernel.failures import Failure, Refused, Unavailable

Endpoint = Callable[[Request], Awaitable[Response]]

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_STATUS: Mapping[OAuthError, int] = {
    "invalid_request": 400,
    "invalid_client": 401,
    "invalid_scope": 400,
    "unsupported_grant_type": 400,
    "unauthorized_client": 400,
}
_UNSAYABLE = re.compile(r"[^\x20\x21\x23-\x5B\x5D-\x7E]")
"""Characters that `error_description` may not hold (RFC 6749 §5.2)."""


def context_of(request: Request) -> Context:
    """The stories' context."""
    context: Context = request.app.state.wiring.context
    return context


def origin_of(request: Request) -> str:
    """Our public URL without a path: what `aud` must name, so never taken from the Host header."""
    return context_of(request).base.removesuffix("/fhir")


def server_of(request: Request) -> TokenServer:
    """The token endpoint's footing."""
    context = context_of(request)
    key_sets, url = request.app.state.wiring.outside.key_sets, f"{origin_of(request)}/auth/token"
    seconds, shown = context.settings.token_seconds, shown_by(request)
    return TokenServer(context.database, context.clock, key_sets, url, seconds, shown)


def answer(body: JsonObject, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that nobody keeps."""
    return Response(encode(body), status, {**_NO_STORE, **(headers or {})}, "application/json")


def guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint with failures answered as RFC 6749 JSON."""

    async def whole(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Failure as failure:
            return _refusal(failure)

    return witnessed(whole, lambda _, failure: _refusal(failure), "auth-")


def _refusal(failure: Failure) -> Response:
    match failure:
        case TokenRefused():
            return _error(failure.error, failure.text, _STATUS[failure.error])
        case Refused() if failure.reason == "unauthenticated":
            challenge = {"WWW-Authenticate": failure.facts.get("challenge", "Bearer")}
            return _error("invalid_token", failure.text, 401, challenge)
        case Refused() if failure.reason == "throttled":
            wait = {"Retry-After": failure.facts.get("retry_after", "5")}
            return _error("temporarily_unavailable", failure.text, 429, wait)
        case Refused() if failure.reason == "slow":
            return _error("invalid_request", failure.text, 408)
        case Unavailable():
            wait = {"Retry-After": str(failure.retry_after)}
            return _error("temporarily_unavailable", failure.text, 503, wait)
    return _error("invalid_request", "the request cannot be served", 400)


def _error(error: str, text: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return answer({"error": error, "error_description": _UNSAYABLE.sub("'", text)}, status, headers)


async def key_set_response(request: Request, headers: Mapping[str, str]) -> Response:
    """Our JWK Set."""
    found = await publish_keys(context_of(request))
    return Response(encode(found), headers=dict(headers), media_type="application/json")
