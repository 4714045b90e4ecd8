"""A query string, read: what it asks, how to show it, and everything that is wrong with it at once.

Filters are read by `links` and `conditions`; what shapes the answer is read here.
https://hl7.org/fhir/R4/search.html#return
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args

from service.fhir import r4
from service.fhir.outcome import Issue
from service.fhir.search import keys
from service.fhir.search.asking import Asking, Terms, Unknown, Wrong, shown
from service.fhir.search.links import understand
from service.fhir.search.parameters import SYSTEMWIDE, compartment, parameters
from service.fhir.search.paths import routes, single
from service.fhir.search.query import NOTHING, Condition, Include, Keys, Query, Sort, Summary, Total
from service.kernel.failures import Refused

MAX_COUNT = 1000
MAX_PAIRS = 100
MAX_VALUES = 2000
REFUSED = {
    "_text": "full-text search of narratives",
    "_content": "full-text search",
    "_query": "named queries",
    "_filter": "the filter language",
}
_FORMAT = frozenset({"_format", "_pretty"})
_SORT_BY = {
    "date": "date", "string": "string", "uri": "string", "number": "number", "quantity": "number",
    "token": "text", "reference": "text",
}  # fmt: skip

Pair = tuple[str, str]


@dataclass(slots=True)
class _Draft:
    """A Query in the making."""

    asking: Asking
    where: list[Condition] = field(default_factory=list)
    sort: list[Sort] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    count: int = 50
    total: Total = "none"
    summary: Summary = "false"
    elements: list[str] = field(default_factory=list)
    cursor: str = ""
    issues: list[Issue] = field(default_factory=list)
    warnings: list[Issue] = field(default_factory=list)
    accepted: list[Pair] = field(default_factory=list)


def parse(
    types: Sequence[str],
    pairs: Sequence[Pair],
    *,
    now: datetime,
    base: str,
    served: Sequence[str],
    lenient: bool = False,
    reachable: Callable[[str], bool] = lambda _: True,
    within: Sequence[str] = (),
    terms: Callable[[], Terms] | None = None,
) -> Query:
    """Name and value pairs, already percent-decoded, to a Query over `types`.

    `served`: the types of this server; `reachable`: which of them the caller's token lets a search enter by
    chains; `within`: a compartment, as ("Patient", id, …); `lenient`: unknown parameters become warnings; `terms`
    answers `:in`, `:not-in`, `:above` and `:below`.
    Raises Refused("malformed") with an issue for every parameter that cannot be answered.
    """
    draft = _Draft(Asking(tuple(types), now, base, reachable, tuple(served), terms=terms))
    if len(pairs) > MAX_PAIRS or sum(value.count(",") for _, value in pairs) > MAX_VALUES:
        text = f"a search takes at most {MAX_PAIRS} parameters with {MAX_VALUES} alternatives in all"
        raise Refused("malformed", text, [Issue("error", "too-costly", text)])
    if within:
        draft.where.append(_inside(draft.asking, within[0], within[1:]))
    for name, value in pairs:
        _read(draft, name, value, lenient)
    if draft.issues:
        reason = "forbidden" if all(issue.code == "forbidden" for issue in draft.issues) else "malformed"
        raise Refused(reason, draft.issues[0].text, draft.issues)  # type: ignore[arg-type]
    return _query(draft)


def conditions(asking: Asking, pairs: Sequence[Pair]) -> tuple[Condition, ...]:
    """Filters alone, as conditional writes and narrowed scopes have them. Raises Refused("malformed")."""
    try:
        return tuple(understand(asking, name, value) for name, value in pairs)
    except Wrong as wrong:
        raise Refused("malformed", wrong.text, [Issue("error", wrong.code, wrong.text)]) from None


def _query(draft: _Draft) -> Query:
    return Query(
        draft.asking.types, tuple(draft.where), tuple(draft.sort), draft.count, draft.total, draft.summary,
        tuple(draft.elements), tuple(dict.fromkeys(draft.includes)), draft.cursor, tuple(draft.accepted),
        tuple(draft.warnings),
    )  # fmt: skip


def _read(draft: _Draft, name: str, value: str, lenient: bool) -> None:
    if name in _FORMAT:
        return
    try:
        shape = SHAPES.get(name.partition(":")[0])
        if name in REFUSED:
            raise Wrong(f"{name}: {REFUSED[name]} is not offered", "not-supported")
        if not value:
            raise Wrong(f"{shown(name)} has no value")
        if shape:
            shape(draft, name, value)
        else:
            draft.where.append(understand(draft.asking, name, value))
        draft.accepted.append((name, value))
    except Unknown as unknown:
        severity = "warning" if lenient else "error"
        issue = Issue(severity, unknown.code, unknown.text)  # type: ignore[arg-type]
        (draft.warnings if lenient else draft.issues).append(issue)
    except Wrong as wrong:
        draft.issues.append(Issue("error", wrong.code, wrong.text))


def _inside(asking: Asking, home: str, ids: Sequence[str]) -> Condition:
    """Membership of a compartment: some reference of the definition names it, or one of those that are one with it."""
    found = tuple(
        keys.target(keys.name(type_, code), f"{home}/{id_}")
        for id_ in ids
        for type_ in asking.types
        for code in compartment(home).get(type_, ())
        if code in parameters(type_)
    )
    return Keys(found, selective=True) if found else NOTHING


# what shapes the answer


def _count(draft: _Draft, _: str, value: str) -> None:
    if not value.isascii() or not value.isdecimal() or len(value) > 9:
        raise Wrong("_count must be a whole number")
    draft.count = min(int(value), MAX_COUNT)
    if draft.count == 0:
        draft.summary = "count"


def _total(draft: _Draft, _: str, value: str) -> None:
    if value not in get_args(Total):
        raise Wrong("_total must be none, estimate or accurate")
    draft.total = value  # type: ignore[assignment]


def _summary(draft: _Draft, _: str, value: str) -> None:
    if value not in get_args(Summary):
        raise Wrong("_summary must be true, text, data, count or false")
    draft.summary = value  # type: ignore[assignment]


def _elements(draft: _Draft, _: str, value: str) -> None:
    names = [name.strip() for name in value.split(",")]
    for name in names:
        if not any(_has_element(type_, name) for type_ in draft.asking.types):
            raise Wrong("_elements takes names of elements of the type, separated by commas")
    draft.elements += names


def _has_element(type_: str, name: str) -> bool:
    return name in r4.structure(type_).by_name


def _sort(draft: _Draft, _: str, value: str) -> None:
    for part in value.split(","):
        descending, code = part.startswith("-"), part.removeprefix("-")
        draft.sort.append(_sort_key(draft.asking, code, descending))


def _sort_key(asking: Asking, code: str, descending: bool) -> Sort:
    parameter = asking.parameter(code)
    if code in ("_id", "_lastUpdated"):
        return Sort("id" if code == "_id" else "updated", "", descending)
    by = _SORT_BY.get(parameter.type)
    if by is None or len(asking.types) > 1:
        raise Wrong(f"_sort by {code} is not offered: it is a {parameter.type}", "not-supported")
    one = (
        by != "text" and parameter.type != "quantity" and single(routes(parameter.expression, parameter.base))
    )
    return Sort(by, code, descending, one)  # type: ignore[arg-type]


def _include(draft: _Draft, name: str, value: str) -> None:
    kind, _, modifier = name.partition(":")
    if modifier not in ("", "iterate", "recurse"):
        raise Wrong(f"{kind} has only the modifier iterate", "not-supported")
    reverse, iterate = kind == "_revinclude", bool(modifier)
    if value == "*":
        sources = draft.asking.served if reverse else draft.asking.types
        draft.includes += [Include(type_, "*", "", reverse, iterate) for type_ in sources]
        return
    source, code, target = [*value.split(":"), "", ""][:3]
    if not r4.is_resource(source) or (target and not r4.is_resource(target)) or value.count(":") > 2:
        raise Wrong(f"{kind} is written [type]:[reference parameter], with :[target type] if need be")
    if code != "*" and (code not in parameters(source) or parameters(source)[code].type != "reference"):
        raise Unknown(f"{kind}: {source} has no reference parameter {shown(code)}")
    draft.includes.append(Include(source, code, target, reverse, iterate))


def _contained(_: _Draft, name: str, value: str) -> None:
    if value != ("false" if name == "_contained" else "container"):
        raise Wrong(f"{name}: contained resources are not searched for themselves", "not-supported")


def _cursor(draft: _Draft, _: str, value: str) -> None:
    draft.cursor = value


SHAPES: dict[str, Callable[[_Draft, str, str], None]] = {
    "_count": _count,
    "_total": _total,
    "_summary": _summary,
    "_elements": _elements,
    "_sort": _sort,
    "_include": _include,
    "_revinclude": _include,
    "_contained": _contained,
    "_containedType": _contained,
    "_cursor": _cursor,
}

__all__ = ["MAX_COUNT", "SHAPES", "SYSTEMWIDE", "Pair", "conditions", "parse"]
