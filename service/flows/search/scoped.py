"""Scopes with a query (`system/Condition.rs?category=…`): which rows they cover, for reads as for searches.

A search applies the query in SQL. Here it is applied to rows that came another way: a read, an old version, an include.
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters
"""

from collections.abc import Sequence
from typing import assert_never

from service.fhir.catalogue import catalogue
from service.fhir.json import decode_object
from service.fhir.row import Row
from service.fhir.search.asking import Asking
from service.fhir.search.holds import held, meets, plain
from service.fhir.search.parse import conditions
from service.fhir.search.query import Condition, OneOf
from service.flows.caller import Caller, Letter, Narrowed, Nothing, Whole
from service.flows.context import Context
from service.flows.search.terms import known


def covered(context: Context, caller: Caller, rows: Sequence[Row], letter: Letter) -> list[Row]:
    """Those of the rows that the caller's token covers, in order. A deletion says nothing: it is not covered."""
    wanted = {type_: _wanted(context, caller, type_, letter) for type_ in {row.type for row in rows}}
    return [row for row in rows if (asked := wanted[row.type]) is None or _meets(context, row, asked)]


def narrowing(context: Context, caller: Caller, type_: str, letter: Letter) -> tuple[Condition, ...]:
    """What the scopes add to a search of one type; empty when they cover all of it."""
    asked = _wanted(context, caller, type_, letter)
    return () if asked is None else (asked,)


def _wanted(context: Context, caller: Caller, type_: str, letter: Letter) -> OneOf | None:
    """None: everything of the type. No alternative: nothing of it."""
    match caller.reach(type_, letter):
        case Whole():
            return None
        case Nothing():
            return OneOf(())
        case Narrowed(queries):
            asking = Asking(
                (type_,),
                context.clock(),
                context.base,
                lambda _: True,
                tuple(catalogue),
                terms=lambda: known(context),
            )
            pairs = [[_pair(text) for text in query] for query in queries]
            return OneOf(tuple(conditions(asking, each) for each in pairs))
        case _ as never:
            assert_never(never)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _meets(context: Context, row: Row, asked: OneOf) -> bool:
    """What leads to other resources (chains, lists) covers nothing here."""
    if row.body is None:
        return False
    one = held(decode_object(row.body), row.id, row.updated, context.base)
    return any(all(map(plain, each)) and meets(one, each) for each in asked.alternatives)
