"""The OpenAPI document, from the catalogue, the record kinds and the few fixed doors. `openapi.yaml` is its copy.

FHIR bodies are described as what they are (a resource of a type, an OperationOutcome); their rules are in the
profiles, not here.
"""

from typing import Any

from fastapi import FastAPI

from service.casework.records import kinds, schema
from service.fhir.artefacts import PUBLISHED, shelf
from service.fhir.catalogue import catalogue
from service.fhir.r4 import is_resource

Document = dict[str, Any]

_FHIR = "application/fhir+json"
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_XML = "application/fhir+xml"
_OUTCOME = {
    _FHIR: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}},
    _XML: {"schema": {"type": "string"}},
}
_BEARER: list[Document] = [{"bearer": []}]
_READ_TOO = ("primary-case-manager",)
"""Operations that change something by POST and tell how it is by GET."""


def openapi(app: FastAPI) -> Document:
    """The whole document; built once."""
    if app.openapi_schema is None:
        app.openapi_schema = {
            "openapi": "3.1.0",
            "info": {"title": app.title, "version": app.version, "description": app.description},
            "paths": _auth() | _casework() | _fhir() | _operations(),
            "components": _components(),
        }
    return app.openapi_schema


def _operation(summary: str, tag: str, answers: Document, **more: Any) -> Document:
    return {"summary": summary, "tags": [tag], "responses": answers, **more}


def _said(text: str, content: Document | None = None) -> Document:
    return {"description": text, **({"content": content} if content else {})}


def _parameter(name: str, where: str, text: str, kind: str = "string", **rules: Any) -> Document:
    return {
        "name": name, "in": where, "description": text, "required": where == "path", "schema": {"type": kind, **rules},
    }  # fmt: skip


def _refusals(content: Document) -> Document:
    return {
        "400": _said("cannot be read", content),
        "401": _said("no valid access token", content),
        "403": _said("the token does not cover it", content),
        "404": _said("does not exist here, or not for this caller", content),
        "405": _said("method not offered; see Allow", content),
        "406": _said("no form that the client reads", content),
        "409": _said("somebody else did it meanwhile", content),
        "410": _said("was deleted", content),
        "412": _said("another version, or several matches", content),
        "413": _said("too large", content),
        "415": _said("media type not offered", content),
        "422": _said("not valid, with every finding", content),
        "503": _said("not now; see Retry-After", content),
    }


def _some(content: Document, *statuses: str) -> Document:
    return {
        status: said
        for status, said in _refusals(content).items()
        if status in (*statuses, "400", "401", "403", "503") or (content is _OUTCOME and status == "406")
    }


_ID = _parameter("id", "path", "logical id", pattern="^[A-Za-z0-9.-]{1,64}$")
_IF_MATCH = _parameter("If-Match", "header", 'the version you saw, `W/"3"`')


_SINCE = _parameter("_since", "query", "only what was changed at or after this moment")
_PAST = [
    _parameter("_count", "query", "at most this many a page", "integer", minimum=1),
    _SINCE,
    _parameter("_at", "query", "only what was current at this time"),
]


def _fhir() -> Document:
    paths: Document = {
        "/fhir/metadata": {
            "get": _operation(
                "CapabilityStatement", "FHIR", {"200": _said("the capability statement", _resource("CapabilityStatement"))}
            )
        },
        "/fhir": {
            "get": _asked("search of everything", "FHIR", "Bundle"),
            "post": _sent("batch or transaction", "FHIR", _body("Bundle"), "Bundle"),
        },
        "/fhir/_history": {"get": _asked("history of everything", "FHIR", "Bundle", parameters=_PAST)},
    }  # fmt: skip
    for spec in catalogue.values():
        paths |= _type(spec.type, set(spec.interactions))
    for type_ in PUBLISHED:
        paths |= _published(type_)
    return paths | _offered() | _exports()


def _resource(type_: str) -> Document:
    schema = {"$ref": "#/components/schemas/Resource", "title": type_}
    return {_FHIR: {"schema": schema}, _XML: {"schema": {"type": "string"}}}


def _body(type_: str) -> Document:
    return {"required": True, "content": _resource(type_)}


def _asked(summary: str, tag: str, type_: str, **more: Any) -> Document:
    said = {"200": _said(summary, _resource(type_)), **_some(_OUTCOME, "404", "410")}
    return _operation(summary, tag, said, security=_BEARER, **more)


