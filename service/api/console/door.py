"""The console's door: who is there, may they, what do they see, and the audit row before the answer leaves."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.api.console import cookies
from service.api.console.forms import csrf, fields_of, form_of
from service.api.console.pages import PAGES, Act, Page
from service.api.console.render import HEADERS, page, trouble
from service.api.failures import TABLE, headers_of, status_of
from service.flows.audit.witness import testify, witness
from service.flows.console.people import Person, Role, person_of
from service.flows.console.visit import Visit, caller_for
from service.flows.context import Context
from service.kernel.failures import Failure, Refused

Endpoint = Callable[[Request], Awaitable[Response]]
SIGN_IN = "/console/sign-in"


def shown(row: Page) -> Endpoint:
    """GET of a page."""

    async def story(request: Request) -> Response:
        token = cookies.taken(request, cookies.SESSION)
        visit = await _visit(request, row.who, fields_of(request.url.query))
        if visit is None:
            return onward(SIGN_IN)
        view = await row.story(visit)
        return _page(row, visit, view, token)

    return witnessed(row.template.removesuffix(".html"), story, row.about)


def done(row: Act) -> Endpoint:
    """POST of a form."""

    async def story(request: Request) -> Response:
        visit = await _visit(request, row.who, {})  # first: a forged form too is on the trail under a name
        asked = await form_of(request, cookies.taken(request, cookies.SESSION))
        if visit is None:
            raise Refused("unauthenticated", "your session is over; sign in again")
        return onward(await row.story(replace(visit, asked=asked)))

    return witnessed("form", story)


def witnessed(
    action: str, story: Endpoint, about: str = "", refused: Callable[[Failure], Response] | None = None
) -> Endpoint:
    """A story with its failures as pages, and its audit row durable before anybody is answered. Who comes by a link is
    not at the console: the page says how it refuses, and its action stands as it is."""
    refusal = refused or refusal_page
    name = action if refused else f"console-{action}"

    async def endpoint(request: Request) -> Response:
        context: Context = request.app.state.wiring.context
        client, parts = request.client, dict(request.path_params)
        named = {"type": about, **parts} if about else parts
        trail = witness(
            request.scope.get("state", {}).get("request_id", ""),
            client.host if client else "",
            name,
            named if "type" in named or "kind" in named else {},
        )
        try:
            cookies.secure(context.base)
            response = await story(request)
        except Failure as failure:
            response = refusal(failure)
        try:
            await testify(context, trail, response.status_code)  # nobody signed in: no row
        except Failure as failure:
            return refusal(failure)
        return response

    return endpoint


async def _visit(request: Request, who: frozenset[Role], asked: Mapping[str, str]) -> Visit | None:
    """None when nobody is signed in. Refused("forbidden") when it is somebody without the role."""
    context: Context = request.app.state.wiring.context
    person = await signed_in(request)
    if person is None:
        return None
    caller = await caller_for(context, person, request.url.query if request.method == "GET" else "")
    if not person.roles & who:
        raise Refused(
            "forbidden", f"this page is for {_list(who)}; you are signed in as {_list(person.roles)}"
        )
    return Visit(context, person, caller, request.path_params, asked)


async def signed_in(request: Request) -> Person | None:
    """Whose session came with the request."""
    token = cookies.taken(request, cookies.SESSION)
    return await person_of(request.app.state.wiring.context, token) if token else None


def _page(row: Page, visit: Visit, view: Mapping[str, object], token: str) -> Response:
    nav = [(each.path, each.nav) for each in PAGES if each.nav and each.who & visit.person.roles]
    here = max((path for path, _ in nav if row.path.startswith(path)), key=len, default="")
    frame = {
        "person": visit.person, "nav": nav, "here": here, "path": row.path, "title": row.title, "asked": visit.asked,
        "csrf": csrf(token), "may": _may(visit.person), "agency": visit.caller.name,
    }  # fmt: skip
    return page(row.template, {**frame, **view}, zone=visit.context.settings.time_zone)


def _may(person: Person) -> Callable[[str], bool]:
    """For templates: may this person open the page of this path?"""
    open_ = {each.path for each in PAGES if each.who & person.roles}
    return lambda path: path in open_


def refusal_page(failure: Failure, **more: object) -> Response:
    """The page of a failure, in a sentence without internals."""
    title = TABLE[failure.reason][2] if isinstance(failure, Refused) else "Not available now"
    response = trouble(status_of(failure), title, str(failure), **more)
    response.headers.update(
        {name: value for name, value in headers_of(failure).items() if name == "Retry-After"}
    )
    return response


def onward(path: str) -> Response:
    """See there: after a form, or to the sign-in."""
    return RedirectResponse(path, 303, HEADERS)


def _list(roles: frozenset[Role]) -> str:
    return ", ".join(sorted(roles)).replace("-", " ") or "nobody in particular"
