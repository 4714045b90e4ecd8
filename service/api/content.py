"""Bodies and headers of the FHIR door: what was sent, what is answered, which version it is.

https://hl7.org/fhir/R4/http.html#mime-type, #versioning, #return
"""

import re
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from service.api.negotiation import FHIR, form_of, sent, wish
from service.fhir.json import BadJson, Json, JsonObject, decode, decode_object, encode, pretty
from service.fhir.outcome import Issue, operation_outcome
from service.fhir.row import Row
from service.fhir.xml import BadXml, NotXml, from_xml, to_xml
from service.kernel.failures import Refused

_ETAG = re.compile(r'(?:W/)?"([^"\x00-\x20]{1,100})"\Z')
_NUMBER = re.compile(r"[0-9]{1,9}\Z", re.ASCII)


async def body_of(request: Request, limit: int) -> bytes:
    """The raw body; Refused("too-large") as soon as it is longer than `limit`, without reading the rest."""
    text = f"the body is larger than {limit} bytes"
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:18]) > limit:
        raise Refused("too-large", text)
    chunks, size = [], 0
    try:
        async for chunk in _plain(request, limit):
            size += len(chunk)
            if size > limit:
                raise Refused("too-large", text)
            chunks.append(chunk)
    except ClientDisconnect:
        raise Refused("malformed", "the body ended before it was whole") from None
    return b"".join(chunks)


async def _plain(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The stream without its Content-Encoding; a bomb ends as soon as it is beyond the limit."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding == "identity":
        async for chunk in request.stream():
            yield chunk
        return
    if coding != "gzip":
        raise Refused("media-type", "the body may be compressed with gzip, or not at all")
    inflate = zlib.decompressobj(wbits=31)
    try:
        async for chunk in request.stream():
            yield inflate.decompress(chunk, limit + 1)
    except zlib.error:
        raise Refused("malformed", "the body is not gzip, as Content-Encoding says") from None
    if inflate.unused_data:
        raise Refused("malformed", "something follows the gzip stream; send the body as one")
    if not inflate.eof:
        raise Refused("malformed", "the gzip stream ends too early, or is larger than the limit")


async def resource_of(request: Request, limit: int) -> JsonObject:
    """The resource in the body. Refused("media-type") or Refused("malformed") saying where it breaks."""
    kind = sent(request)
    if kind not in ("json", "xml"):
        raise Refused("media-type", "send application/fhir+json or application/fhir+xml")
    raw = await body_of(request, limit)
    return from_xml_body(raw) if kind == "xml" else parsed(raw)


async def json_of(request: Request, limit: int) -> Json:
    """Any JSON value, as a JSON Patch is one."""
    try:
        return decode(await body_of(request, limit))
    except BadJson as error:
        raise Refused("malformed", f"the body is not usable JSON: {error}") from None


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


def from_xml_body(raw: bytes) -> JsonObject:
    """XML bytes to a resource."""
    try:
        return from_xml(raw)
    except BadXml as error:
        raise Refused("malformed", f"the body is not usable FHIR XML: {error}") from None


def expected_version(request: Request) -> int | None:
    """The version of `If-Match`, None without the header; Refused when it is not an ETag."""
    header = request.headers.get("if-match")
    return None if header is None else etag_version(header)


def etag_version(text: str) -> int:
    """`W/"3"` to 3; Refused("stale") for an ETag that no version of ours ever had."""
    match = _ETAG.match(text.strip())
    if not match:
        raise Refused("malformed", 'If-Match must be one ETag as this server gives it, like W/"3"')
    if not _NUMBER.match(match[1]):
        raise Refused("stale", "If-Match names a version that this server never had")
    return int(match[1])


def only_new(request: Request) -> bool:
    """`If-None-Match: *` on a write: only if there is nothing yet. Any other value makes no sense there."""
    header = request.headers.get("if-none-match")
    if header is not None and header.strip() != "*":
        raise Refused("malformed", "on a write, If-None-Match can only be *")
    return header is not None


def unchanged(row: Row, if_none_match: str, if_modified_since: str) -> bool:
    """Does the client have this version already? https://hl7.org/fhir/R4/http.html#cread"""
    if if_none_match:
        tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        return "*" in tags or f'"{row.version}"' in tags
    if not if_modified_since:
        return False
    try:
        since = parsedate_to_datetime(if_modified_since)
    except (ValueError, IndexError, TypeError, OverflowError):
        return False  # RFC 9110: a date that cannot be read is as if it were not there
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    return row.updated.replace(microsecond=0) <= since


def version_headers(row: Row) -> dict[str, str]:
    """ETag and Last-Modified of a version."""
    return {
        "ETag": f'W/"{row.version}"',
        "Last-Modified": format_datetime(row.updated, usegmt=True),
        "Cache-Control": "no-store",
    }


def http_date(moment: datetime) -> str:
    """As HTTP headers write it."""
    return format_datetime(moment, usegmt=True)


def preference(request: Request) -> str:
    """`return=` of Prefer: minimal, representation (the default) or OperationOutcome."""
    for part in request.headers.get("prefer", "").replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "return" and value in ("minimal", "representation", "OperationOutcome"):
            return value
    return "representation"


def lenient(request: Request) -> bool:
    """`Prefer: handling=lenient`; strict is the default and any other wish is ignored (RFC 7240)."""
    wishes = [wish.strip().lower() for wish in request.headers.get("prefer", "").replace(";", ",").split(",")]
    return "handling=lenient" in wishes


def answer(
    request: Request, body: bytes, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A FHIR body in the form the client reads, indented if `_pretty=true`."""
    form, indented = form_of(request), wish(request, "_pretty") == "true"
    if form == "xml":
        body = as_xml(body, pretty=indented)
    elif indented:
        body = pretty(decode(body))
    given = {"Cache-Control": "no-store", "Vary": "Accept", **(headers or {})}
    return Response(body, status, given, FHIR[form])


def as_xml(body: bytes, *, pretty: bool = False) -> bytes:
    """Stored bytes as FHIR XML."""
    try:
        return to_xml(decode_object(body), pretty=pretty)
    except NotXml:
        text = "this cannot be written as XML; ask for application/fhir+json"
        raise Refused("not-acceptable", text) from None


def written(request: Request, row: Row, created: bool, base: str, issues: list[Issue]) -> Response:
    """The answer to a write, as `Prefer` wants it."""
    headers = version_headers(row)
    headers["Location"] = f"{base}/{row.type}/{row.id}/_history/{row.version}"
    status = 201 if created else 200
    wanted = preference(request)
    if wanted == "minimal":
        return Response(b"", status, headers)
    if wanted == "OperationOutcome":
        return answer(request, encode(operation_outcome(issues)), status, headers)
    return answer(request, row.body or b"", status, headers)
