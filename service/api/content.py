"""Negotiation and headers of the FHIR door: what was sent, what is wanted, what version it is.

https://hl7.org/fhir/R4/http.html#mime-type, #versioning, #return
"""

import re
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import Response

from service.fhir.json import BadJson, JsonObject, decode, decode_object, encode, pretty
from service.fhir.outcome import Issue, operation_outcome
from service.kernel.failures import Refused
from service.fhir.row import Row

FHIR_JSON = "application/fhir+json; charset=utf-8"
_JSON_TYPES = frozenset({"application/fhir+json", "application/json", "text/json", "json"})
_ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})"\Z')


async def body_of(request: Request, limit: int) -> bytes:
    """The raw body; Refused("too-large") as soon as it is longer than `limit`, without reading the rest."""
    text = f"the body is larger than {limit} bytes"
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise Refused("too-large", text)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise Refused("too-large", text)
        chunks.append(chunk)
    return b"".join(chunks)


async def resource_of(request: Request, limit: int) -> JsonObject:
    """The resource in the body. Refused("media-type") or Refused("malformed") saying where it breaks."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in _JSON_TYPES:
        raise Refused("media-type", "send application/fhir+json")
    return parsed(await body_of(request, limit))


def parsed(raw: bytes) -> JsonObject:
    """Bytes to a resource: an object with a `resourceType`."""
    try:
        resource = decode_object(raw)
    except BadJson as error:
        raise Refused("malformed", f"the body is not usable JSON: {error}") from None
    if not isinstance(resource.get("resourceType"), str):
        text = "the body has no `resourceType`"
        raise Refused("malformed", text, [Issue("error", "structure", text, "resourceType")])
    return resource


def expected_version(request: Request) -> int | None:
    """The version of `If-Match`, None without the header; Refused when it is not an ETag of ours."""
    header = request.headers.get("if-match")
    return None if header is None else etag_version(header)


def etag_version(text: str) -> int:
    """`W/"3"` to 3."""
    match = _ETAG.match(text.strip())
    if not match:
        raise Refused("malformed", 'If-Match must be one ETag as this server gives it, like W/"3"')
    return int(match[1])


def version_headers(row: Row) -> dict[str, str]:
    """ETag and Last-Modified of a version."""
    return {
        "ETag": f'W/"{row.version}"',
        "Last-Modified": format_datetime(row.updated, usegmt=True),
        "Cache-Control": "no-store",
    }


def preference(request: Request) -> str:
    """`return=` of Prefer: minimal, representation (the default) or OperationOutcome."""
    for part in request.headers.get("prefer", "").split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "return" and value in ("minimal", "representation", "OperationOutcome"):
            return value
    return "representation"


def answer(
    request: Request, body: bytes, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A FHIR body, indented if `_pretty=true`."""
    if request.query_params.get("_pretty") == "true":
        body = pretty(decode(body))
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, FHIR_JSON)


def written(request: Request, row: Row, created: bool, base: str, issues: list[Issue]) -> Response:
    """The answer to a create or update, as `Prefer` wants it."""
    headers = version_headers(row)
    headers["Location"] = f"{base}/{row.type}/{row.id}/_history/{row.version}"
    status = 201 if created else 200
    wanted = preference(request)
    if wanted == "minimal":
        return Response(b"", status, headers)
    if wanted == "OperationOutcome":
        return answer(request, encode(operation_outcome(issues)), status, headers)
    return answer(request, row.body or b"", status, headers)
