"""Two cookies: the session's, and the ticket of a sign-in that is on its way.

Behind https they have the `__Host-` prefix, which ties them to this host and to TLS. Over plain http only a service
on this machine has a console at all, and a browser would not keep a Secure cookie there.
"""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from service.kernel.failures import Refused

SESSION, TICKET = "casebridge", "casebridge-ticket"
GUEST, CLIENT = "casebridge-guest", "casebridge-client"
"""Visits by one-time links: of an agency, of a client."""
TICKET_SECONDS = 600
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def secure(base: str) -> bool:
    """Is the console behind https? Refused("forbidden") where it is neither that nor on this machine."""
    parts = urlsplit(base)
    if parts.scheme == "https":
        return True
    if parts.hostname in _LOOPBACK:
        return False
    raise Refused(
        "forbidden", "the console needs https: set CASEBRIDGE_PUBLIC_URL to the https address people come by"
    )


def taken(request: Request, name: str) -> str:
    """The cookie's value; empty without one, or with one that cannot be ours."""
    value = request.cookies.get(_full(request, name), "")
    return value if len(value) <= 100 and value.isascii() else ""


def place(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    """Give the browser a cookie that scripts cannot read and other sites cannot post with."""
    response.set_cookie(
        _full(request, name), value, max_age=seconds, path="/", secure=_secure(request), httponly=True, samesite="lax"
    )  # fmt: skip


def drop(request: Request, response: Response, name: str) -> None:
    """Take it back."""
    response.delete_cookie(
        _full(request, name), path="/", secure=_secure(request), httponly=True, samesite="lax"
    )


def _secure(request: Request) -> bool:
    return secure(request.app.state.wiring.context.base)


def _full(request: Request, name: str) -> str:
    return f"__Host-{name}" if _secure(request) else name
