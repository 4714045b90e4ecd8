"""What asks inside a batch or transaction: read, vread, history, search and operations, after everything that writes.

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
from service.flows.operate import STORIES, Target, definition_of, operate
from service.flows.read import read
from service.flows.search import Question, search
from service.flows.writing import spec_of
from service.kernel.failures import Refused


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read: one version, or a Bundle."""

    row: Row | None = None
    body: bytes | None = None


def asks(entry: Entry) -> bool:
    """Does it only ask? Operations count as asking: one that changes something is refused in a transaction."""
    return entry.reads or entry.operates


def expect_allowed(entry: Entry, caller: Caller, base: str, *, alone: bool) -> None:
    """The scope of the entry, and that the URL is one of ours; before anything is written. `alone`: in a batch."""
    segments, _ = address(entry.url, base)
    with at(entry):
        if entry.operates:
            _expect_operation(entry, segments, alone)
            return
        if entry.if_match or entry.if_none_exist:
            raise Refused("malformed", "ifMatch and ifNoneExist are for writes")
        match segments:
            case () | ("_history",):
                return
            case (type_,):
                spec_of(type_, "search")
            case (type_, "_history"):
                spec_of(type_, "history")
                caller.expect_some(type_, "history-type")
            case (type_, _) if type_ in catalogue:
                spec_of(type_, "read")
                caller.expect_some(type_, "r")
            case (type_, _, "_history") | (type_, _, "_history", _):
                spec_of(type_, "history")
                caller.expect_some(type_, "r")
            case _:
                raise Refused("unsupported", "GET of this URL is not offered inside a batch or transaction")


def _expect_operation(entry: Entry, segments: tuple[str, ...], alone: bool) -> None:
    definition = definition_of(_target(entry, segments))
    if definition["code"] not in STORIES:
        raise Refused("unsupported", "this operation is asked at its own URL, not inside a Bundle")
    if entry.reads and definition["affectsState"]:
        raise Refused("method", "this operation changes something; POST it", allow="POST")
    if definition["affectsState"] and not alone:
        raise Refused(
            "unsupported", "an operation that changes something has no place in a transaction; use a batch"
        )
    if entry.if_none_exist or entry.if_none_match or entry.if_modified_since:
        raise Refused("malformed", "an operation takes ifMatch at most")


def _target(entry: Entry, segments: tuple[str, ...]) -> Target:
    expected = version_named(entry.if_match) if entry.if_match else None
    code = segments[-1][1:]
    match segments[:-1]:
        case ():
            return Target(code, expected=expected)
        case (type_,):
            return Target(code, type_, expected=expected)
        case (type_, id_):
            return Target(code, type_, id_, expected=expected)
        case (type_, id_, "_history", version) if code == "meta":
            return Target(code, type_, id_, version, expected)
    raise Refused("absent", "there is no operation at this URL")


def version_named(etag: str) -> int:
    """`W/"3"` to 3."""
    text = etag.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise Refused("malformed", 'ifMatch must be an ETag like W/"3"')
    return int(text)


async def look(entry: Entry, context: Context, caller: Caller) -> Seen:
    """Answer one entry that asks."""
    segments, query = address(entry.url, context.base)
    if entry.operates:
        body = entry.resource if entry.method == "POST" else None
        return Seen(body=await operate(context, caller, _target(entry, segments), body, _pairs(query)))
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
