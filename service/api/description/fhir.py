"""The FHIR door, from the catalogue and the operations' definitions.

Bodies are described as what they are (a resource of a type, an OperationOutcome); their rules are in the profiles.
"""

from typing import Any

from service.api.description.words import (
    BEARER,
    ID,
    IF_MATCH,
    OUTCOME,
    Document,
    answer,
    operation,
    parameter,
    refusals,
    request_body,
    resource_of,
    some,
)
from service.fhir.artefacts import PUBLISHED, shelf
from service.fhir.catalogue import catalogue
from service.fhir.r4 import is_resource

_READ_TOO = ("primary-case-manager",)
"""Operations that change something by POST and tell how it is by GET."""

_SINCE = parameter("_since", "query", "only what was changed at or after this moment")

_PAST = [
    parameter("_count", "query", "at most this many a page", "integer", minimum=1),
    _SINCE,
    parameter("_at", "query", "only what was current at this time"),
]


def fhir() -> Document:
    """Every path of the FHIR door."""
    paths: Document = {
        "/fhir/metadata": {
            "get": operation(
                "CapabilityStatement", "FHIR", {"200": answer("the capability statement", resource_of("CapabilityStatement"))}
            )
        },
        "/fhir": {
            "get": _asked("search of everything", "FHIR", "Bundle"),
            "post": _sent("batch or transaction", "FHIR", request_body("Bundle"), "Bundle"),
        },
        "/fhir/_history": {"get": _asked("history of everything", "FHIR", "Bundle", parameters=_PAST)},
    }  # fmt: skip
    for spec in catalogue.values():
        paths |= _type(spec.type, set(spec.interactions))
    for type_ in PUBLISHED:
        paths |= _published(type_)
    return paths | _offered() | _exports()


def _asked(summary: str, tag: str, type_: str, **more: Any) -> Document:
    said = {"200": answer(summary, resource_of(type_)), **some(OUTCOME, "404", "410")}
    return operation(summary, tag, said, security=BEARER, **more)


def _sent(summary: str, tag: str, body: Document, type_: str, **more: Any) -> Document:
    said = {
        "200": answer("done, or there already", resource_of(type_)),
        "201": answer("created", resource_of(type_)),
        **refusals(OUTCOME),
    }
    return operation(summary, tag, said, requestBody=body, security=BEARER, **more)


def _type(name: str, offered: set[str]) -> Document:
    """The paths of a type; the search parameters of a conditional write are those of its search."""
    patch = {
        "required": True,
        "content": {
            "application/json-patch+json": {"schema": {"type": "array"}},
            **resource_of("Parameters"),
        },
    }
    none = [parameter("If-None-Exist", "header", "create only if this search finds nothing")]
    gone = {"204": answer("gone"), **some(OUTCOME, "404", "409", "412", "422")}
    matched = [IF_MATCH]
    whole: Document = {
        "get": _asked(f"search {name}", name, "Bundle"),
        "post": _sent(f"create {name}", name, request_body(name), name, parameters=none),
        "put": _sent(
            f"update the {name} that a search finds", name, request_body(name), name, parameters=matched
        ),
        "patch": _sent(f"patch the {name} that a search finds", name, patch, name, parameters=matched),
        "delete": operation(
            f"delete the {name} that a search finds", name, gone, security=BEARER, parameters=matched
        ),
    }
    item: Document = {
        "get": _asked(f"read {name}", name, name),
        "put": _sent(f"update {name}", name, request_body(name), name, parameters=matched),
        "patch": _sent(f"patch {name}", name, patch, name, parameters=matched),
        "delete": operation(f"delete {name}", name, gone, security=BEARER, parameters=matched),
    }
    needs = {"get": ("search", "read"), "post": ("create", ""), "put": ("update", "update"),
             "patch": ("patch", "patch"), "delete": ("delete", "delete")}  # fmt: skip
    version = parameter("vid", "path", "version id")
    return {
        f"/fhir/{name}": {method: each for method, each in whole.items() if needs[method][0] in offered},
        f"/fhir/{name}/{{id}}": {
            "parameters": [ID],
            **{method: each for method, each in item.items() if needs[method][1] in offered},
        },
        f"/fhir/{name}/_history": {"get": _asked(f"history of all {name}", name, "Bundle", parameters=_PAST)},
        f"/fhir/{name}/{{id}}/_history": {
            "parameters": [ID],
            "get": _asked(f"history of {name}", name, "Bundle", parameters=_PAST),
        },
        f"/fhir/{name}/{{id}}/_history/{{vid}}": {
            "parameters": [ID, version],
            "get": _asked(f"one version of {name}", name, name),
        },
    }


