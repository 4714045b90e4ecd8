"""Where everything of the console is."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.api.console import sign_in
from service.api.console.door import done, shown, witnessed
from service.api.console.pages import ACTS, PAGES
from service.api.console.render import STATIC, trouble


async def static(request: Request) -> Response:
    """The one style sheet and the icon; their address changes when they do."""
    found = STATIC.get(request.path_params["name"])
    if found is None:
        return trouble(404, "Not found", "there is no such file")
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Security-Policy": "default-src 'none'",
    }
    return Response(found[0], headers=headers, media_type=found[1])


routes = [
    Route("/console/static/{name}", static, methods=["GET"]),
    Route("/console/sign-in", witnessed("sign-in", sign_in.show), methods=["GET"]),
    Route("/console/sign-in/start", witnessed("sign-in", sign_in.start), methods=["GET"]),
    Route("/console/sign-in/back", witnessed("sign-in", sign_in.back), methods=["GET"]),
    Route("/console/link/{token}", witnessed("link", sign_in.link), methods=["GET"]),
    Route("/console/link", witnessed("link", sign_in.use_link), methods=["POST"]),
    Route("/console/sign-out", witnessed("sign-out", sign_in.out), methods=["POST"]),
    Route("/console/sign-out/issuer", witnessed("sign-out", sign_in.ended), methods=["POST"]),
    *(Route(each.path, done(each), methods=["POST"]) for each in ACTS),
    *(Route(each.path, shown(each), methods=["GET"]) for each in PAGES),
]
