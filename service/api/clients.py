"""The pages of a client: open a one-time link, see what is asked, answer it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.api.console import cookies
from service.api.console.door import onward, refusal_page, witnessed
from service.api.console.forms import csrf, form_of, plain_form
from service.api.console.render import page
from service.flows import client_page as story
from service.flows.context import Context
from service.flows.guests import VISIT
from service.kernel.failures import Failure

HERE = "/c"


async def offered(request: Request) -> Response:
    """GET /c/[token]: says nothing of whose it is; the button uses it up."""
    token = request.path_params["token"]
    await story.offered(_context(request), token)
    return _page(request, "client_link.html", title="A message for you", token=token)


async def opened(request: Request) -> Response:
    """POST /c/open: use a link up."""
    form = await plain_form(request)
    visit = await story.enter(_context(request), form.get("token", ""))
    response = onward(HERE)
    cookies.place(request, response, cookies.CLIENT, visit.token, int(VISIT.total_seconds()))
    return response


async def shown(request: Request) -> Response:
    """GET /c: what is asked."""
    visit = cookies.taken(request, cookies.CLIENT)
    seen = await story.show(_context(request), visit)
    return _page(request, "client_task.html", title="A message for you", csrf=csrf(visit), seen=seen)


async def answered(request: Request) -> Response:
    """POST /c: the answer."""
    visit = cookies.taken(request, cookies.CLIENT)
    await story.answer(_context(request), visit, await form_of(request, visit))
    return onward(HERE)


def _context(request: Request) -> Context:
    context: Context = request.app.state.wiring.context
    return context


def _page(request: Request, template: str, **view: object) -> Response:
    return page(template, {"person": None, **view}, zone=_context(request).settings.time_zone)


def _refused(failure: Failure) -> Response:
    """A client has no account: the sentence says what to do."""
    return refusal_page(failure, guest=True)


routes = [
    Route("/c/open", witnessed("client-link-open", opened, refused=_refused), methods=["POST"]),
    Route("/c/{token}", witnessed("client-link", offered, refused=_refused), methods=["GET"]),
    Route("/c", witnessed("client-task-seen", shown, refused=_refused), methods=["GET"]),
    Route("/c", witnessed("client-task-answered", answered, refused=_refused), methods=["POST"]),
]