def _published(type_: str) -> Document:
    def said(summary: str, shown: str) -> Document:
        return operation(
            summary, type_, {"200": answer(summary, resource_of(shown)), "404": answer("no such", OUTCOME)}
        )

    return {
        f"/fhir/{type_}": {"get": said(f"find a {type_} of ours", "Bundle")},
        f"/fhir/{type_}/{{id}}": {"parameters": [ID], "get": said(f"read a {type_} of ours", type_)},
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


_JOB = parameter("job", "path", "as the kick-off's Content-Location has it")

_EXPORTED = [
    parameter("Prefer", "header", "respond-async, and handling=lenient if need be"),
    parameter("_outputFormat", "query", "application/fhir+ndjson"),
    parameter("_since", "query", "only what was changed after this moment"),
    parameter("_type", "query", "only these types, separated by commas"),
    parameter("_typeFilter", "query", "[type]?[query]: of this type, only what the query finds"),
]


def _exports() -> Document:
    """Bulk Data: kick-offs, status, files."""
    refused = {**some(OUTCOME, "404"), "429": answer("too many, or too soon; see Retry-After", OUTCOME)}
    begun = {"202": answer("begun; Content-Location says where to look", OUTCOME), **refused}
    manifest = {"application/json": {"schema": {"type": "object"}}}
    ndjson = {"application/fhir+ndjson": {"schema": {"type": "string"}}}
    done = {"200": answer("the manifest", manifest), "202": answer("under way; see X-Progress"), **refused}
    gone = {"202": answer("cancelled, and its files are gone", OUTCOME), **some(OUTCOME, "404")}
    got = {"200": answer("a resource a line", ndjson), **some(OUTCOME, "404")}
    places = {
        "/fhir/$export": ("everything", []),
        "/fhir/Patient/$export": ("all clients", []),
        "/fhir/Group/{id}/$export": ("the clients in a group", [ID]),
    }
    body = {**request_body("Parameters"), "required": False}
    paths: Document = {}
    for path, (whose, more) in places.items():
        said, tag = f"bulk export of {whose}", "Bulk"
        paths[path] = {
            "get": operation(said, tag, begun, security=BEARER, parameters=[*more, *_EXPORTED]),
            "post": operation(
                said, tag, begun, security=BEARER, parameters=[*more, *_EXPORTED], requestBody=body
            ),
        }
    paths["/fhir/export/{job}"] = {
        "parameters": [_JOB],
        "get": operation("how far it is", "Bulk", done, security=BEARER),
        "delete": operation("cancel", "Bulk", gone, security=BEARER),
    }
    paths["/fhir/export/{job}/{file}"] = {
        "parameters": [_JOB, parameter("file", "path", "as the manifest has it")],
        "get": operation("a file", "Bulk", got, security=BEARER),
    }
    return paths


def _invoked(definition: Document, tag: str, instance: bool) -> Document:
    given = next(each["type"] for each in definition["parameter"] if each["use"] == "out")
    answers = given if is_resource(given) else "Parameters"
    said = _sent(definition["title"], tag, {**request_body("Parameters"), "required": False}, answers)
    shown: Document = {"post": said, **({"parameters": [ID]} if instance else {})}
    if instance and (not definition["affectsState"] or definition["code"] in _READ_TOO):
        shown["get"] = _asked(definition["title"], tag, answers)
    return shown
