"""The pages behind a one-time link: of an agency without any FHIR that sees and answers a referral (`/r`), and of a
client who sees and answers what is asked (`/c`). Opening the link uses it up; a cookie stands for the visit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.api.console import cookies
from service.api.console.door import Endpoint, onward, refusal_page, witnessed
from service.api.console.forms import csrf, form_of, plain_form
from service.api.console.render import page
from service.flows import client_page, guests
from service.flows.context import Context
from service.kernel.failures import Failure


@dataclass(frozen=True, slots=True)
class Door:
    """Where it is, its cookie, its story, its two pages with their titles, and what stands on the trail.

    `offered`: what the page before the button may say, by the link's token. `trail`: the link looked at, opened, the
    page seen, the answer given.
    """

    here: str
    cookie: str
    offered: Callable[[Context, str], Awaitable[str | None]]
    enter: Callable[[Context, str], Awaitable[guests.Link]]
    show: Callable[[Context, str], Awaitable[object]]
    answer: Callable[[Context, str, dict[str, str]], Awaitable[None]]
    link_page: tuple[str, str]
    page: tuple[str, str]
    trail: tuple[str, str, str, str]

    def routes(self) -> list[Route]:
        """GET [here]/[token], POST [here]/open, GET and POST [here]."""
        looked, opened, seen, answered = self.trail
        return [
            self._route("/open", opened, self._open, "POST"),
            self._route("/{token}", looked, self._offer, "GET"),
            self._route("", seen, self._show, "GET"),
            self._route("", answered, self._answer, "POST"),
        ]

    def _route(self, path: str, action: str, story: Endpoint, method: str) -> Route:
        return Route(self.here + path, witnessed(action, story, refused=_refused), methods=[method])

    async def _offer(self, request: Request) -> Response:
        """The link itself; the button uses it up, for mail programs look too."""
        token = request.path_params["token"]
        name = await self.offered(_context(request), token)
        return _page(request, self.link_page, name=name, token=token)

    async def _open(self, request: Request) -> Response:
        """Use the link up."""
        form = await plain_form(request)
        visit = await self.enter(_context(request), form.get("token", ""))
        response = onward(self.here)
        cookies.place(request, response, self.cookie, visit.token, int(guests.VISIT.total_seconds()))
        return response

    async def _show(self, request: Request) -> Response:
        visit = cookies.taken(request, self.cookie)
        seen = await self.show(_context(request), visit)
        return _page(request, self.page, csrf=csrf(visit), seen=seen)

    async def _answer(self, request: Request) -> Response:
        visit = cookies.taken(request, self.cookie)
        await self.answer(_context(request), visit, await form_of(request, visit))
        return onward(self.here)


def _context(request: Request) -> Context:
    context: Context = request.app.state.wiring.context
    return context


def _page(request: Request, named: tuple[str, str], **view: object) -> Response:
    template, title = named
    whole = {"person": None, "title": title, **view}
    return page(template, whole, zone=_context(request).settings.time_zone)


def _refused(failure: Failure) -> Response:
    """Nobody here has an account: the sentence says what to do."""
    return refusal_page(failure, guest=True)


DOORS = (
    Door(
        "/r", cookies.GUEST, guests.for_whom, guests.enter, guests.show, guests.answer,
        ("guest_link.html", "A referral for you"), ("guest.html", "Referral"),
        ("link", "link-open", "referral-seen", "referral-answered"),
    ),
    Door(
        "/c", cookies.CLIENT, client_page.offered, client_page.enter, client_page.show, client_page.answer,
        ("client_link.html", "A message for you"), ("client_task.html", "A message for you"),
        ("client-link", "client-link-open", "client-task-seen", "client-task-answered"),
    ),
)  # fmt: skip

routes = [route for door in DOORS for route in door.routes()]
