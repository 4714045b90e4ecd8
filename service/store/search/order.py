"""The order of a search as SQL, and the place in it where the next page begins.

Every order ends with type and id, so that it is total. A resource without a value comes last in either
direction: its value is read as the far end of its kind. Values travel in cursors as PostgreSQL writes them.
"""

from dataclasses import dataclass

from service.fhir.search.query import Query, Sort
from service.store.search.relations import CONVERTED
from service.store.search.statement import Statement


@dataclass(frozen=True, slots=True)
class Rank:
    """One key of the order: an expression of SQL, its type, and its direction."""

    expression: str
    cast: str
    descending: bool

    @property
    def direction(self) -> str:
        """ASC or DESC."""
        return "DESC" if self.descending else "ASC"


TABLE = {"date": "search_date", "string": "search_string", "number": "search_number"}
_COLUMN = {"date": "{0}.low", "string": "left({0}.value, 200)", "number": "{0}.low"}
CAST = {"date": "timestamptz", "string": 'text COLLATE "C"', "number": "numeric", "text": 'text COLLATE "C"'}
_LAST = {
    ("date", False): "'infinity'", ("date", True): "'-infinity'",
    ("string", False): "U&'\\+10FFFF'", ("string", True): "''",
    ("number", False): "'Infinity'", ("number", True): "'-Infinity'",
    ("text", False): "U&'\\+10FFFF'", ("text", True): "''",
}  # fmt: skip


def column(sort: Sort, value: str) -> str:
    """What a row of the sort's own table is ordered by; each of these tables has an index on it."""
    return _COLUMN[sort.by].format(value)


def ranks(statement: Statement, query: Query, row: str) -> list[Rank]:
    """The keys of the order over a row of `resource`, the deciding type and id included.

    These two go the way of the last key, so that an index that ends in the id is read straight.
    """
    found = [_rank(statement, sort, row) for sort in query.sort]
    descending = bool(query.sort) and query.sort[-1].descending
    if len(query.types) > 1:
        found.append(Rank(f"{row}.type", "text", descending))
    if not any(sort.by == "id" for sort in query.sort):
        found.append(Rank(f"{row}.id", "text", descending))
    return found


def _rank(statement: Statement, sort: Sort, row: str) -> Rank:
    if sort.by == "id":
        return Rank(f"{row}.id", "text", sort.descending)
    if sort.by == "updated":
        return Rank(f"{row}.updated", "timestamptz", sort.descending)
    cast, last = CAST[sort.by], f"{_LAST[sort.by, sort.descending]}::{CAST[sort.by]}"
    held = _held(statement, sort, row) if sort.by == "text" else _least(statement, sort, row)
    return Rank(f"coalesce({held}, {last})", cast, sort.descending)


def _held(statement: Statement, sort: Sort, row: str) -> str:
    """The text of a token or reference; a second one is there where the last value is not the first."""
    text = f"{row}.orders ->> {statement.bind(sort.code)}"
    return f"{row}.orders ->> {statement.bind('-' + sort.code)}, {text}" if sort.descending else text


def _least(statement: Statement, sort: Sort, row: str) -> str:
    """The value that comes first in the order; an amount that was converted before one that was not."""
    value, pick = statement.alias("o"), "max" if sort.descending else "min"
    first = f"{pick}({column(sort, value)})"
    if sort.by == "number":
        first = f"coalesce({first} FILTER (WHERE {CONVERTED.format(value)}), {first})"
    return (
        f"(SELECT {first} FROM {TABLE[sort.by]} {value} WHERE {value}.type = {row}.type"  # noqa: S608
        f" AND {value}.id = {row}.id AND {value}.param = {statement.bind(sort.code)})"
    )


def order_by(names: list[str], keys: list[Rank]) -> str:
    """ORDER BY of these expressions in the directions of the keys."""
    return ", ".join(f"{name} {key.direction}" for name, key in zip(names, keys, strict=True))


def after(statement: Statement, names: list[str], keys: list[Rank], place: tuple[str, ...]) -> str:
    """Strictly behind `place` in the order. The first key's own bound lets an index begin there."""
    bound = [statement.bind(v) + f"::{k.cast}" for v, k in zip(place, keys, strict=True)]
    alternatives = []
    for depth, key in enumerate(keys):
        same = [f"{names[i]} = {bound[i]}" for i in range(depth)]
        alternatives.append(
            " AND ".join([*same, f"{names[depth]} {'<' if key.descending else '>'} {bound[depth]}"])
        )
    lead = f"{names[0]} {'<=' if keys[0].descending else '>='} {bound[0]}"
    return f"({lead} AND ({' OR '.join(f'({each})' for each in alternatives)}))"
