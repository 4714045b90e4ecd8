"""The authorisation door: SMART Backend Services 2.2, RFC 7662, RFC 7009, discovery.

`routes` must come before the FHIR door's: `/fhir/.well-known/…` would otherwise be read as a type and an id.
"""

from starlette.routing import Route

from service.api.auth.discovery import key_set, smart_configuration
from service.api.auth.endpoints import introspect, revoke, token

routes = [
    Route("/auth/token", token, methods=["POST"]),
    Route("/auth/introspect", introspect, methods=["POST"]),
    Route("/auth/revoke", revoke, methods=["POST"]),
    Route("/fhir/.well-known/smart-configuration", smart_configuration, methods=["GET"]),
    Route("/.well-known/smart-configuration", smart_configuration, methods=["GET"]),
    Route("/.well-known/jwks.json", key_set, methods=["GET"]),
]
