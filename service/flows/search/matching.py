"""The search inside a conditional interaction (`If-None-Exist`, `PUT Task?identifier=…`)."""

from urllib.parse import parse_qsl

from service.fhir.catalogue import catalogue
from service.fhir.outcome import Issue
from service.fhir.search.parse import parse
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.search.terms import known
from service.kernel.failures import Refused
from service.store import search as store
from service.store.unit import Unit

MOST = 2
"""One is a match, two are too many: no need to know of a third."""


async def matches(context: Context, unit: Unit, caller: Caller, type_: str, criteria: str) -> list[str]:
    """Ids of up to two resources that the caller knows and that meet `criteria` (a query string).

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
    return await store.matching_ids(unit, query, store.Eyes.of(caller.viewer), MOST)
