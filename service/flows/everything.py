"""$everything: Patient/[id], Patient, Encounter/[id]: who or what it is, all that is about it, and what that refers to.

https://hl7.org/fhir/R4/patient-operation-everything.html, encounter-operation-everything.html: a search of the
compartment (of a type: of all that its compartments can hold) with everything that is referred to; so consent, scopes
and paging are those of a search.
"""

from dataclasses import dataclass

from service.consent.security import bundled
from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.row import Row
from service.fhir.search.moments import interval
from service.fhir.search.parameters import compartment
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.read import read
from service.flows.search import Question, search
from service.flows.writing import spec_of
from service.kernel.failures import Refused


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of it: changed since, of these types (all when empty), so many a page; or the page of a cursor."""

    since: str = ""
    types: tuple[str, ...] = ()
    count: int | None = None
    cursor: str = ""


async def everything(
    context: Context, caller: Caller, home: str, id_: str | None, wanted: Wanted
) -> bytes:  # fmt: skip
    """A searchset about one resource, or with no id about all of the type. Refused as for a read of it."""
    row = await read(context, caller, home, id_) if id_ is not None else None
    for type_ in wanted.types:
        spec_of(type_, "search")
    if wanted.since and interval(wanted.since) is None:
        raise Refused("malformed", "_since must be a date or an instant, like 2026-03-02T09:00:00Z")
    members = _members(caller, home, row, wanted)
    entries, links = ([], [])
    if not wanted.types or members or wanted.cursor:
        found = decode_object(await search(context, caller, _question(row, wanted, members)))
        entries, links = found.get("entry", []), found["link"]
    here = f"{context.base}/{row.reference if row else home}/$everything"
    body = [encode(each) for each in entries if _fits(each, row, wanted)]
    if row is not None and not wanted.cursor and _wants(row, wanted):
        body.insert(0, _first(context.base, row))
    return bundled("searchset", [("link", encode(_links(here, wanted, links)))], body)


def _members(caller: Caller, home: str, row: Row | None, wanted: Wanted) -> list[str]:
    """The types to be searched. For all of a type they are named: those of its compartment that the token covers."""
    if row is not None:
        return [type_ for type_ in wanted.types if type_ in compartment(home) and type_ != home]
    possible = [t for t in catalogue if t == home or t in compartment(home)]
    return [t for t in possible if (t in wanted.types if wanted.types else caller.some(t, "s"))]


def _question(row: Row | None, wanted: Wanted, members: list[str]) -> Question:
    within = (row.type, row.id) if row else None
    if wanted.cursor:
        return Question(None, (("_cursor", wanted.cursor),), within=within)
    pairs = [("_include", "*")]
    if members:
        pairs.append(("_type", ",".join(members)))
    if wanted.since:
        pairs.append(("_lastUpdated", f"ge{wanted.since}"))
    if wanted.count:
        pairs.append(("_count", str(wanted.count)))
    return Question(None, tuple(pairs), within=within)


def _fits(entry: JsonObject, home: Row | None, wanted: Wanted) -> bool:
    """Not the one it is about again, and only the types asked for."""
    resource = entry["resource"]
    type_ = resource["resourceType"]
    if home is not None and f"{type_}/{resource.get('id')}" == home.reference:
        return False
    return not wanted.types or type_ in wanted.types or entry.get("search", {}).get("mode") == "outcome"


def _wants(home: Row, wanted: Wanted) -> bool:
    since = interval(wanted.since) if wanted.since else None
    return (not wanted.types or home.type in wanted.types) and (since is None or home.updated >= since[0])


def _first(base: str, row: Row) -> bytes:
    url = encode(f"{base}/{row.reference}")
    return b'{"fullUrl":' + url + b',"resource":' + (row.body or b"") + b',"search":{"mode":"match"}}'


def _links(here: str, wanted: Wanted, found: list[JsonObject]) -> list[JsonObject]:
    """The search's cursor under our own name; it holds the types and the time asked for."""
    links = [{"relation": "self", "url": here}]
    following = next((link["url"] for link in found if link["relation"] == "next"), "")
    if following:
        types = f"_type={','.join(wanted.types)}&" if wanted.types else ""
        links.append(
            {"relation": "next", "url": f"{here}?{types}_cursor={following.partition('_cursor=')[2]}"}
        )
    return links
