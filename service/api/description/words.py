"""What every door's description is made of: operations, parameters, answers, bodies."""

from typing import Any

Document = dict[str, Any]

FHIR = "application/fhir+json"
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_XML = "application/fhir+xml"
OUTCOME = {
    FHIR: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}},
    _XML: {"schema": {"type": "string"}},
}
BEARER: list[Document] = [{"bearer": []}]


def operation(summary: str, tag: str, answers: Document, **more: Any) -> Document:
    """One method of a path."""
    return {"summary": summary, "tags": [tag], "responses": answers, **more}


def answer(text: str, content: Document | None = None) -> Document:
    """What comes back, in which form."""
    return {"description": text, **({"content": content} if content else {})}


def parameter(name: str, where: str, text: str, kind: str = "string", **rules: Any) -> Document:
    """One parameter; of a path it is needed."""
    return {
        "name": name, "in": where, "description": text, "required": where == "path", "schema": {"type": kind, **rules},
    }  # fmt: skip


def refusals(content: Document) -> Document:
    """Every refusal there is."""
    return {
        "400": answer("cannot be read", content),
        "401": answer("no valid access token", content),
        "403": answer("the token does not cover it", content),
        "404": answer("does not exist here, or not for this caller", content),
        "405": answer("method not offered; see Allow", content),
        "406": answer("no form that the client reads", content),
        "409": answer("somebody else did it meanwhile", content),
        "410": answer("was deleted", content),
        "412": answer("another version, or several matches", content),
        "413": answer("too large", content),
        "415": answer("media type not offered", content),
        "422": answer("not valid, with every finding", content),
        "503": answer("not now; see Retry-After", content),
    }


def some(content: Document, *statuses: str) -> Document:
    """These refusals, and those that any request may meet."""
    return {
        status: said
        for status, said in refusals(content).items()
        if status in (*statuses, "400", "401", "403", "503") or (content is OUTCOME and status == "406")
    }


ID = parameter("id", "path", "logical id", pattern="^[A-Za-z0-9.-]{1,64}$")

IF_MATCH = parameter("If-Match", "header", 'the version you saw, `W/"3"`')


def resource_of(type_: str) -> Document:
    """A resource of a type, in every form."""
    schema = {"$ref": "#/components/schemas/Resource", "title": type_}
    return {FHIR: {"schema": schema}, _XML: {"schema": {"type": "string"}}}


def request_body(type_: str) -> Document:
    """A resource of a type, sent."""
    return {"required": True, "content": resource_of(type_)}
