"""The OpenAPI document, from the catalogue, the record kinds and the few fixed doors. `openapi.yaml` is its copy.

Here are the doors that are alike everywhere: tokens, health, notifications; fhir.py and casework.py have the others.
"""

from fastapi import FastAPI

from service.api.description.casework import casework, components
from service.api.description.fhir import fhir
from service.api.description.words import (
    BEARER,
    OUTCOME,
    Document,
    answer,
    operation,
    parameter,
    refusals,
    request_body,
)

__all__ = ["openapi"]


def openapi(app: FastAPI) -> Document:
    """The whole document; built once."""
    if app.openapi_schema is None:
        app.openapi_schema = {
            "openapi": "3.1.0",
            "info": {"title": app.title, "version": app.version, "description": app.description},
            "paths": _auth() | casework() | fhir() | _operations(),
            "components": components(),
        }
    return app.openapi_schema


def _auth() -> Document:
    form = {
        "type": "object",
        "required": ["grant_type", "client_assertion_type", "client_assertion", "scope"],
        "properties": {
            "grant_type": {"const": "client_credentials"},
            "client_assertion_type": {"const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
            "client_assertion": {"type": "string"},
            "scope": {"type": "string"},
        },
    }
    json = {"application/json": {"schema": {"type": "object"}}}
    token = {"type": "object", "required": ["token"], "properties": {"token": {"type": "string"}}}
    return {
        "/auth/token": {
            "post": operation(
                "an access token for a signed assertion (SMART Backend Services)", "auth",
                {"200": answer("the token", json), "400": answer("an OAuth error", json), "401": answer("an OAuth error", json)},
                requestBody={"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
            )
        },
        "/auth/introspect": {
            "post": operation("RFC 7662", "auth", {"200": answer("active or not", json), "400": answer("an OAuth error", json), "401": answer("an OAuth error", json)},
                               requestBody={"required": True, "content": {"application/x-www-form-urlencoded": {"schema": token}}},
                               security=BEARER)
        },
        "/auth/revoke": {
            "post": operation("RFC 7009", "auth", {"200": answer("no longer valid"), "400": answer("an OAuth error", json), "401": answer("an OAuth error", json)},
                               requestBody={"required": True, "content": {"application/x-www-form-urlencoded": {"schema": token}}},
                               security=BEARER)
        },
        "/fhir/.well-known/smart-configuration": {"get": operation("SMART discovery", "auth", {"200": answer("the configuration", json)})},
        "/.well-known/jwks.json": {"get": operation("our public keys", "auth", {"200": answer("a JWK Set", json)})},
    }  # fmt: skip


def _operations() -> Document:
    json = {"application/json": {"schema": {"type": "object"}}}
    return {
        "/health/live": {"get": operation("the process answers", "operations", {"200": answer("ok", json)})},
        "/health/ready": {
            "get": operation(
                "the service can serve",
                "operations",
                {"200": answer("ok", json), "503": answer("not now", json)},
            )
        },
        "/subscriptions/{handle}": {
            "parameters": [parameter("handle", "path", "as our Subscription at the partner says")],
            "post": operation(
                "a partner's server tells what happened to our referrals (Subscriptions R5 Backport)",
                "subscriptions",
                {"200": answer("kept"), **refusals(OUTCOME)},
                requestBody=request_body("Bundle"),
                security=BEARER,
            ),
        },
        "/metrics": {
            "get": operation(
                "counts for Prometheus",
                "operations",
                {"200": answer("text format", {"text/plain": {"schema": {"type": "string"}}})},
            )
        },
    }
