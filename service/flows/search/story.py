"""A search from the question to the Bundle. https://hl7.org/fhir/R4/http.html#search"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from service.consent.security import bundled
from service.fhir.catalogue import catalogue
from service.fhir.json import encode
from service.fhir.outcome import Issue, operation_outcome
from service.fhir.row import Row
from service.fhir.search.asked import asked
from service.fhir.search.parameters import compartment
from service.fhir.search.parse import parse
from service.fhir.search.query import Query
from service.fhir.search.subset import cut
from service.flows.caller import Caller, lacking
from service.flows.context import Context
from service.flows.permit import visible
from service.flows.search.consented import Permitted, over_permitted
from service.flows.search.cursors import Bookmark, seal, unseal
from service.flows.search.includes import MOST, Companions
from service.flows.search.persons import widened
from service.flows.search.question import Pairs, Question
from service.flows.search.scoped import covered, narrowing
from service.flows.search.terms import known
from service.flows.writing import expect_id, spec_of
from service.kernel.failures import Refused
from service.store import search as store
from service.store.trail import current

ROUNDS = 20
"""Pages asked of the database for one page shown, when consent withholds most of what is found."""

BATCH = 100
"""Rows weighed at a time for a partner."""

COUNTED = 10_000
"""Matches that are weighed one by one for a partner's total; more of them have no total."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A page: the rows to show, and the place where the next page begins."""

    rows: list[Row]
    following: store.Place | None


async def search(context: Context, caller: Caller, question: Question) -> bytes:
    """The searchset Bundle. Refused for what the token does not cover and for parameters that are wrong."""
    whole, place, now = _resumed(context, caller, question)
    trail = current()
    trail.query = urlencode(whole.pairs)
    types = _types(caller, whole)
    query = _query(context, caller, whole, types, now)
    eyes = store.Eyes.of(caller.viewer)
    partly = len(types) > 1 and not all(caller.allows(type_, "s") for type_ in types)
    async with context.database.reading() as connection, store.snapshot(connection):

        async def permitted(rows: Sequence[Row], by: frozenset[str]) -> list[Row]:
            return await visible(context, connection, caller, rows, by)

        async def matching(rows: Sequence[Row], by: frozenset[str]) -> list[Row]:
            return await permitted(covered(context, caller, rows, "s") if partly else rows, by)

        async def added(rows: Sequence[Row], by: frozenset[str]) -> list[Row]:
            return await permitted(covered(context, caller, rows, "r"), by)

        wider = await widened(context, connection, caller, whole, types)
        if wider is not None:
            query = _query(context, caller, wider, types, now)
        if not caller.custodian:
            query = await over_permitted(connection, query, eyes, permitted, context.base)
        if query.summary == "count":
            found = _Found([], None)
        else:
            found = await _page(connection, query, eyes, matching, place)
        companions = Companions(connection, caller, added, context.base)
        await companions.gather(found.rows, query.includes)
        first = found if not place else None
        total = await _total(connection, query, eyes, matching, first, one_by_one=partly)
    trail.show([*found.rows, *companions.rows])
    mark = Bookmark(caller.client_id, whole.type, whole.within, _kept(query), now, found.following or ())
    return _bundle(context, query, mark, found, companions, total=total)


# the question


def _resumed(context: Context, caller: Caller, question: Question) -> tuple[Question, store.Place, datetime]:
    """The question, as it was first asked if this is a further page; only its `_count` may be another (Medplum's
    client sets one on every page)."""
    for name, value in question.pairs:
        if any(character < " " for character in name + value):
            raise _malformed("a search parameter holds a control character")
    cursor = dict(question.pairs).get("_cursor")
    if cursor is None:
        return question, (), context.clock()
    counts = tuple(pair for pair in question.pairs if pair[0] == "_count")
    others = {name for name, _ in question.pairs} - {"_cursor", "_count", "_format", "_pretty"}
    if others:
        raise _malformed(
            "_cursor holds the whole search and stands alone; follow the next link as it was given"
        )
    mark = unseal(context.settings, cursor, caller.client_id, question.type)
    pairs = mark.pairs if not counts else (*(p for p in mark.pairs if p[0] != "_count"), *counts)
    return Question(mark.type, pairs, False, mark.within), mark.place, mark.asked


def _malformed(text: str) -> Refused:
    return Refused("malformed", text, [Issue("error", "invalid", text)])


def _types(caller: Caller, question: Question) -> tuple[str, ...]:
    """What is searched: the one type, or the types of a search of the system that the token covers."""
    if question.within:
        expect_id(question.within[1])
    if question.type is not None:
        spec_of(question.type, "search")
        caller.expect_some(question.type, "s")
        return (question.type,)
    possible = compartment(question.within[0]) if question.within else catalogue
    named = [type_ for name, value in question.pairs if name == "_type" for type_ in value.split(",")]
    for type_ in named:
        if type_ not in catalogue:
            raise _malformed("_type names a type that this server does not offer; GET metadata lists them")
        caller.expect_some(type_, "s")
    able = [t for t, spec in catalogue.items() if t in possible and "search" in spec.interactions]
    found = tuple(t for t in able if (t in named if named else caller.some(t, "s")))
    if not found:
        raise lacking("system/*.s")
    return found