def _sent(summary: str, tag: str, body: Document, type_: str, **more: Any) -> Document:
    said = {
        "200": _said("done, or there already", _resource(type_)),
        "201": _said("created", _resource(type_)),
        **_refusals(_OUTCOME),
    }
    return _operation(summary, tag, said, requestBody=body, security=_BEARER, **more)


def _type(name: str, offered: set[str]) -> Document:
    """The paths of a type; the search parameters of a conditional write are those of its search."""
    patch = {
        "required": True,
        "content": {"application/json-patch+json": {"schema": {"type": "array"}}, **_resource("Parameters")},
    }
    none = [_parameter("If-None-Exist", "header", "create only if this search finds nothing")]
    gone = {"204": _said("gone"), **_some(_OUTCOME, "404", "409", "412", "422")}
    matched = [_IF_MATCH]
    whole: Document = {
        "get": _asked(f"search {name}", name, "Bundle"),
        "post": _sent(f"create {name}", name, _body(name), name, parameters=none),
        "put": _sent(f"update the {name} that a search finds", name, _body(name), name, parameters=matched),
        "patch": _sent(f"patch the {name} that a search finds", name, patch, name, parameters=matched),
        "delete": _operation(
            f"delete the {name} that a search finds", name, gone, security=_BEARER, parameters=matched
        ),
    }
    item: Document = {
        "get": _asked(f"read {name}", name, name),
        "put": _sent(f"update {name}", name, _body(name), name, parameters=matched),
        "patch": _sent(f"patch {name}", name, patch, name, parameters=matched),
        "delete": _operation(f"delete {name}", name, gone, security=_BEARER, parameters=matched),
    }
    needs = {"get": ("search", "read"), "post": ("create", ""), "put": ("update", "update"),
             "patch": ("patch", "patch"), "delete": ("delete", "delete")}  # fmt: skip
    version = _parameter("vid", "path", "version id")
    return {
        f"/fhir/{name}": {method: each for method, each in whole.items() if needs[method][0] in offered},
        f"/fhir/{name}/{{id}}": {
            "parameters": [_ID],
            **{method: each for method, each in item.items() if needs[method][1] in offered},
        },
        f"/fhir/{name}/_history": {"get": _asked(f"history of all {name}", name, "Bundle", parameters=_PAST)},
        f"/fhir/{name}/{{id}}/_history": {
            "parameters": [_ID],
            "get": _asked(f"history of {name}", name, "Bundle", parameters=_PAST),
        },
        f"/fhir/{name}/{{id}}/_history/{{vid}}": {
            "parameters": [_ID, version],
            "get": _asked(f"one version of {name}", name, name),
        },
    }


def _published(type_: str) -> Document:
    def said(summary: str, shown: str) -> Document:
        return _operation(
            summary, type_, {"200": _said(summary, _resource(shown)), "404": _said("no such", _OUTCOME)}
        )

    return {
        f"/fhir/{type_}": {"get": said(f"find a {type_} of ours", "Bundle")},
        f"/fhir/{type_}/{{id}}": {"parameters": [_ID], "get": said(f"read a {type_} of ours", type_)},
    }


def _offered() -> Document:
    """The operations, from their definitions."""
    paths: Document = {}
    for artefact in shelf("OperationDefinition").values():
        definition = artefact.resource
        if definition["code"] == "export":
            continue
        names = catalogue if "Resource" in definition["resource"] else definition["resource"]
        where = [(f"/fhir/{name}", name) for name in names]
        roots = [("/fhir", "FHIR")] if definition["system"] else []
        roots += where if definition["type"] else []
        roots += [(path + "/{id}", name) for path, name in where] if definition["instance"] else []
        for path, tag in roots:
            paths[f"{path}/${definition['code']}"] = _invoked(definition, tag, "{id}" in path)
    return paths


_JOB = _parameter("job", "path", "as the kick-off's Content-Location has it")
_EXPORTED = [
    _parameter("Prefer", "header", "respond-async, and handling=lenient if need be"),
    _parameter("_outputFormat", "query", "application/fhir+ndjson"),
    _parameter("_since", "query", "only what was changed after this moment"),
    _parameter("_type", "query", "only these types, separated by commas"),
    _parameter("_typeFilter", "query", "[type]?[query]: of this type, only what the query finds"),
]


