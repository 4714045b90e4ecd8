"""A transaction Bundle: conditional creates, `urn:uuid:` rewriting, PUT with ifMatch, all or nothing.

https://hl7.org/fhir/R4/http.html#trules
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from service.fhir.json import JsonObject
from service.kernel.ids import new_id
from service.simulator.search import search
from service.simulator.store import Put, Refusal, Store, Version


@dataclass(frozen=True, slots=True)
class _Step:
    """What an entry comes to: the resource it means, and what is to be written, if anything."""

    full_url: str
    type: str
    id: str
    status: str
    resource: JsonObject | None = None
    expected: int | None = None
    writes: bool = True


def transaction(store: Store, bundle: JsonObject) -> tuple[JsonObject, list[Version]]:
    """The transaction-response, and the versions made. Refusal names the entry, and nothing is kept."""
    entries = bundle.get("entry", [])
    if bundle.get("type") != "transaction" or not isinstance(entries, list):
        raise Refusal(400, "invalid", "only a transaction Bundle may be posted to the base")
    steps = [_step(store, place, entry) for place, entry in enumerate(entries)]
    ids = {step.full_url: f"{step.type}/{step.id}" for step in steps if step.full_url}
    writing = [step for step in steps if step.writes]
    made = store.keep([_put(step, ids) for step in writing])
    return _response(store, steps), made


def _step(store: Store, place: int, entry: Any) -> _Step:
    request = entry.get("request") if isinstance(entry, dict) else None
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(request, dict) or not isinstance(resource, dict):
        raise Refusal(400, "invalid", f"Bundle.entry[{place}] needs a request and a resource")
    method, url = request.get("method"), str(request.get("url", ""))
    full_url, type_ = str(entry.get("fullUrl", "")), resource.get("resourceType")
    if url.partition("?")[0].partition("/")[0] != type_:
        raise Refusal(400, "invalid", f"Bundle.entry[{place}]: the url is for another type than the resource")
    if method == "POST":
        return _creating(store, full_url, resource, str(request.get("ifNoneExist", "")))
    if method == "PUT":
        return _updating(store, full_url, resource, url, if_match(request.get("ifMatch")))
    raise Refusal(
        400, "not-supported", f"Bundle.entry[{place}]: {method} is not offered inside a transaction"
    )


def _creating(store: Store, full_url: str, resource: JsonObject, condition: str) -> _Step:
    type_ = resource["resourceType"]
    found = one_match(store, type_, condition) if condition else None
    if found is not None:
        return _Step(full_url, type_, found.id, "200 OK", writes=False)
    return _Step(full_url, type_, new_id(), "201 Created", resource)


def _updating(store: Store, full_url: str, resource: JsonObject, url: str, expected: int | None) -> _Step:
    type_ = resource["resourceType"]
    path, _, condition = url.partition("?")
    if not condition and resource.get("id") != path.partition("/")[2]:
        raise Refusal(400, "invalid", "a PUT to an id needs a resource with that id")
    found = one_match(store, type_, condition) if condition else store.current(type_, path.partition("/")[2])
    id_ = found.id if found else (path.partition("/")[2] or new_id())
    return _Step(full_url, type_, id_, "200 OK" if found else "201 Created", resource, expected)


def one_match(store: Store, type_: str, condition: str) -> Version | None:
    """What a conditional interaction means; Refusal 412 when it could mean several."""
    query = parse_qsl(condition, keep_blank_values=True)
    if not query:
        raise Refusal(400, "invalid", "a condition needs a search parameter")
    found = search(store, type_, query)
    if len(found) > 1:
        raise Refusal(412, "multiple-matches", f"the condition matches {len(found)} resources")
    return found[0] if found else None


def if_match(text: Any) -> int | None:
    """The version number in an If-Match; None without one."""
    if not text:
        return None
    number = str(text).removeprefix("W/").strip('"')
    if not number.isdecimal():
        raise Refusal(400, "value", 'If-Match must be an ETag like W/"3"')
    return int(number)


def _put(step: _Step, ids: Mapping[str, str]) -> Put:
    return Put(step.type, step.id, linked(step.resource, ids), step.expected)


def linked(value: Any, ids: Mapping[str, str]) -> Any:
    """A copy in which every reference to an entry's fullUrl is the id the entry got here."""
    if isinstance(value, dict):
        return {
            name: ids.get(member, member)
            if name == "reference" and isinstance(member, str)
            else linked(member, ids)
            for name, member in value.items()
        }
    return [linked(member, ids) for member in value] if isinstance(value, list) else value


def _response(store: Store, steps: Sequence[_Step]) -> JsonObject:
    rows = []
    for step in steps:
        version = store.current(step.type, step.id)
        assert version is not None
        location = f"{version.reference}/_history/{version.number}"
        said = {"status": step.status, "location": location, "etag": version.etag, "lastModified": version.at}
        rows.append({"response": said})
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": rows}
