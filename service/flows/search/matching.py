"""The search inside a conditional interaction (`If-None-Exist`, `PUT Task?identifier=…`)."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from service.fhir.catalogue import catalogue
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.fhir.search.asked import asked
from service.fhir.search.parse import parse
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.permit import visible
from service.flows.search.consented import over_permitted
from service.flows.search.terms import known
from service.kernel.failures import Refused
from service.store import resources
from service.store import search as store
from service.store.unit import Unit

MOST = 2
"""One is a match, two are too many: no need to know of a third."""

AT_ONCE = 100
"""Rows weighed at a time for a partner: what it may not see neither matches nor stands in the way."""


async def matches(context: Context, unit: Unit, caller: Caller, type_: str, criteria: str) -> list[Row]:
    """Up to two resources that exist for the caller and meet `criteria` (a query string), as it may see them.

    Raises Refused("malformed") for criteria that select nothing in particular.
    """
    pairs = parse_qsl(criteria.removeprefix("?"), keep_blank_values=True)
    query = parse(
        (type_,), pairs, now=context.clock(), base=context.base, served=tuple(catalogue),
        reachable=lambda each: caller.allows(each, "s"), terms=lambda: known(context),
    )  # fmt: skip
    if not query.where:
        text = "a conditional interaction needs at least one search parameter that selects resources"
        raise Refused("malformed", text, [Issue("error", "invalid", text)])

    async def permitted(rows: Sequence[Row], by: frozenset[str]) -> list[Row]:
        return await visible(context, unit, caller, rows, by)

    eyes = store.Eyes.of(caller.viewer)
    if not caller.custodian:
        query = await over_permitted(unit, query, eyes, permitted, context.base)
    limit = MOST if caller.custodian else AT_ONCE
    by, found, behind = asked(query.where), list[Row](), ""
    while len(found) < MOST:
        ids = await store.matching_ids(unit, query, eyes, limit, behind)
        rows = await resources.known(unit, [(type_, id_) for id_ in ids], caller.viewer) if ids else []
        found += await permitted(rows, by)
        if len(ids) < limit:
            break
        behind = ids[-1]
    return found[:MOST]
