"""The three OAuth endpoints: token, introspection, revocation."""

from starlette.requests import Request
from starlette.responses import Response

from service.api.auth.form import form_of
from service.api.auth.server import answer, context_of, guarded, server_of
from service.api.callers import caller_of
from service.flows.inspect_token import inspect_token, revoke_token
from service.flows.issue_token import TokenRefused, authenticate_client, issue_token
from service.kernel.events import log


@guarded
async def token(request: Request) -> Response:
    """POST /auth/token: SMART Backend Services."""
    try:
        granted = await issue_token(server_of(request), await form_of(request))
    except TokenRefused as refused:
        log("token-refused", error=refused.error, check=refused.text)
        raise
    log("token-issued", client=granted.client_id)
    return answer(
        {
            "access_token": granted.token,
            "token_type": "bearer",
            "expires_in": granted.seconds,
            "scope": granted.scope,
        }
    )


@guarded
async def introspect(request: Request) -> Response:
    """POST /auth/introspect: RFC 7662, with a bearer token or a client assertion."""
    form = await form_of(request)
    asker, roles = await _asker(request, form)
    context = context_of(request)
    return answer(await inspect_token(context.database, context.clock(), asker, roles, _token(form)))


@guarded
async def revoke(request: Request) -> Response:
    """POST /auth/revoke: RFC 7009. 200 also for a token that is not known, or not the asker's."""
    form = await form_of(request)
    asker, _ = await _asker(request, form)
    await revoke_token(context_of(request).database, asker, _token(form))
    return answer({})


async def _asker(request: Request, form: dict[str, str]) -> tuple[str, list[str]]:
    """Client_id and roles of who asks: by assertion if the form has one, else by bearer token."""
    if "client_assertion" in form:
        partner = await authenticate_client(server_of(request), form)
        return partner.client_id, partner.roles
    caller = await caller_of(request)
    return caller.client_id, sorted(caller.roles)


def _token(form: dict[str, str]) -> str:
    if "token" not in form:
        raise TokenRefused("invalid_request", "token is required")
    return form["token"]
