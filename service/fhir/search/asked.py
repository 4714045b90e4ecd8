"""Which parameters a search looks at, and what a resource says by them.

A resource that is shown with something masked must not be found by what is masked: being found would tell it.
"""

from collections.abc import Iterable
from typing import assert_never

from service.fhir.search import query
from service.fhir.search.extract import Indexed
from service.fhir.search.query import Condition, Sort


def asked(where: Iterable[Condition], sort: Iterable[Sort] = ()) -> frozenset[str]:
    """The codes of the parameters that decide which resources are found, and in which order."""
    codes = {code for each in where for code in _of(each)} | {each.code for each in sort if each.code}
    return frozenset(_code(code) for code in codes)


def _of(condition: Condition) -> Iterable[str]:
    match condition:
        case query.Keys():
            return [_code_of_key(key) for key in condition.any_of]
        case query.Dates() | query.Strings() | query.Numbers():
            return [condition.code]
        case query.Chain() | query.Has():
            return [condition.reference.partition(".")[2]]
        case query.OneOf():
            return [code for each in condition.alternatives for code in asked(each)]
        case query.Ids() | query.Updated() | query.InList() | query.Near():
            return []
        case _ as never:
            assert_never(never)


def _code_of_key(key: str) -> str:
    """`Task.status=|requested` and `Task.status?` to `status`."""
    return key.partition("=")[0].rstrip("?").partition(".")[2]


def _code(stored: str) -> str:
    """Stored names carry what they were split by: `code:text`, `code-value-quantity=c`."""
    return stored.partition("=")[0].partition(":")[0]


def said(indexed: Indexed, codes: frozenset[str]) -> frozenset[object]:
    """Everything by which these parameters could find the resource."""
    rows: list[tuple[str, object]] = [(_code_of_key(key), key) for key in indexed.keys]
    rows += [(each[0], each) for each in indexed.dates]
    rows += [(each[0], each) for each in indexed.strings]
    rows += [(each[0], each) for each in indexed.numbers]
    return frozenset(value for code, value in rows if _code(code) in codes)
