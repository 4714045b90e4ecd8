"""Conditions of a Query to SQL over a row of `resource`.

Single keys that must all be there become one `@>`, which the GIN index answers by intersection. Chains look
up the ids that match and turn them into keys; `_has` looks for the row's own key among those of the others.
"""

from collections.abc import Iterable
from functools import cache
from typing import assert_never

from service.fhir.catalogue import catalogue
from service.fhir.search.folding import fold
from service.fhir.search.near import LATITUDE, LONGITUDE
from service.fhir.search.parameters import parameters
from service.fhir.search.paths import routes, single
from service.fhir.search.query import (
    Chain,
    Condition,
    Dates,
    Has,
    Ids,
    InList,
    Keys,
    Near,
    Numbers,
    OneOf,
    Strings,
    Updated,
)
from service.store.search import relations
from service.store.search.statement import Statement

_PREFIX = 200
"""Characters of a string that are indexed."""


def all_of(statement: Statement, conditions: Iterable[Condition], row: str) -> str:
    """Everything holds; `true` for nothing."""
    conditions = list(conditions)
    single = [c for c in conditions if isinstance(c, Keys) and not c.negated and len(c.any_of) == 1]
    parts = [holds(statement, c, row) for c in conditions if c not in single]
    if single:
        keys = tuple(key for condition in single for key in condition.any_of)
        parts.insert(0, f"{row}.keys @> {statement.hashes(keys)}")
    return " AND ".join(parts) or "true"


def holds(statement: Statement, condition: Condition, row: str) -> str:
    """One condition."""
    match condition:
        case Keys():
            found = f"{row}.keys && {statement.hashes(condition.any_of)}"
            return f"NOT ({found})" if condition.negated else found
        case Ids():
            return f"{row}.id = ANY({statement.bind(list(condition.any_of), 'text[]')})"
        case Updated():
            return _any(relations.updated(statement, asked, row) for asked in condition.any_of)
        case Dates():
            value = statement.alias("d")
            asked = _any(relations.date(statement, each, value) for each in condition.any_of)
            return _exists(statement, "search_date", value, row, code=condition.code, asked=asked)
        case Numbers():
            value = statement.alias("n")
            wanted = _any(relations.number(statement, each, value) for each in condition.any_of)
            return _exists(statement, "search_number", value, row, code=condition.code, asked=wanted)
        case Strings():
            value = statement.alias("s")
            wanted = _any(_string(statement, condition.match, text, value) for text in condition.any_of)
            return _exists(statement, "search_string", value, row, code=condition.code, asked=wanted)
        case Near():
            return _near(statement, condition, row)
        case InList():
            return _in_list(statement, condition, row)
        case Chain():
            return _chain(statement, condition, row)
        case Has():
            return _has(statement, condition, row)
        case OneOf():
            return _any(f"({all_of(statement, each, row)})" for each in condition.alternatives)
        case _ as never:
            assert_never(never)


def _any(parts: Iterable[str]) -> str:
    return "(" + (" OR ".join(parts) or "false") + ")"


def _exists(statement: Statement, table: str, value: str, row: str, *, code: str, asked: str) -> str:
    param = statement.bind(code)
    return (
        f"EXISTS (SELECT 1 FROM {table} {value} WHERE {value}.type = {row}.type AND {value}.param = {param}"  # noqa: S608
        f" AND {value}.id = {row}.id AND {asked})"
    )