def _exports() -> Document:
    """Bulk Data: kick-offs, status, files."""
    refused = {**_some(_OUTCOME, "404"), "429": _said("too many, or too soon; see Retry-After", _OUTCOME)}
    begun = {"202": _said("begun; Content-Location says where to look", _OUTCOME), **refused}
    manifest = {"application/json": {"schema": {"type": "object"}}}
    ndjson = {"application/fhir+ndjson": {"schema": {"type": "string"}}}
    done = {"200": _said("the manifest", manifest), "202": _said("under way; see X-Progress"), **refused}
    gone = {"202": _said("cancelled, and its files are gone", _OUTCOME), **_some(_OUTCOME, "404")}
    got = {"200": _said("a resource a line", ndjson), **_some(_OUTCOME, "404")}
    places = {
        "/fhir/$export": ("everything", []),
        "/fhir/Patient/$export": ("all clients", []),
        "/fhir/Group/{id}/$export": ("the clients in a group", [_ID]),
    }
    body = {**_body("Parameters"), "required": False}
    paths: Document = {}
    for path, (whose, more) in places.items():
        said, tag = f"bulk export of {whose}", "Bulk"
        paths[path] = {
            "get": _operation(said, tag, begun, security=_BEARER, parameters=[*more, *_EXPORTED]),
            "post": _operation(
                said, tag, begun, security=_BEARER, parameters=[*more, *_EXPORTED], requestBody=body
            ),
        }
    paths["/fhir/export/{job}"] = {
        "parameters": [_JOB],
        "get": _operation("how far it is", "Bulk", done, security=_BEARER),
        "delete": _operation("cancel", "Bulk", gone, security=_BEARER),
    }
    paths["/fhir/export/{job}/{file}"] = {
        "parameters": [_JOB, _parameter("file", "path", "as the manifest has it")],
        "get": _operation("a file", "Bulk", got, security=_BEARER),
    }
    return paths


def _invoked(definition: Document, tag: str, instance: bool) -> Document:
    given = next(each["type"] for each in definition["parameter"] if each["use"] == "out")
    answers = given if is_resource(given) else "Parameters"
    said = _sent(definition["title"], tag, {**_body("Parameters"), "required": False}, answers)
    shown: Document = {"post": said, **({"parameters": [_ID]} if instance else {})}
    if instance and (not definition["affectsState"] or definition["code"] in _READ_TOO):
        shown["get"] = _asked(definition["title"], tag, answers)
    return shown