def _query(
    context: Context, caller: Caller, question: Question, types: tuple[str, ...], now: datetime
) -> Query:
    pairs = tuple(pair for pair in question.pairs if pair[0] not in ("_type", "_cursor"))
    served = tuple(catalogue)
    query = parse(
        types, pairs, now=now, base=context.base, served=served, lenient=question.lenient,
        reachable=lambda type_: caller.allows(type_, "s"),
        within=(*question.within, *question.also) if question.within else (),
        terms=lambda: known(context),
    )  # fmt: skip
    named = tuple(pair for pair in question.pairs if pair[0] == "_type")
    scope = narrowing(context, caller, types[0], "s") if len(types) == 1 else ()
    return replace(query, where=(*query.where, *scope), accepted=(*named, *query.accepted))


def _kept(query: Query) -> Pairs:
    return tuple(pair for pair in query.accepted if pair[0] != "_total")


# the answer


async def _page(
    connection: Any, query: Query, eyes: store.Eyes, permitted: Permitted, place: store.Place
) -> _Found:
    """Rows until the page is full. For partners more is fetched at a time, as consent may withhold most."""
    rows: list[Row] = []
    batch = 1 if eyes is store.EVERYTHING else BATCH
    by = asked(query.where, query.sort)
    for _ in range(ROUNDS):
        room = query.count - len(rows)
        page = await store.run(connection, query, eyes, place, max(room, batch))
        kept = await permitted([row for row, _ in page.rows], by)
        rows += kept[:room]
        if len(kept) > room:
            return _Found(rows, next(at for row, at in page.rows if row is rows[-1]))
        if not page.more:
            return _Found(rows, None)
        place = page.rows[-1][1]
        if len(rows) == query.count:
            break
    return _Found(rows, place)


async def _total(
    connection: Any, query: Query, eyes: store.Eyes, permitted: Permitted, first: _Found | None,
    *, one_by_one: bool,
) -> int | None:  # fmt: skip
    """How many match, of what the caller may see: free when the first page is also the last."""
    counts = query.summary == "count"
    if first and not counts and first.following is None:
        return len(first.rows)
    if query.total == "none" and not counts:
        return None
    if eyes is store.EVERYTHING and not one_by_one:
        exact = counts or query.total == "accurate"
        return await (store.count if exact else store.estimate)(connection, query, eyes)
    return await _weighed(connection, query, eyes, permitted)


async def _weighed(connection: Any, query: Query, eyes: store.Eyes, permitted: Permitted) -> int | None:
    place: store.Place = ()
    by = asked(query.where, query.sort)
    total = seen = 0
    while seen < COUNTED:
        page = await store.run(connection, replace(query, sort=()), eyes, place, 500)
        total += len(await permitted([row for row, _ in page.rows], by))
        if not page.more:
            return total
        place, seen = page.rows[-1][1], seen + len(page.rows)
    return None


def _bundle(
    context: Context,
    query: Query,
    mark: Bookmark,
    found: _Found,
    companions: Companions,
    *,
    total: int | None,
) -> bytes:
    path = "/".join(part for part in (context.base, *(mark.within or ()), mark.type) if part)
    links = [
        {
            "relation": "self",
            "url": f"{path}?{urlencode(query.accepted, quote_via=quote, safe=_SAFE)}".rstrip("?"),
        }
    ]
    if found.following is not None:
        links.append({"relation": "next", "url": f"{path}?_cursor={seal(context.settings, mark)}"})
    members = [("total", encode(total))] if total is not None else []
    members.append(("link", encode(links)))
    entries = [_entry(context.base, row, query, b"match") for row in found.rows]
    entries += [_entry(context.base, row, replace(query, elements=()), b"include") for row in companions.rows]
    warnings = [*query.warnings, *(_CUT_SHORT if companions.cut_short else ())]
    if warnings:
        outcome = encode(operation_outcome(warnings))
        entries.append(b'{"resource":' + outcome + b',"search":{"mode":"outcome"}}')
    return bundled("searchset", members, entries)


_SAFE = "/:|,$*"
_CUT_SHORT = (Issue("warning", "incomplete", f"more than {MOST} resources to include: the rest is left out"),)


def _entry(base: str, row: Row, query: Query, mode: bytes) -> bytes:
    url = encode(f"{base}/{row.reference}")
    body = cut(row.body or b"", query)
    return b'{"fullUrl":' + url + b',"resource":' + body + b',"search":{"mode":"' + mode + b'"}}'