def _string(statement: Statement, match: str, text: str, value: str) -> str:
    begin = f"left({value}.value, {_PREFIX})"
    if match == "contains":
        return f"{value}.value LIKE {statement.bind(f'%{_literal(text)}%')}"
    if match == "exact":
        folded = statement.bind(fold(text)[:_PREFIX])
        return f"({begin} = {folded} AND {value}.exact = {statement.bind(text)})"
    stem = f"{begin} LIKE {statement.bind(_literal(text[:_PREFIX]) + '%')}"
    if match == "below":
        under = statement.bind(_literal(text) + "/%")
        return f"({stem} AND ({value}.exact = {statement.bind(text)} OR {value}.exact LIKE {under}))"
    return (
        stem
        if len(text) <= _PREFIX
        else f"({stem} AND {value}.value LIKE {statement.bind(_literal(text) + '%')})"
    )


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _near(statement: Statement, condition: Near, row: str) -> str:
    """Haversine on a sphere of the mean earth radius; the bound on the latitude is a range of the index."""
    lat, long, km = (
        statement.bind(value, "float8") for value in (condition.latitude, condition.longitude, condition.km)
    )
    y, x = statement.alias("n"), statement.alias("n")
    half = (
        f"sin(radians({y}.low::float8 - {lat}) / 2) ^ 2 + cos(radians({lat})) * cos(radians({y}.low::float8))"
    )
    angle = f"asin(sqrt(least(1, {half} * sin(radians({x}.low::float8 - {long}) / 2) ^ 2)))"
    return (
        f"EXISTS (SELECT 1 FROM search_number {y} JOIN search_number {x} ON {x}.type = {y}.type"  # noqa: S608
        f" AND {x}.id = {y}.id AND {x}.param = {statement.bind(LONGITUDE)}"
        f" WHERE {y}.type = {row}.type AND {y}.id = {row}.id AND {y}.param = {statement.bind(LATITUDE)}"
        f" AND {y}.low BETWEEN ({lat} - {km} / 111)::numeric AND ({lat} + {km} / 111)::numeric"
        f" AND 2 * 6371.0088 * {angle} <= {km})"
    )


def _in_list(statement: Statement, condition: InList, row: str) -> str:
    list_ = statement.alias("l")
    return (
        f"EXISTS (SELECT 1 FROM resource {list_} WHERE {list_}.type = 'List'"  # noqa: S608
        f" AND {list_}.id = {statement.bind(condition.list_id)} AND {statement.visible(list_)}"
        f" AND {list_}.keys @> ARRAY[hashtextextended('List.item=' || {row}.type || '/' || {row}.id, 0)])"
    )


def _chain(statement: Statement, condition: Chain, row: str) -> str:
    target = statement.alias("t")
    stem = statement.bind(f"{condition.reference}={condition.target}/")
    found = (
        f"SELECT hashtextextended({stem} || {target}.id, 0) FROM resource {target}"  # noqa: S608
        f" WHERE {target}.type = {statement.bind(condition.target)} AND {statement.visible(target)}"
        f" AND {all_of(statement, condition.where, target)}"
    )
    if (
        condition.broad
    ):  # the index would compare every key with every other: hash them, and look at the rows found else
        return f"(SELECT bool_or(k IN ({found})) FROM unnest({row}.keys) k)"  # noqa: S608
    return f"{row}.keys && ARRAY({found})"


@cache
def _keyed_by_patient(reference: str) -> bool:
    """Whether the column `patient` says what this reference parameter (`Task.patient`) says."""
    type_, _, code = reference.partition(".")
    spec = catalogue.get(type_)
    if code != "patient" or spec is None or len(spec.patient) != 1:
        return False
    found = routes(parameters(type_)[code].expression, type_)
    return single(found) and found[0].steps[0] == spec.patient[0]


def _has_patient(statement: Statement, condition: Has, row: str) -> str:
    """As `_has`, from the few that match straight to their clients."""
    source = statement.alias("h")
    return (
        f"({row}.type = 'Patient' AND {row}.id IN (SELECT substr({source}.patient, 9)"  # noqa: S608
        f" FROM resource {source} WHERE {source}.type = {statement.bind(condition.source)}"
        f" AND {source}.patient IS NOT NULL AND {statement.visible(source)}"
        f" AND {all_of(statement, condition.where, source)}))"
    )


def _has(statement: Statement, condition: Has, row: str) -> str:
    if _keyed_by_patient(condition.reference):
        return _has_patient(statement, condition, row)
    source = statement.alias("h")
    stem = statement.bind(f"{condition.reference}=")
    return (
        f"hashtextextended({stem} || {row}.type || '/' || {row}.id, 0) IN (SELECT unnest({source}.keys)"  # noqa: S608
        f" FROM resource {source} WHERE {source}.type = {statement.bind(condition.source)}"
        f" AND {statement.visible(source)} AND {all_of(statement, condition.where, source)})"
    )
