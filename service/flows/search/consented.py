"""For partners, links are followed over what they may see, not over what is there.

A chain or `_has` that looked at resources withheld from the caller would tell, by the matches it makes, what
they hold (HAPI #6065). So for everybody but the custodian each link is asked as a search of its own, consent
decides on what it finds, and what is left becomes plain keys or ids in the outer search.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from service.fhir.json import decode_object
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.fhir.search import extract, keys
from service.fhir.search.asked import asked
from service.fhir.search.query import NOTHING, Chain, Condition, Has, Ids, InList, Keys, OneOf, Query
from service.kernel.failures import Refused
from service.store import search as store

Permitted = Callable[[Sequence[Row], frozenset[str]], Awaitable[list[Row]]]
"""Those of the rows that the caller may see now, in order, and may find by these parameters."""

MOST = 1000
"""Resources that one link may lead over; a broader question is refused."""


async def over_permitted(
    connection: Any, query: Query, eyes: store.Eyes, permitted: Permitted, base: str
) -> Query:
    """The same query without links: each replaced by what the caller may follow."""
    step = _Follow(connection, eyes, permitted, base)
    return replace(query, where=await step.each(query.where, query.types))


class _Follow:
    def __init__(self, connection: Any, eyes: store.Eyes, permitted: Permitted, base: str) -> None:
        self._connection = connection
        self._eyes = eyes
        self._permitted = permitted
        self._base = base

    async def each(self, where: Iterable[Condition], types: tuple[str, ...]) -> tuple[Condition, ...]:
        return tuple([await self._one(condition, types) for condition in where])

    async def _one(self, condition: Condition, types: tuple[str, ...]) -> Condition:
        match condition:
            case Chain():
                rows = await self._found(condition.target, condition.where)
                return _keys(keys.target(condition.reference, row.reference) for row in rows)
            case Has():
                rows = await self._found(condition.source, condition.where)
                return self._referred(rows, condition.reference, types)
            case InList():
                rows = await self._found("List", (Ids((condition.list_id,)),))
                return self._referred(rows, "List.item", types)
            case OneOf():
                return OneOf(tuple([await self.each(each, types) for each in condition.alternatives]))
            case _:
                return condition

    async def _found(self, type_: str, where: tuple[Condition, ...]) -> list[Row]:
        inner = Query((type_,), await self.each(where, (type_,)), count=MOST)
        page = await store.run(self._connection, inner, self._eyes)
        if page.more:
            text = f"a chain or _has may lead over {MOST} resources at most; please narrow it"
            raise Refused("malformed", text, [Issue("error", "too-costly", text)])
        return await self._permitted([row for row, _ in page.rows], asked(inner.where))

    def _referred(self, rows: list[Row], reference: str, types: tuple[str, ...]) -> Condition:
        """The ids, of the one type searched, that the rows' reference parameter names."""
        if len(types) > 1:
            text = "links are followed in searches of one type only"
            raise Refused("malformed", text, [Issue("error", "not-supported", text)])
        stem = f"{reference}={types[0]}/"
        found = {key[len(stem) :] for row in rows for key in self._keys_of(row) if key.startswith(stem)}
        return Ids(tuple(sorted(found)))

    def _keys_of(self, row: Row) -> list[str]:
        return extract(decode_object(row.body or b"{}"), self._base).keys


def _keys(found: Iterable[str]) -> Condition:
    any_of = tuple(found)
    return Keys(any_of, selective=True) if any_of else NOTHING
