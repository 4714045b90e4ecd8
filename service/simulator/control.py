"""The control desk of a simulated agency, for whoever plays with it: no part of the agency's system.

Without a token, on loopback only: what it has, what reached it, how it shall behave, "send a referral".
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.fhir.json import decode_object
from service.simulator.agency import Agency
from service.simulator.behaviour import BEHAVIOURS
from service.simulator.store import Refusal


def _agency(request: Request) -> Agency:
    agency: Agency = request.app.state.agency
    return agency


async def overview(request: Request) -> Response:
    """GET /simulator: name, addresses, behaviour, and how its referrals stand."""
    return JSONResponse(_agency(request).shown())


async def requests(request: Request) -> Response:
    """GET /simulator/requests: everything that reached its FHIR and token endpoints, word for word."""
    return JSONResponse([heard.shown() for heard in _agency(request).notebook.heard])


async def staff_token(request: Request) -> Response:
    """GET /simulator/staff-token: a token to look into the agency's own FHIR store."""
    return JSONResponse({"access_token": _agency(request).desk.staff, "token_type": "bearer"})


async def behave(request: Request) -> Response:
    """PUT /simulator/behaviour {"behaviour": …, "pace": seconds}."""
    wanted, manner = decode_object(await request.body()), _agency(request).manner
    if wanted.get("behaviour", manner.behaviour) not in BEHAVIOURS:
        return JSONResponse({"detail": f"a behaviour is one of {', '.join(BEHAVIOURS)}"}, 400)
    manner.change(wanted.get("behaviour", manner.behaviour))
    manner.pace = float(wanted.get("pace", manner.pace))
    return JSONResponse({"behaviour": manner.behaviour, "pace": manner.pace})


async def register(request: Request) -> Response:
    """PUT /simulator/registration: what `casebridge partner add` printed, and `origin` of Casebridge."""
    given = decode_object(await request.body())
    _agency(request).register(given["origin"], given.get("client_id"), given.get("organization"))
    return Response(status_code=204)


async def refer(request: Request) -> Response:
    """POST /simulator/referrals: write a referral and send it; answers where it is, here and there."""
    try:
        sent = await _agency(request).refer(decode_object(await request.body()))
    except Refusal as refusal:
        return JSONResponse({"detail": refusal.text}, refusal.status)
    return JSONResponse(sent, 201)


async def referrals(request: Request) -> Response:
    """GET /simulator/referrals: what the agency sent, and every status it has read on Casebridge since."""
    return JSONResponse(_agency(request).sent)


routes = [
    Route("/", overview, methods=["GET"]),
    Route("/simulator", overview, methods=["GET"]),
    Route("/simulator/requests", requests, methods=["GET"]),
    Route("/simulator/staff-token", staff_token, methods=["GET"]),
    Route("/simulator/behaviour", behave, methods=["PUT"]),
    Route("/simulator/registration", register, methods=["PUT"]),
    Route("/simulator/referrals", refer, methods=["POST"]),
    Route("/simulator/referrals", referrals, methods=["GET"]),
]
