"""The casework door, from the kinds of records; and every schema of the document."""

from typing import Any

from service.api.description.words import (
    BEARER,
    IF_MATCH,
    PROBLEM,
    Document,
    answer,
    operation,
    parameter,
    refusals,
    some,
)
from service.casework.records import kinds, schema


def casework() -> Document:
    """Every path of the casework door."""
    json = {"application/json": {"schema": {"type": "object"}}}
    paths: Document = {}
    for name in kinds:
        record = {"application/json": {"schema": {"$ref": f"#/components/schemas/{_title(name)}"}}}
        filed = {"application/json": {"schema": {"$ref": "#/components/schemas/Filed"}}}
        paths[f"/casework/v1/{name}/{{id}}"] = {
            "parameters": [parameter("id", "path", "your own id")],
            "put": operation(
                f"file a record: {name}", "casework",
                {"200": answer("filed again", filed), "201": answer("filed", filed), **refusals(PROBLEM)},
                requestBody={"required": True, "content": record}, security=BEARER,
                parameters=[IF_MATCH, parameter("dry-run", "query", "answer the FHIR, write nothing", "boolean")],
            ),
            "get": operation(
                f"read a record: {name}", "casework", {"200": answer("the record", record), **some(PROBLEM, "404", "410")},
                security=BEARER,
            ),
            "delete": operation(
                f"take a record back: {name}", "casework", {"204": answer("withdrawn"), **some(PROBLEM, "404", "410", "412", "422")},
                security=BEARER, parameters=[IF_MATCH],
            ),
        }  # fmt: skip
        paths[f"/casework/v1/{name}/{{id}}/_history"] = {
            "parameters": [parameter("id", "path", "your own id")],
            "get": operation(
                f"every version of a record: {name}", "casework", {"200": answer("versions, newest first", json), **some(PROBLEM, "404")},
                security=BEARER,
                parameters=[parameter("before", "query", "versions older than this", "integer"),
                            parameter("limit", "query", "at most this many", "integer", maximum=200)],
            ),
        }  # fmt: skip
        paths[f"/casework/v1/{name}/{{id}}/_history/{{version}}"] = {
            "parameters": [parameter("id", "path", "your own id"), parameter("version", "path", "a version", "integer")],
            "get": operation(
                f"one version of a record: {name}", "casework", {"200": answer("the version", json), **some(PROBLEM, "404")},
                security=BEARER,
            ),
        }  # fmt: skip
    paths["/casework/v1/referrals/{id}/link"] = {
        "parameters": [parameter("id", "path", "your own id")],
        "post": operation(
            "a one-time link for an agency without a FHIR server", "casework",
            {"201": answer("the link, or where it was mailed, and until when it opens", json), **some(PROBLEM, "404", "422")},
            requestBody={"description": 'nothing, or {"mail": ADDRESS}, or {"mail": "contact"}', "content": json},
            security=BEARER,
        ),
    }  # fmt: skip
    paths["/casework/v1/client-tasks/{id}/link"] = {
        "parameters": [parameter("id", "path", "your own id")],
        "post": operation(
            "a one-time link for a client to answer what is asked", "casework",
            {"201": answer("the link, and until when it opens", json), **some(PROBLEM, "404", "422")}, security=BEARER,
        ),
    }  # fmt: skip
    paths["/casework/v1/batch"] = {
        "post": operation("file many records", "casework", {"200": answer("one result a record", json), **some(PROBLEM, "413", "415")},
                           requestBody={"required": True, "content": json}, security=BEARER)
    }  # fmt: skip
    paths["/casework/v1/events"] = {
        "get": operation(
            "what partners did, in order", "casework", {"200": answer("events and the cursor behind them", json), **some(PROBLEM)},
            security=BEARER,
            parameters=[
                parameter("after", "query", "the cursor of the last page"),
                parameter("limit", "query", "at most this many", "integer", maximum=1000),
                parameter("wait", "query", "seconds to wait for news", "integer", maximum=60),
            ],
        )
    }  # fmt: skip
    paths["/casework/v1/schema/{record}"] = {
        "parameters": [parameter("record", "path", "a record kind", enum=list(kinds))],
        "get": operation(
            "JSON Schema of a record kind",
            "casework",
            {
                "200": answer("the schema", {"application/schema+json": {"schema": {"type": "object"}}}),
                "404": answer("no such kind", PROBLEM),
            },
        ),
    }
    return paths


def _title(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("-"))


def components() -> Document:
    """Every schema, and how a caller shows who it is."""
    schemas: Document = {
        "Resource": {
            "type": "object", "required": ["resourceType"],
            "properties": {"resourceType": {"type": "string"}, "id": {"type": "string"}},
        },
        "OperationOutcome": {
            "type": "object", "required": ["resourceType", "issue"],
            "properties": {"resourceType": {"const": "OperationOutcome"}, "issue": {"type": "array", "items": {"type": "object"}}},
        },
        "Problem": {
            "type": "object", "required": ["title", "status"],
            "properties": {
                "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
                "detail": {"type": "string"},
                "errors": {"type": "array", "items": {"type": "object", "properties": {"detail": {"type": "string"}, "pointer": {"type": "string"}}}},
            },
        },
        "Filed": {
            "type": "object", "required": ["id", "kind", "resources"],
            "properties": {
                "id": {"type": "string"}, "kind": {"type": "string"}, "version": {"type": "integer"},
                "resources": {"type": "array", "items": {"type": "string"}},
                "notes": {"type": "array", "items": {"type": "object"}},
            },
        },
    }  # fmt: skip
    for name in kinds:
        whole = dict(schema(name))
        definitions = whole.pop("$defs", {})
        whole.pop("$schema", None)
        prefix = _title(name)
        schemas[prefix] = _pointed(whole, prefix)
        for inner, body in definitions.items():
            schemas[f"{prefix}.{inner}"] = _pointed(body, prefix)
    bearer = {"type": "http", "scheme": "bearer", "description": "from /auth/token"}
    return {"schemas": schemas, "securitySchemes": {"bearer": bearer}}


def _pointed(value: Any, prefix: str) -> Any:
    """`#/$defs/X` inside a record's schema becomes a component of the document."""
    if isinstance(value, dict):
        return {
            key: member.replace("#/$defs/", f"#/components/schemas/{prefix}.")
            if key == "$ref" and isinstance(member, str)
            else _pointed(member, prefix)
            for key, member in value.items()
        }
    return [_pointed(member, prefix) for member in value] if isinstance(value, list) else value
