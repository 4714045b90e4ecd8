"""The resources of an export that its partner may see at this moment, a page at a time.

Asked twice of each: by the worker that finds them, and when the file is fetched. Both times the whole question is asked
anew: the partner's registration and scopes, the filters, whose data it is, and consent.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from service.fhir.catalogue import catalogue
from service.fhir.json import decode_object
from service.fhir.references import local
from service.fhir.row import Row
from service.fhir.search import extract, keys
from service.fhir.search.asked import asked
from service.fhir.search.parameters import compartment, parameters
from service.fhir.search.parse import parse
from service.fhir.search.query import Condition, Ids, Keys, OneOf, Query
from service.flows.access.scopes import grant, parse_all
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.exports.ask import HOME, purpose_of
from service.flows.permit import visible
from service.flows.search.consented import over_permitted
from service.flows.search.scoped import covered
from service.flows.search.terms import known
from service.kernel.clock import instant
from service.store import resources
from service.store import search as store
from service.store.exports import Export
from service.store.partners import Partner
from service.store.trail import Trail, begin

PAGE = 500
IN_SQL = 200
"""Clients that are named to the database; of more, it is asked for everybody and the rest is left out here."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Rows as the partner may see them, where the next page begins (None: there is none), and the trail of it: on which
    ground they were shown, and what was withheld."""

    rows: list[Row]
    following: tuple[str, ...] | None
    trail: Trail


def exporter(partner: Partner, one: Export) -> Caller:
    """The partner as it asked, within what it is registered for now."""
    scopes = grant(parse_all(one.scopes), parse_all(partner.scopes))
    return Caller(partner.client_id, partner.name, partner.organization, frozenset(partner.roles), scopes)


async def look(
    context: Context,
    caller: Caller,
    one: Export,
    step: tuple[str, str],
    place: Sequence[str] = (),
    ids: Sequence[str] | None = None,
) -> Seen:
    """A page of what is there (`output`) or was there (`deleted`) of a type, behind a place; or these `ids` of it."""
    return await asyncio.create_task(
        _look(context, caller, one, step, tuple(place), ids)
    )  # a trail of its own


async def _look(
    context: Context,
    caller: Caller,
    one: Export,
    step: tuple[str, str],
    place: tuple[str, ...],
    ids: Sequence[str] | None,
) -> Seen:
    trail = begin(Trail())
    kind, type_ = step
    if not (caller.some(type_, "r") and caller.some(type_, "s")):
        return Seen([], None, trail)
    async with context.database.reading() as connection, store.snapshot(connection):
        find = _gone if kind == "deleted" else _live
        rows, following, by = await find(context, connection, caller, one, type_, place, ids)
        rows = covered(context, caller, covered(context, caller, rows, "s"), "r")
        rows = await _of_patients(context, connection, one, rows)
        purpose = purpose_of(caller.roles)
        rows = await visible(context, connection, caller, rows, by, purpose) if purpose else []
    return Seen(rows, following, trail)


Found = tuple[list[Row], tuple[str, ...] | None, frozenset[str]]


async def _live(
    context: Context,
    connection: Any,
    caller: Caller,
    one: Export,
    type_: str,
    place: tuple[str, ...],
    ids: Sequence[str] | None,
) -> Found:
    query = _query(context, caller, one, type_)
    if ids is not None:
        query = replace(query, where=(*query.where, Ids(tuple(ids))))

    async def permitted(rows: Sequence[Row], by: frozenset[str]) -> list[Row]:
        return await visible(context, connection, caller, rows, by, purpose_of(caller.roles))

    eyes = store.Eyes.of(caller.viewer)
    if not caller.custodian:
        query = await over_permitted(connection, query, eyes, permitted, context.base)
    page = await store.run(connection, query, eyes, place, PAGE)
    following = page.rows[-1][1] if page.more and page.rows else None
    return [row for row, _ in page.rows], following, asked(query.where)


async def _gone(
    context: Context,
    connection: Any,
    caller: Caller,
    one: Export,
    type_: str,
    place: tuple[str, ...],
    ids: Sequence[str] | None,
) -> Found:
    """As they were before: a deletion tells as much as what was deleted."""
    assert one.since is not None
    behind = place[0] if place else ""
    span = (one.since, one.asked)
    rows = await resources.gone(connection, type_, caller.viewer, span, ids, behind, PAGE)
    return rows, (rows[-1].id,) if len(rows) == PAGE else None, frozenset()


# the question


def _query(context: Context, caller: Caller, one: Export, type_: str) -> Query:
    where: list[Condition] = []
    if one.since is not None:
        where += _conditions(context, caller, type_, [("_lastUpdated", f"gt{instant(one.since)}")])
    texts = [query for each in one.filters for head, _, query in [each.partition("?")] if head == type_]
    if texts:
        pairs = [parse_qsl(text, keep_blank_values=True) for text in texts]
        where.append(OneOf(tuple(_conditions(context, caller, type_, each) for each in pairs)))
    if one.patients is not None and len(one.patients) <= IN_SQL and not catalogue[type_].through:
        where.append(_about(type_, one.patients))
    return Query((type_,), tuple(where), count=PAGE)


def _conditions(
    context: Context, caller: Caller, type_: str, pairs: list[tuple[str, str]]
) -> tuple[Condition, ...]:
    return parse(
        (type_,), pairs, now=context.clock(), base=context.base, served=tuple(catalogue),
        reachable=lambda each: caller.allows(each, "s"), terms=lambda: known(context),
    ).where  # fmt: skip


def _about(type_: str, patients: Sequence[str]) -> Condition:
    if type_ == HOME:
        return Ids(tuple(each.partition("/")[2] for each in patients))
    found = (keys.target(stem, each) for stem in _stems(type_) for each in patients)
    return Keys(tuple(found), selective=True)


def _stems(type_: str) -> list[str]:
    """The parameters that put a type into a client's compartment."""
    codes = compartment(HOME).get(type_, ())
    return [keys.name(type_, code) for code in codes if code in parameters(type_)]


