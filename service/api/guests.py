"""The pages of an agency without any FHIR: open a one-time link, see the referral, answer it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.api.console import cookies
from service.api.console.door import onward, refusal_page, witnessed
from service.api.console.forms import csrf, form_of, plain_form
from service.api.console.render import page
from service.flows import guests as story
from service.flows.context import Context
from service.kernel.failures import Failure

HERE = "/r"


async def offered(request: Request) -> Response:
    """GET /r/[token]: for whom it is; the button uses it up."""
    token = request.path_params["token"]
    name = await story.for_whom(_context(request), token)
    return _page(request, "guest_link.html", title="A referral for you", name=name, token=token)


async def opened(request: Request) -> Response:
    """POST /r/open: use a link up."""
    form = await plain_form(request)
    visit = await story.enter(_context(request), form.get("token", ""))
    response = onward(HERE)
    cookies.place(request, response, cookies.GUEST, visit.token, int(story.VISIT.total_seconds()))
    return response


async def shown(request: Request) -> Response:
    """GET /r: the referral."""
    visit = cookies.taken(request, cookies.GUEST)
    seen = await story.show(_context(request), visit)
    return _page(request, "guest.html", title="Referral", csrf=csrf(visit), seen=seen)


async def answered(request: Request) -> Response:
    """POST /r: a move."""
    visit = cookies.taken(request, cookies.GUEST)
    await story.answer(_context(request), visit, await form_of(request, visit))
    return onward(HERE)


def _context(request: Request) -> Context:
    context: Context = request.app.state.wiring.context
    return context


def _page(request: Request, template: str, **view: object) -> Response:
    return page(template, {"person": None, **view}, zone=_context(request).settings.time_zone)


def _refused(failure: Failure) -> Response:
    """A guest has no account: the sentence says what to do."""
    return refusal_page(failure, guest=True)


routes = [
    Route("/r/open", witnessed("link-open", opened, refused=_refused), methods=["POST"]),
    Route("/r/{token}", witnessed("link", offered, refused=_refused), methods=["GET"]),
    Route("/r", witnessed("referral-seen", shown, refused=_refused), methods=["GET"]),
    Route("/r", witnessed("referral-answered", answered, refused=_refused), methods=["POST"]),
]
