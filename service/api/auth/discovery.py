"""What clients read first: SMART configuration and our own public keys. Open to any origin."""

from starlette.requests import Request
from starlette.responses import Response

from service.api.auth.server import context_of, key_set_response, origin_of
from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject, encode
from service.flows.access.public_keys import ALGORITHMS

_OPEN = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}


def configuration(origin: str, bound: bool = False) -> JsonObject:
    """https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html, for backend services only.

    `bound`: we see callers' certificates, so tokens can be bound to them (RFC 8705 §3.3).
    `code_challenge_methods_supported` is required even of servers that offer no launch; `issuer` and
    `authorization_endpoint` are not, and are left out because nothing here answers for them.
    """
    return {
        "token_endpoint": f"{origin}/auth/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_endpoint": f"{origin}/auth/introspect",
        "revocation_endpoint": f"{origin}/auth/revoke",
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": _scopes(),
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["client-confidential-asymmetric", "permission-v2", "permission-v1"],
        **({"tls_client_certificate_bound_access_tokens": True} if bound else {}),
    }


def _scopes() -> list[str]:
    types = ("*", *sorted(catalogue))
    return [f"system/{type_}.{letters}" for letters in ("cruds", "rs", "read") for type_ in types]


async def smart_configuration(request: Request) -> Response:
    """GET …/.well-known/smart-configuration: JSON whatever Accept says."""
    body = encode(configuration(origin_of(request), context_of(request).settings.sees_certificates))
    return Response(body, headers=_OPEN, media_type="application/json")


async def key_set(request: Request) -> Response:
    """GET /.well-known/jwks.json: the keys with which we sign our own assertions at partners."""
    return await key_set_response(request, _OPEN)
