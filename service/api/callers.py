"""From a bearer token to the Caller: one statement for every request, nothing remembered between two.

A disabled partner, a revoked or expired token is refused at the next request, in every replica.
"""

import re
from typing import NoReturn

from starlette.requests import Request

from service.api.limits import Visit
from service.fhir.outcome import Issue
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.identify_caller import identify_caller
from service.kernel.failures import Refused

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,512}=*)", re.IGNORECASE)
_REALM = 'Bearer realm="casebridge"'


async def caller_of(request: Request) -> Caller:
    """Who is calling; Refused("unauthenticated") with its RFC 6750 challenge otherwise, Refused("throttled") when
    this caller asks too much."""
    context: Context = request.app.state.wiring.context
    caller = await caller_with(context, request.headers.getlist("authorization"), shown_by(request))
    visit: Visit | None = request.scope.get("state", {}).get("visit")
    if visit:
        await visit.known(caller.client_id, custodian=caller.custodian, path=request.scope["path"])
    return caller


def shown_by(request: Request) -> bytes | None:
    """The certificate (DER) that the caller has shown, as `edge` found it."""
    found: bytes | None = request.scope.get("state", {}).get("shown")
    return found


async def caller_with(context: Context, authorization: list[str], certificate: bytes | None = None) -> Caller:
    """As `caller_of`, from the values of the Authorization header and the certificate that was shown."""
    if not authorization:
        _refuse("an access token is needed: Authorization: Bearer … from /auth/token", "")
    match = _BEARER.fullmatch(authorization[0].strip())
    if len(authorization) > 1 or not match:
        _refuse("the Authorization header is not one bearer token", "invalid_request")
    caller = await identify_caller(context, match[1], certificate)
    if caller is None:
        _refuse(
            "the access token is unknown, expired, withdrawn or bound to another certificate", "invalid_token"
        )
    return caller


def _refuse(text: str, error: str) -> NoReturn:
    """Without a token the challenge names no error (RFC 6750 §3.1)."""
    challenge = f'{_REALM}, error="{error}", error_description="{text}"' if error else _REALM
    raise Refused("unauthenticated", text, [Issue("error", "login", text)], challenge=challenge)
