"""Around every endpoint that has a caller: what was done is on the audit trail before the answer leaves."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from service.flows.audit.witness import testify, witness
from service.flows.context import Context
from service.kernel.failures import Failure

Endpoint = Callable[[Request], Awaitable[Response]]

_WORDS = {"GET": "read", "HEAD": "read", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def witnessed(endpoint: Endpoint, refuse: Callable[[Request, Failure], Response], door: str = "") -> Endpoint:
    """The endpoint; `refuse` answers when its audit cannot be written. `door` goes before the name of the action."""

    async def whole(request: Request) -> Response:
        client, parts = request.client, _parts(request)
        trail = witness(
            request.scope.get("state", {}).get("request_id", ""),
            client.host if client else "",
            door + _action(request, parts),
            parts,
        )
        response = await endpoint(request)
        context: Context = request.app.state.wiring.context
        try:
            await testify(context, trail, response.status_code)
        except Failure as failure:
            return refuse(request, failure)
        return response

    return whole


def _parts(request: Request) -> dict[str, str]:
    """What the path names; a type that has a route of its own stands in the path itself."""
    words = request.scope["path"].split("/")
    own = words[2] if len(words) > 2 and words[1] == "fhir" and words[2][:1].isupper() else ""
    return ({"type": own} if own else {}) | request.path_params


def _action(request: Request, parts: Mapping[str, str]) -> str:
    """As FHIR calls it: https://hl7.org/fhir/R4/valueset-type-restful-interaction.html"""
    method = request.method
    last: str = request.scope["path"].rstrip("/").rpartition("/")[2]
    level = "instance" if "id" in parts else "type" if "type" in parts else "system"
    if last.startswith("$") or request.scope["path"].startswith("/auth/"):
        return last[:40]
    if last == "_history":
        return f"history-{level}"
    if "vid" in parts:
        return "vread"
    if last == "_search" or "member" in parts or (method in ("GET", "HEAD") and level != "instance"):
        return f"search-{'system' if level == 'system' else 'type'}"
    if method == "POST":
        return "create" if level == "type" else "transaction"
    return _WORDS.get(method, method.lower())