def _casework() -> Document:
    json = {"application/json": {"schema": {"type": "object"}}}
    paths: Document = {}
    for name in kinds:
        record = {"application/json": {"schema": {"$ref": f"#/components/schemas/{_title(name)}"}}}
        filed = {"application/json": {"schema": {"$ref": "#/components/schemas/Filed"}}}
        paths[f"/casework/v1/{name}/{{id}}"] = {
            "parameters": [_parameter("id", "path", "your own id")],
            "put": _operation(
                f"file a record: {name}", "casework",
                {"200": _said("filed again", filed), "201": _said("filed", filed), **_refusals(_PROBLEM)},
                requestBody={"required": True, "content": record}, security=_BEARER,
                parameters=[_IF_MATCH, _parameter("dry-run", "query", "answer the FHIR, write nothing", "boolean")],
            ),
            "get": _operation(
                f"read a record: {name}", "casework", {"200": _said("the record", record), **_some(_PROBLEM, "404", "410")},
                security=_BEARER,
            ),
            "delete": _operation(
                f"take a record back: {name}", "casework", {"204": _said("withdrawn"), **_some(_PROBLEM, "404", "410", "412", "422")},
                security=_BEARER, parameters=[_IF_MATCH],
            ),
        }  # fmt: skip
        paths[f"/casework/v1/{name}/{{id}}/_history"] = {
            "parameters": [_parameter("id", "path", "your own id")],
            "get": _operation(
                f"every version of a record: {name}", "casework", {"200": _said("versions, newest first", json), **_some(_PROBLEM, "404")},
                security=_BEARER,
                parameters=[_parameter("before", "query", "versions older than this", "integer"),
                            _parameter("limit", "query", "at most this many", "integer", maximum=200)],
            ),
        }  # fmt: skip
        paths[f"/casework/v1/{name}/{{id}}/_history/{{version}}"] = {
            "parameters": [_parameter("id", "path", "your own id"), _parameter("version", "path", "a version", "integer")],
            "get": _operation(
                f"one version of a record: {name}", "casework", {"200": _said("the version", json), **_some(_PROBLEM, "404")},
                security=_BEARER,
            ),
        }  # fmt: skip
    paths["/casework/v1/referrals/{id}/link"] = {
        "parameters": [_parameter("id", "path", "your own id")],
        "post": _operation(
            "a one-time link for an agency without a FHIR server", "casework",
            {"201": _said("the link, or where it was mailed, and until when it opens", json), **_some(_PROBLEM, "404", "422")},
            requestBody={"description": 'nothing, or {"mail": ADDRESS}, or {"mail": "contact"}', "content": json},
            security=_BEARER,
        ),
    }  # fmt: skip
    paths["/casework/v1/client-tasks/{id}/link"] = {
        "parameters": [_parameter("id", "path", "your own id")],
        "post": _operation(
            "a one-time link for a client to answer what is asked", "casework",
            {"201": _said("the link, and until when it opens", json), **_some(_PROBLEM, "404", "422")}, security=_BEARER,
        ),
    }  # fmt: skip
    paths["/casework/v1/batch"] = {
        "post": _operation("file many records", "casework", {"200": _said("one result a record", json), **_some(_PROBLEM, "413", "415")},
                           requestBody={"required": True, "content": json}, security=_BEARER)
    }  # fmt: skip
    paths["/casework/v1/events"] = {
        "get": _operation(
            "what partners did, in order", "casework", {"200": _said("events and the cursor behind them", json), **_some(_PROBLEM)},
            security=_BEARER,
            parameters=[
                _parameter("after", "query", "the cursor of the last page"),
                _parameter("limit", "query", "at most this many", "integer", maximum=1000),
                _parameter("wait", "query", "seconds to wait for news", "integer", maximum=60),
            ],
        )
    }  # fmt: skip
    paths["/casework/v1/schema/{record}"] = {
        "parameters": [_parameter("record", "path", "a record kind", enum=list(kinds))],
        "get": _operation(
            "JSON Schema of a record kind",
            "casework",
            {
                "200": _said("the schema", {"application/schema+json": {"schema": {"type": "object"}}}),
                "404": _said("no such kind", _PROBLEM),
            },
        ),
    }
    return paths


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
            "post": _operation(
                "an access token for a signed assertion (SMART Backend Services)", "auth",
                {"200": _said("the token", json), "400": _said("an OAuth error", json), "401": _said("an OAuth error", json)},
                requestBody={"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
            )
        },
        "/auth/introspect": {
            "post": _operation("RFC 7662", "auth", {"200": _said("active or not", json), "400": _said("an OAuth error", json), "401": _said("an OAuth error", json)},
                               requestBody={"required": True, "content": {"application/x-www-form-urlencoded": {"schema": token}}},
                               security=_BEARER)
        },
        "/auth/revoke": {
            "post": _operation("RFC 7009", "auth", {"200": _said("no longer valid"), "400": _said("an OAuth error", json), "401": _said("an OAuth error", json)},
                               requestBody={"required": True, "content": {"application/x-www-form-urlencoded": {"schema": token}}},
                               security=_BEARER)
        },
        "/fhir/.well-known/smart-configuration": {"get": _operation("SMART discovery", "auth", {"200": _said("the configuration", json)})},
        "/.well-known/jwks.json": {"get": _operation("our public keys", "auth", {"200": _said("a JWK Set", json)})},
    }  # fmt: skip


def _operations() -> Document:
    json = {"application/json": {"schema": {"type": "object"}}}
    return {
        "/health/live": {"get": _operation("the process answers", "operations", {"200": _said("ok", json)})},
        "/health/ready": {
            "get": _operation(
                "the service can serve",
                "operations",
                {"200": _said("ok", json), "503": _said("not now", json)},
            )
        },
        "/subscriptions/{handle}": {
            "parameters": [_parameter("handle", "path", "as our Subscription at the partner says")],
            "post": _operation(
                "a partner's server tells what happened to our referrals (Subscriptions R5 Backport)",
                "subscriptions",
                {"200": _said("kept"), **_refusals(_OUTCOME)},
                requestBody=_body("Bundle"),
                security=_BEARER,
            ),
        },
        "/metrics": {
            "get": _operation(
                "counts for Prometheus",
                "operations",
                {"200": _said("text format", {"text/plain": {"schema": {"type": "string"}}})},
            )
        },
    }


def _title(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("-"))


def _components() -> Document:
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
