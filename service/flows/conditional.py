"""Which one is meant: conditional create, update, patch, delete and references name a resource by a search.

https://hl7.org/fhir/R4/http.html#ccreate and #cond-update
"""

from urllib.parse import parse_qsl, urlencode

from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.search import matches
from service.kernel.failures import Refused
from service.store.unit import Unit


def condition_lock(type_: str, criteria: str) -> str:
    """The advisory lock under which a search decides about a write; the order of its parameters is nothing.

    It sorts before the locks of resources (`Goal/1`): whoever needs both takes conditions first.
    """
    pairs = sorted(parse_qsl(criteria.removeprefix("?"), keep_blank_values=True))
    return f"?{type_}?{urlencode(pairs)}"


async def the_one(context: Context, unit: Unit, caller: Caller, type_: str, criteria: str) -> Row | None:
    """The only resource that meets the criteria, of those that exist for the caller; None when there is none.

    Refused: ambiguous (412) for several, malformed for criteria that select nothing in particular.
    """
    expect_readable(criteria)
    seen = await matches(context, unit, caller, type_, criteria)
    if len(seen) > 1:
        text = f"several resources of type {type_} match; the condition must match one or none"
        raise Refused("ambiguous", text, [Issue("error", "multiple-matches", text)])
    return seen[0] if seen else None


def expect_readable(criteria: str) -> None:
    """Refused("malformed") for a query string that is not percent-encoded UTF-8, or holds control characters."""
    try:
        pairs = parse_qsl(
            criteria.removeprefix("?"), keep_blank_values=True, errors="strict", max_num_fields=100
        )
    except ValueError:
        raise Refused("malformed", "the condition is not percent-encoded UTF-8") from None
    if any(character < " " for pair in pairs for text in pair for character in text):
        raise Refused("malformed", "the condition holds a control character")
