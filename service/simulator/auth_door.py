"""The agency's authorisation: SMART discovery, token endpoint, public keys."""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.simulator.agency import Agency
from service.simulator.tokens import Unproven


async def token(request: Request) -> Response:
    """POST the token endpoint: SMART Backend Services."""
    agency: Agency = request.app.state.agency
    form = dict(parse_qsl((await request.body()).decode("ascii", "replace")))
    try:
        granted = await agency.desk.grant(form)
    except Unproven as error:
        return JSONResponse({"error": "invalid_client", "error_description": str(error)}, 401)
    return JSONResponse(granted, headers={"Cache-Control": "no-store"})


async def key_set(request: Request) -> Response:
    """GET the agency's public keys."""
    return JSONResponse(request.app.state.agency.key.public_set)


async def smart_configuration(request: Request) -> Response:
    """GET SMART discovery."""
    agency: Agency = request.app.state.agency
    return JSONResponse(
        {
            "token_endpoint": agency.desk.url,
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES384", "RS384"],
            "grant_types_supported": ["client_credentials"],
            "capabilities": ["client-confidential-asymmetric"],
        }
    )


routes = [
    Route("/token", token, methods=["POST"]),
    Route("/.well-known/jwks.json", key_set, methods=["GET"]),
    Route("/fhir/.well-known/smart-configuration", smart_configuration, methods=["GET"]),
]
