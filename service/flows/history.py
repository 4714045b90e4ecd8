"""History of a resource, a type, the system: https://hl7.org/fhir/R4/http.html#history, newest first.

Every version is weighed as if it were read: what the caller may not see is not listed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from service.consent.security import bundled
from service.fhir.catalogue import catalogue
from service.fhir.json import encode
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.fhir.search.moments import Interval, interval
from service.flows.caller import Caller, Letter, lacking
from service.flows.context import Context
from service.flows.keep import absent
from service.flows.permit import visible
from service.flows.search.cursors import Bookmark, seal, unseal
from service.flows.search.scoped import covered
from service.flows.writing import expect_id, spec_of
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.store import resources
from service.store.resources import ALL_TIME, Place, Span
from service.store.trail import current

NEWEST = 2**31 - 1
DEFAULT_COUNT = 50
MAX_COUNT = 1000
ROUNDS = 20
"""Pages asked of the database for one page shown, when consent withholds most of what is found."""

PARAMETERS = ("_count", "_since", "_at", "_cursor")
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Past:
    """Whose history is asked for: of one resource, of a type (no id), of everything (neither)."""

    type: str | None = None
    id: str | None = None
    pairs: Pairs = ()

    @property
    def letter(self) -> Letter:
        """The letter of the scope it needs: that of a read for one resource, of a search for many."""
        return "r" if self.id else "s"

    @property
    def path(self) -> str:
        """Below our base."""
        return "/".join(part for part in (self.type, self.id, "_history") if part)


@dataclass(frozen=True, slots=True)
class Page:
    """Versions in order; `following` is the cursor of the next page, empty behind the last one."""

    rows: list[Row]
    following: str
    pairs: Pairs


def past_of(type_: str | None, id_: str | None, query: str) -> Past:
    """The question of a URL."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise Refused("malformed", "the parameters are not percent-encoded UTF-8") from None
    return Past(type_, id_, tuple(pair for pair in pairs if pair[0] in PARAMETERS))


async def history(context: Context, caller: Caller, past: Past) -> bytes:
    """A page, as a Bundle. Refused: absent where nothing ever was, forbidden, malformed parameters."""
    page = await _page(context, caller, past)
    current().show(page.rows)
    here = f"{context.base}/{past.path}"
    links = [{"relation": "self", "url": f"{here}?{urlencode(page.pairs)}".rstrip("?")}]
    if page.following:
        links.append({"relation": "next", "url": f"{here}?_cursor={page.following}"})
    return bundled("history", [("link", encode(links))], (_entry(row, context.base) for row in page.rows))


_STATUS = {"DELETE": "204 No Content", "POST": "201 Created", "PUT": "200 OK"}


def _entry(row: Row, base: str) -> bytes:
    """What was asked then, and what came of it."""
    method = "DELETE" if row.deleted else "POST" if row.version == 1 else "PUT"
    url = row.type if method == "POST" else row.reference
    response = {"status": _STATUS[method], "etag": f'W/"{row.version}"', "lastModified": instant(row.updated)}
    resource = b'"resource":' + row.body + b"," if row.body else b""
    return b"".join((
        b'{"fullUrl":', encode(f"{base}/{row.reference}"), b",", resource,
        b'"request":', encode({"method": method, "url": url}), b',"response":', encode(response), b"}",
    ))  # fmt: skip


async def _page(context: Context, caller: Caller, past: Past) -> Page:
    types = _types(caller, past)
    asked, behind = _resumed(context, caller, past)
    span, count = _span(asked), _count(asked)
    async with context.database.reading() as connection:
        rows, following = await _gather(context, connection, caller, past, types, behind, count, span)
        if not rows and past.id and behind is None:
            await _expect_existing(context, connection, caller, past)
    cursor = ""
    if following is not None:
        place = (following[0].isoformat(), following[1], following[2], str(following[3]))
        mark = Bookmark(caller.client_id, past.path, None, asked, context.clock(), place)
        cursor = seal(context.settings, mark)
    return Page(rows, cursor, asked)


def _types(caller: Caller, past: Past) -> list[str]:
    if past.type is None:
        found = [t for t, spec in catalogue.items() if "history" in spec.interactions and caller.some(t, "s")]
        if not found:
            raise lacking("system/*.s")
        return found
    spec_of(past.type, "history")
    caller.expect_some(past.type, past.letter)
    if past.id:
        expect_id(past.id)
    return [past.type]


def _resumed(context: Context, caller: Caller, past: Past) -> tuple[Pairs, Place | None]:
    cursor = dict(past.pairs).get("_cursor")
    if cursor is None:
        return past.pairs, None
    counts = tuple(pair for pair in past.pairs if pair[0] == "_count")
    if len(past.pairs) > 1 + len(counts):
        raise Refused("malformed", "_cursor holds the whole question; only _count may stand beside it")
    mark = unseal(context.settings, cursor, caller.client_id, past.path)
    pairs = mark.pairs if not counts else (*(p for p in mark.pairs if p[0] != "_count"), *counts)
    updated, type_, id_, version = mark.place
    return pairs, (datetime.fromisoformat(updated), type_, id_, int(version))


def _count(pairs: Pairs) -> int:
    text = dict(pairs).get("_count")
    if text is None:
        return DEFAULT_COUNT
    if not (text.isascii() and text.isdecimal()) or len(text) > 9 or int(text) == 0:
        raise _wrong("_count must be a positive whole number")
    return min(int(text), MAX_COUNT)


def _span(pairs: Pairs) -> Span:
    given = dict(pairs)
    since, at = (_moment(given[name], name) if name in given else None for name in ("_since", "_at"))
    return Span(since[0] if since else None, at[0] if at else None, at[1] if at else None)


def _moment(text: str, name: str) -> Interval:
    found = interval(text.replace(" ", "+"))
    if found is None:
        raise _wrong(f"{name} must be a date or an instant, like 2026-03-02T09:00:00Z")
    return found


def _wrong(text: str) -> Refused:
    return Refused("malformed", text, [Issue("error", "value", text)])


async def _gather(
    context: Context, connection: Any, caller: Caller, past: Past, types: list[str], behind: Place | None,
    count: int, span: Span,
) -> tuple[list[Row], Place | None]:  # fmt: skip
    """Up to `count` visible versions, and the place behind which the rest begins (None: there is no rest)."""
    rows: list[Row] = []
    for _ in range(ROUNDS):
        want = count - len(rows) + 1
        found = await _ask(connection, caller, past, types, behind, want, span)
        page, more = found[: want - 1], len(found) == want
        rows += await visible(context, connection, caller, covered(context, caller, page, past.letter))
        if page:
            last = page[-1]
            behind = (last.updated, last.type, last.id, last.version)
        if not more:
            return rows, None
        if len(rows) >= count:
            break
    return rows, behind


async def _ask(
    connection: Any, caller: Caller, past: Past, types: list[str], behind: Place | None, want: int, span: Span
) -> list[Row]:
    if past.id is None:
        return await resources.histories(connection, types, caller.viewer, behind, want, span)
    before = behind[3] if behind else NEWEST
    return await resources.history(connection, types[0], past.id, caller.viewer, before, want, span)


async def _expect_existing(context: Context, connection: Any, caller: Caller, past: Past) -> None:
    assert past.type and past.id
    rows = await resources.history(connection, past.type, past.id, caller.viewer, NEWEST, 50, ALL_TIME)
    if not await visible(context, connection, caller, covered(context, caller, rows, "r")):
        raise absent(past.type, past.id)
