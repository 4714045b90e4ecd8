"""One path, its methods: the right endpoint, or 405 with everything that the path does offer.

HEAD is GET without a body (the server leaves it out); OPTIONS says what there is.
"""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.api.fhir.door import Endpoint, refusal
from service.kernel.failures import Refused


class Methods:
    """An ASGI application over the endpoints of a path."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        self._endpoints = dict(endpoints)
        if "GET" in endpoints:
            self._endpoints["HEAD"] = endpoints["GET"]
        self.allow = ", ".join([*self._endpoints, "OPTIONS"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        request = Request(scope, receive, send)
        endpoint = self._endpoints.get(scope["method"])
        response = await endpoint(request) if endpoint else self._other(request)
        await response(scope, receive, send)

    def _other(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": self.allow})
        text = f"this path offers {self.allow}"
        return refusal(request, Refused("method", text, allow=self.allow))
