"""Coming in and going out."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.api.console import cookies
from service.api.console.door import SIGN_IN, onward, signed_in
from service.api.console.forms import fields_of, form_of, plain_form
from service.api.console.render import page, trouble
from service.flows.console import sign_in as story
from service.flows.console.sign_in import Begun
from service.flows.console.visit import caller_for
from service.flows.context import Context

HOME = "/console"


async def show(request: Request) -> Response:
    """GET /console/sign-in: what one can do here."""
    if await signed_in(request):
        return onward(HOME)
    return _page("sign_in.html", title="Sign in", issuer=_issuer(request) is not None)


async def start(request: Request) -> Response:
    """GET /console/sign-in/start: off to the issuer."""
    leaving = await story.leave(_context(request), _issuer(request))
    response = onward(leaving.url)
    cookies.place(request, response, cookies.TICKET, leaving.ticket, cookies.TICKET_SECONDS)
    return response


async def back(request: Request) -> Response:
    """GET /console/sign-in/back: back from the issuer."""
    ticket = cookies.taken(request, cookies.TICKET)
    begun = await story.come_back(_context(request), _issuer(request), ticket, fields_of(request.url.query))
    return await _in(request, begun)


async def link(request: Request) -> Response:
    """GET /console/link/[token]: for whom it is; the button uses it up."""
    token = request.path_params["token"]
    name = await story.link_for(_context(request), token)
    return _page("link.html", title="Sign in", name=name, token=token)


async def use_link(request: Request) -> Response:
    """POST /console/link: use a link up."""
    form = await plain_form(request)
    return await _in(request, await story.by_link(_context(request), form.get("token", "")))


async def out(request: Request) -> Response:
    """POST /console/sign-out: the session is over at once, here and in every replica."""
    await form_of(request, cookies.taken(request, cookies.SESSION))
    person = await signed_in(request)
    if person is not None:
        await caller_for(_context(request), person)
        await story.sign_out(_context(request), person)
    response = onward(SIGN_IN)
    cookies.drop(request, response, cookies.SESSION)
    return response


async def ended(request: Request) -> Response:
    """POST /console/sign-out/issuer: Back-Channel Logout 1.0, from the issuer's server."""
    form = await plain_form(request)
    await story.ended(_context(request), _issuer(request), form.get("logout_token", ""))
    return trouble(200, "Signed out", "the session is over")


async def _in(request: Request, begun: Begun) -> Response:
    """A new session always has a new token; the one that the browser had before is over."""
    before = await signed_in(request)
    if before is not None:
        await story.sign_out(_context(request), before)
    response = onward(HOME)
    seconds = int((begun.expires - _context(request).clock()).total_seconds())
    cookies.place(request, response, cookies.SESSION, begun.token, seconds)
    cookies.drop(request, response, cookies.TICKET)
    return response


def _page(template: str, **view: object) -> Response:
    return page(template, {"person": None, **view}, zone="UTC")


def _context(request: Request) -> Context:
    context: Context = request.app.state.wiring.context
    return context


def _issuer(request: Request) -> Any:
    """Who signs people in, None where nobody does; handed on to the story."""
    return request.app.state.wiring.outside.issuer