# whose data


async def _of_patients(context: Context, connection: Any, one: Export, rows: Sequence[Row]) -> list[Row]:
    """For exports of clients: what is about them, and about nobody else."""
    if one.level == "system":
        return list(rows)
    targets = await _targets(context, connection, [row for row in rows if catalogue[row.type].through])
    wanted = None if one.patients is None else set(one.patients)
    kept = []
    for row in rows:
        about = targets[row.id] if row.id in targets else _concerned(context, row)
        if about and (wanted is None or about <= wanted):
            kept.append(row)
    return kept


def _concerned(context: Context, row: Row) -> set[str]:
    if row.type == HOME:
        return {row.reference}
    if row.patient:
        return {row.patient}
    stems = tuple(keys.target(stem, f"{HOME}/") for stem in _stems(row.type))
    found = extract(decode_object(row.body or b"{}"), context.base).keys
    return {f"{HOME}/{key.rpartition('/')[2]}" for key in found if key.startswith(stems)}


async def _targets(context: Context, connection: Any, rows: Sequence[Row]) -> dict[str, set[str]]:
    """By id, of what is about other resources (Provenance): the clients whose data those are."""
    named = {row.id: _named(context.base, row) for row in rows}
    whose = await resources.patients_of(connection, [key for each in named.values() for key in each])
    return {id_: {whose[key] for key in each if key in whose} for id_, each in named.items()}


def _named(base: str, row: Row) -> set[tuple[str, str]]:
    """What it is about; that it names a version makes no difference."""
    resource = decode_object(row.body or b"{}")
    targets = (each for element in catalogue[row.type].through for each in resource.get(element, []))
    texts = (str(each.get("reference", "")).partition("/_history/")[0] for each in targets)
    return {key for text in texts if (key := local(text, base))}
