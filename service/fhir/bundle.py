"""Bundles: reading a transaction or batch, and answering one.

https://hl7.org/fhir/R4/http.html#transaction; https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from service.fhir.json import JsonObject, encode
from service.fhir.outcome import Issue
from service.kernel.failures import Refused

Method = Literal["DELETE", "POST", "PUT", "PATCH", "GET", "HEAD"]
ORDER: tuple[Method, ...] = ("DELETE", "POST", "PUT", "PATCH", "GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a transaction or batch. `place` is its index, for `Bundle.entry[n]`."""

    place: int
    full_url: str
    method: Method
    url: str
    resource: JsonObject | None
    if_match: str
    if_none_exist: str
    if_none_match: str = ""
    if_modified_since: str = ""

    @property
    def reads(self) -> bool:
        """GET and HEAD, which come after everything that writes."""
        return self.method in ("GET", "HEAD")

    @property
    def operates(self) -> bool:
        """GET or POST of an operation."""
        return self.method in ("GET", "HEAD", "POST") and self.url.partition("?")[0].rpartition("/")[
            2
        ].startswith("$")

    @property
    def path(self) -> str:
        """FHIRPath of this entry."""
        return f"Bundle.entry[{self.place}]"


def entries(bundle: JsonObject, most: int) -> list[Entry]:
    """The entries of a batch or transaction. Refused with every shape problem found, each at its place."""
    rows = bundle.get("entry", [])
    if not isinstance(rows, list):
        raise _bad([Issue("error", "structure", "Bundle.entry must be an array", "Bundle.entry")])
    if len(rows) > most:
        text = f"the Bundle has {len(rows)} entries; at most {most} are taken at once"
        raise Refused("too-large", text, [Issue("error", "too-long", text, "Bundle.entry")])
    issues: list[Issue] = []
    found = [entry for place, row in enumerate(rows) if (entry := _entry(place, row, issues)) is not None]
    if issues:
        raise _bad(issues)
    return found


def entries_alone(bundle: JsonObject, most: int) -> list[Entry | Refused]:
    """The entries of a batch: each, or what is wrong with it."""
    rows = bundle.get("entry", [])
    if not isinstance(rows, list) or len(rows) > most:
        return list(entries(bundle, most))  # refuses
    found: list[Entry | Refused] = []
    for place, row in enumerate(rows):
        issues: list[Issue] = []
        entry = _entry(place, row, issues)
        found.append(entry if entry is not None else _bad(issues))
    return found


def _bad(issues: list[Issue]) -> Refused:
    return Refused("invalid", issues[0].text, issues)


def _entry(place: int, row: object, issues: list[Issue]) -> Entry | None:
    path = f"Bundle.entry[{place}]"

    def wrong(text: str, at: str = "") -> None:
        issues.append(Issue("error", "structure", f"{path}{at}: {text}", path + at))

    if not isinstance(row, dict) or not isinstance(request := row.get("request"), dict):
        wrong("an entry of a transaction or batch needs a `request`", ".request")
        return None
    method, url, resource = request.get("method"), request.get("url"), row.get("resource")
    if method not in ORDER:
        wrong(f"`method` must be one of {', '.join(ORDER)}", ".request.method")
        return None
    if not isinstance(url, str):
        wrong("`url` must be a text", ".request.url")
        return None
    asked = method == "POST" and url.partition("?")[0].rpartition("/")[2].startswith("$")
    if (
        method in ("POST", "PUT", "PATCH")
        and not (asked and resource is None)
        and not (isinstance(resource, dict) and isinstance(resource.get("resourceType"), str))
    ):
        wrong(f"{method} needs a `resource` with a `resourceType`", ".resource")
        return None
    names = ("ifMatch", "ifNoneExist", "ifNoneMatch", "ifModifiedSince")
    texts = {key: request.get(key, "") for key in names}
    full_url = row.get("fullUrl", "")
    if not all(isinstance(text, str) for text in (*texts.values(), full_url)):
        wrong("`fullUrl` and the `if…` members of `request` must be texts", ".request")
        return None
    return Entry(place, full_url, method, url, resource, *(texts[key] for key in names))


def address(url: str, base: str) -> tuple[tuple[str, ...], str]:
    """`request.url`, relative or under our base, to its path's segments and its query."""
    path, _, query = url.removeprefix(base).lstrip("/").partition("?")
    return tuple(unquote(path).split("/")) if path else (), query


def join(kind: str, members: Iterable[tuple[str, bytes]], entry: Iterable[bytes]) -> bytes:
    """A Bundle from stored bytes: no resource is decoded to be listed. `members` are raw JSON members."""
    head = b"".join(b',"' + name.encode() + b'":' + value for name, value in members)
    body = b",".join(entry)
    rows = b',"entry":[' + body + b"]" if body else b""
    return b'{"resourceType":"Bundle","type":' + encode(kind) + head + rows + b"}"
