"""Patient/[id]/$everything: the client, all that is about the client, and what that refers to.

https://hl7.org/fhir/R4/patient-operation-everything.html: a search of the compartment with everything it refers
to; so consent, scopes and paging are those of a search.
"""

from dataclasses import dataclass

from service.fhir.bundle import join
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

HOME = "Patient"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of it: changed since, of these types (all when empty), so many a page; or the page of a cursor."""

    since: str = ""
    types: tuple[str, ...] = ()
    count: int | None = None
    cursor: str = ""


async def everything(context: Context, caller: Caller, id_: str, wanted: Wanted) -> bytes:
    """A searchset. Refused: absent and gone as for a read of the Patient."""
    row = await read(context, caller, HOME, id_)
    for type_ in wanted.types:
        spec_of(type_, "search")
    if wanted.since and interval(wanted.since) is None:
        raise Refused("malformed", "_since must be a date or an instant, like 2026-03-02T09:00:00Z")
    members = [type_ for type_ in wanted.types if type_ in compartment(HOME) and type_ != HOME]
    entries, links = ([], [])
    if not wanted.types or members or wanted.cursor:
        found = decode_object(await search(context, caller, _question(id_, wanted, members)))
        entries, links = found.get("entry", []), found["link"]
    here = f"{context.base}/{row.reference}/$everything"
    body = [encode(each) for each in entries if _fits(each, row, wanted)]
    if not wanted.cursor and _wants(row, wanted):
        body.insert(0, _first(context.base, row))
    return join("searchset", [("link", encode(_links(here, wanted, links)))], body)


def _question(id_: str, wanted: Wanted, members: list[str]) -> Question:
    if wanted.cursor:
        return Question(None, (("_cursor", wanted.cursor),), within=(HOME, id_))
    pairs = [("_include", "*")]
    if members:
        pairs.append(("_type", ",".join(members)))
    if wanted.since:
        pairs.append(("_lastUpdated", f"ge{wanted.since}"))
    if wanted.count:
        pairs.append(("_count", str(wanted.count)))
    return Question(None, tuple(pairs), within=(HOME, id_))


def _fits(entry: JsonObject, home: Row, wanted: Wanted) -> bool:
    """Not the Patient again, and only the types asked for."""
    resource = entry["resource"]
    type_ = resource["resourceType"]
    if f"{type_}/{resource.get('id')}" == home.reference:
        return False
    return not wanted.types or type_ in wanted.types or entry.get("search", {}).get("mode") == "outcome"


def _wants(home: Row, wanted: Wanted) -> bool:
    since = interval(wanted.since) if wanted.since else None
    return (not wanted.types or HOME in wanted.types) and (since is None or home.updated >= since[0])


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
