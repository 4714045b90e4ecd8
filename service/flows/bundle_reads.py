"""GET inside a batch or transaction: read, vread, history and search, after everything that writes.

Each answers for itself: the writes are done by then, so a resource that is not there is a 404 of its entry.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from service.fhir.bundle import Entry, address
from service.fhir.catalogue import catalogue
from service.fhir.row import Row
from service.flows.aims import at
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.history import history, past_of
from service.flows.read import read
from service.flows.search import Question, search
from service.flows.writing import spec_of
from service.kernel.failures import Refused


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read: one version, or a Bundle."""

    row: Row | None = None
    body: bytes | None = None


def expect_allowed(entry: Entry, caller: Caller, base: str) -> None:
    """The scope of the entry, and that the URL is one of ours; before anything is written."""
    segments, _ = address(entry.url, base)
    with at(entry):
        if entry.if_match or entry.if_none_exist:
            raise Refused("malformed", "ifMatch and ifNoneExist are for writes")
        match segments:
            case () | ("_history",):
                return
            case (type_,):
                spec_of(type_, "search")
            case (type_, "_history"):
                spec_of(type_, "history")
                caller.require(type_, "history-type")
            case (type_, _) if type_ in catalogue:
                spec_of(type_, "read")
                caller.require(type_, "r")
            case (type_, _, "_history") | (type_, _, "_history", _):
                spec_of(type_, "history")
                caller.require(type_, "r")
            case _:
                raise Refused("unsupported", "GET of this URL is not offered inside a batch or transaction")


async def look(entry: Entry, context: Context, caller: Caller) -> Seen:
    """Answer one GET."""
    segments, query = address(entry.url, context.base)
    match segments:
        case (type_, id_, "_history", version):
            if not (version.isascii() and version.isdecimal()) or len(version) > 9:
                raise Refused("absent", "there is no such version")
            return Seen(await read(context, caller, type_, id_, int(version)))
        case (*whose, "_history"):
            of_type, of_id = [*whose, None, None][:2]
            return Seen(body=await history(context, caller, past_of(of_type, of_id, query)))
        case (type_, id_):
            return Seen(await read(context, caller, type_, id_))
        case _:
            question = Question(segments[0] if segments else None, _pairs(query))
            return Seen(body=await search(context, caller, question))


def _pairs(query: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=100))
    except ValueError:
        raise Refused("malformed", "the search parameters are not percent-encoded UTF-8") from None
