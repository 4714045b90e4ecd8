"""Which way through the tables a search takes.

gathered   some condition picks few rows (a client, an identifier, a chain): all of them are gathered by
           index first (MATERIALIZED), then put in order. Left free, the planner walks the order instead
           and hopes to meet twenty of them soon.
dated      the order is by one date and no condition picks few: walk that date's own index, in order,
           and check the rest on the way; rows without the date follow in a second statement.
plain      otherwise: PostgreSQL decides between the keys and the order of ids, by its statistics.
"""

from dataclasses import replace
from typing import Literal

from service.fhir.search.query import (
    Chain,
    Condition,
    Dates,
    Has,
    Ids,
    InList,
    Keys,
    Numbers,
    Query,
    Sort,
    Strings,
)
from service.store.search import relations
from service.store.search.order import CAST, TABLE, Rank, after, column, order_by, ranks
from service.store.search.statement import Statement
from service.store.search.where import all_of

Plan = Literal["gathered", "walked", "plain"]

COLUMNS = ("type", "id", "version", "updated", "deleted", "author", "patient", "body", "rewritten")


def plan_of(query: Query) -> Plan:
    """The plan for a query."""
    if any(picks_few(condition) for condition in query.where):
        return "gathered"
    first = query.sort[0] if query.sort else None
    if first is None or first.by in ("id", "updated", "text"):
        return "plain"
    return "walked" if len(query.types) == 1 else "gathered"


def picks_few(condition: Condition) -> bool:
    """Whether going by this condition first leaves few rows to look at."""
    match condition:
        case Keys():
            return condition.selective and not condition.negated
        case Chain():
            return not condition.broad
        case Ids() | Has() | InList():
            return True
        case Strings():
            return condition.match != "contains"
        case _:
            return False


def _cover(statement: Statement, query: Query, row: str) -> str:
    """Type, visibility and all conditions."""
    if len(query.types) == 1:
        kind = f"{row}.type = {statement.bind(query.types[0])}"
    else:
        kind = f"{row}.type = ANY({statement.bind(list(query.types), 'text[]')})"
    return f"{kind} AND {statement.visible(row)} AND {all_of(statement, query.where, row)}"


def _columns(row: str) -> str:
    return ", ".join(f"{row}.{name}" for name in COLUMNS)


def counting(statement: Statement, query: Query) -> str:
    """All that match: `SELECT …` without a target list to be counted or explained."""
    return f"FROM resource r WHERE {_cover(statement, query, 'r')}"


def gathered(statement: Statement, query: Query, place: tuple[str, ...], limit: int) -> str:
    """A page, from all candidates."""
    found = ranks(statement, query, "r")
    names = [f"k{place}" for place in range(len(found))]
    shown = ", ".join(f"{rank.expression} AS {name}" for rank, name in zip(found, names, strict=True))
    start = f"WHERE {after(statement, names, found, place)}" if place else ""
    order = order_by(names, found)
    texts = ", ".join(f"page.{name}::text" for name in names)
    return f"""WITH candidate AS MATERIALIZED (
  SELECT r.type, r.id, {shown} FROM resource r WHERE {_cover(statement, query, "r")}
), page AS (
  SELECT * FROM candidate {start} ORDER BY {order} LIMIT {statement.bind(limit, "int")}
)
SELECT {_columns("r")}, ARRAY[{texts}] AS place
FROM page JOIN resource r ON r.type = page.type AND r.id = page.id
ORDER BY {order_by([f"page.{name}" for name in names], found)}"""  # noqa: S608


def plain(statement: Statement, query: Query, place: tuple[str, ...], limit: int) -> str:
    """A page, in the order of an index of `resource`."""
    return _walk(statement, query, ranks(statement, query, "r"), "resource r", place=place, limit=limit)


_ID = {False: Sort("id"), True: Sort("id", "", True)}
"""With nothing else to order by, ids follow the value's direction: its index is then read straight."""


def walked(statement: Statement, query: Query, place: tuple[str, ...], limit: int) -> str:
    """A page of those that have a value for the first key of the order, along the index of values."""
    first = query.sort[0]
    rest = ranks(statement, replace(query, sort=query.sort[1:] or (_ID[first.descending],)), "r")
    rest = [replace(rank, expression="v.id") if rank.expression == "r.id" else rank for rank in rest]
    mine = [c for c in query.where if first.single and isinstance(c, Dates) and c.code == first.code]
    others = tuple(c for c in query.where if c not in mine)
    on = f"v.type = {statement.bind(query.types[0])} AND v.param = {statement.bind(first.code)}"
    along = [f"({' OR '.join(relations.date(statement, asked, 'v') for asked in c.any_of)})" for c in mine]
    foremost = [] if first.single else [_foremost(first)]
    return _walk(
        statement,
        replace(query, where=others),
        [Rank(column(first, "v"), CAST[first.by], first.descending), *rest],
        f"{TABLE[first.by]} v JOIN resource r ON r.type = v.type AND r.id = v.id",
        place=place,
        limit=limit,
        extra=" AND ".join([on, *along, *foremost]),
    )


def _foremost(first: Sort) -> str:
    """Of several values of a resource, the one that comes first in the order stands for it."""
    sign = ">" if first.descending else "<"
    before = f"({column(first, 'w')}, w.row) {sign} ({column(first, 'v')}, v.row)"
    if first.by == "number":
        mine, other = relations.CONVERTED.format("v"), relations.CONVERTED.format("w")
        before = f"({other} AND NOT {mine} OR {other} = {mine} AND {before})"
    return (
        f"NOT EXISTS (SELECT 1 FROM {TABLE[first.by]} w WHERE w.type = v.type AND w.id = v.id"  # noqa: S608
        f" AND w.param = v.param AND {before})"
    )


def valueless(statement: Statement, query: Query, place: tuple[str, ...], limit: int) -> str | None:
    """A page of those without the value; None when a condition asks for it, so that there are none."""
    first = query.sort[0]
    if any(isinstance(c, Dates | Strings | Numbers) and c.code == first.code for c in query.where):
        return None
    lacking = replace(query, sort=query.sort[1:] or (_ID[first.descending],))
    param = statement.bind(first.code)
    none = (
        f"NOT EXISTS (SELECT 1 FROM {TABLE[first.by]} v WHERE v.type = r.type AND v.id = r.id"  # noqa: S608
        f" AND v.param = {param})"
    )
    found = ranks(statement, lacking, "r")
    return _walk(statement, lacking, found, "resource r", place=place, limit=limit, extra=none)


def _walk(
    statement: Statement, query: Query, found: list[Rank], source: str, *, place: tuple[str, ...],
    limit: int, extra: str = "true",
) -> str:  # fmt: skip
    names = [rank.expression for rank in found]
    start = f" AND {after(statement, names, found, place)}" if place else ""
    texts = ", ".join(f"({name})::text" for name in names)
    return f"""SELECT {_columns("r")}, ARRAY[{texts}] AS place
FROM {source} WHERE {extra} AND {_cover(statement, query, "r")}{start}
ORDER BY {order_by(names, found)} LIMIT {statement.bind(limit, "int")}"""  # noqa: S608
