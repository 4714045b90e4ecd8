"""Which form a client reads and which it sends: FHIR's media types, understood once per distinct header.

https://hl7.org/fhir/R4/http.html#mime-type, RFC 9110 §12.5.1
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from starlette.requests import Request

from service.kernel.failures import Refused

Form = Literal["json", "xml"]
Sent = Literal["json", "xml", "json-patch", "form", "other"]

FHIR = {"json": "application/fhir+json; charset=utf-8", "xml": "application/fhir+xml; charset=utf-8"}
_NAMES: dict[str, Form] = {
    "application/fhir+json": "json", "application/json": "json", "text/json": "json", "json": "json",
    "application/json+fhir": "json", "application/fhir+xml": "xml", "application/xml": "xml",
    "text/xml": "xml", "xml": "xml", "application/xml+fhir": "xml",
}  # fmt: skip
_BODIES: dict[str, Sent] = {
    **_NAMES, "application/json-patch+json": "json-patch", "application/x-www-form-urlencoded": "form"
}  # fmt: skip
VERSIONS = ("4.0", "4.0.0", "4.0.1")


@dataclass(frozen=True, slots=True)
class _Range:
    """One member of an Accept header."""

    kind: str
    quality: float
    usable: bool


def form_of(request: Request) -> Form:
    """What the answer is written in. Refused("not-acceptable") when the client reads nothing that we write."""
    found = chosen(accepted(request), wish(request, "_format"))
    if found is None:
        text = "the answer can be application/fhir+json or application/fhir+xml, in UTF-8, FHIR 4.0"
        raise Refused("not-acceptable", text)
    return found


def wish(request: Request, name: str) -> str:
    """`_format` or `_pretty`: of the URL, else of the form of a POST _search once that was read; empty if neither."""
    scope = request.scope
    if name.encode() in scope["query_string"]:
        return request.query_params.get(name, "")
    held: dict[str, str] = scope.get("state", {}).get("wishes", {})
    return held.get(name, "")


def wishes(request: Request, pairs: Iterable[tuple[str, str]]) -> None:
    """Remember what a form says about the answer. Refused("not-acceptable") for a form that we do not write."""
    held = {name: value for name, value in pairs if name in ("_format", "_pretty")}
    if held:
        request.scope.setdefault("state", {})["wishes"] = held
        form_of(request)


def accepted(request: Request) -> str:
    """The Accept header, joined if it came in parts."""
    found = [value for name, value in request.scope["headers"] if name == b"accept"]
    return (found[0] if len(found) == 1 else b",".join(found)).decode("latin-1")


@lru_cache(maxsize=512)
def chosen(accept: str, asked: str) -> Form | None:
    """The form for an Accept header and a `_format`, which goes first; None when there is none."""
    if asked:
        return _NAMES.get(asked.strip().lower().replace(" ", "+").partition(";")[0])
    if not accept.strip():
        return "json"
    ranges = [_range(part) for part in accept.split(",")[:50] if part.strip()]
    (json, first), (xml, second) = _quality(ranges, "json"), _quality(ranges, "xml")
    if not json and not xml:
        return None
    return "xml" if (xml, -second) > (json, -first) else "json"


@lru_cache(maxsize=512)
def explicit(accept: str, asked: str) -> bool:
    """True when a FHIR form is asked for by name, so that a Binary comes as a resource."""
    names = (part.partition(";")[0].strip().lower() for part in accept.split(","))
    return bool(asked) or any(name in _NAMES for name in names)


def _quality(ranges: list[_Range], form: Form) -> tuple[float, int]:
    """The quality of the most specific range that covers the form, and its place in the header."""
    exact = [(r.quality, n) for n, r in enumerate(ranges) if r.usable and _NAMES.get(r.kind) == form]
    if exact:
        return max(exact, key=lambda each: (each[0], -each[1]))
    for wide in ("application/*", "text/*", "*/*"):
        for place, each in enumerate(ranges):
            if each.kind == wide and each.usable:
                return each.quality, place
    return 0.0, 0


def _range(text: str) -> _Range:
    kind, *rest = (part.strip().lower() for part in text.split(";"))
    quality, usable = 1.0, True
    for parameter in rest:
        name, _, value = parameter.partition("=")
        value = value.strip().strip('"')
        if name.strip() == "q":
            quality = _fraction(value)
        usable = usable and _fits(name.strip(), value)
    return _Range(kind, quality, usable)


def _fraction(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _fits(name: str, value: str) -> bool:
    if name == "charset":
        return value in ("utf-8", "utf8")
    return name != "fhirversion" or value in VERSIONS


def sent(request: Request) -> Sent:
    """What the body is said to be. Refused("media-type") for another charset or another FHIR version."""
    found = understood(request.headers.get("content-type", ""))
    if found is None:
        raise Refused("media-type", "the body must be UTF-8 and FHIR 4.0")
    return found


@lru_cache(maxsize=512)
def understood(content_type: str) -> Sent | None:
    """A Content-Type to a kind of body; None when its charset or FHIR version is none of ours."""
    kind, *rest = (part.strip().lower() for part in content_type.split(";"))
    found = _BODIES.get(kind, "other")
    if found == "other":
        return found
    pairs = (part.partition("=") for part in rest)
    good = all(_fits(name.strip(), value.strip().strip('"')) for name, _, value in pairs)
    return found if good else None
