"""Does a resource in hand meet a condition? The same answer that the store gives for rows, without the store.

What leads to other resources (chains, `_has`, lists, near) is not decided here: `plain` says so beforehand.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from service.fhir.json import JsonObject
from service.fhir.search.extract import extract
from service.fhir.search.query import (
    Chain,
    Condition,
    Dates,
    Has,
    Ids,
    InList,
    Keys,
    Moment,
    Near,
    Numbers,
    OneOf,
    Prefix,
    Strings,
    Updated,
)

_INSTANT = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Held:
    """What of a resource can be asked: see `Indexed`. `updated` is its last change."""

    id: str
    updated: datetime
    keys: frozenset[str]
    dates: tuple[tuple[str, datetime, datetime], ...]
    strings: tuple[tuple[str, str, str], ...]
    numbers: tuple[tuple[str, object, object, str], ...]


def held(resource: JsonObject, id_: str, updated: datetime, base: str) -> Held:
    """A resource made ready to be asked; references under `base` count as relative."""
    found = extract(resource, base)
    return Held(
        id_, updated, frozenset(found.keys), tuple(found.dates), tuple(found.strings), tuple(found.numbers)
    )


def plain(condition: Condition) -> bool:
    """Can the condition be decided by the resource alone?"""
    match condition:
        case Chain() | Has() | InList() | Near() | Numbers():
            return False
        case OneOf():
            return all(plain(each) for inner in condition.alternatives for each in inner)
        case _:
            return True


def meets(one: Held, conditions: Iterable[Condition]) -> bool:
    """Everything holds. ValueError for a condition that is not `plain`."""
    return all(_holds(one, condition) for condition in conditions)


def _holds(one: Held, condition: Condition) -> bool:
    match condition:
        case Keys():
            return one.keys.isdisjoint(condition.any_of) == condition.negated
        case Ids():
            return one.id in condition.any_of
        case Updated():
            return any(_related(asked, one.updated, one.updated + _INSTANT) for asked in condition.any_of)
        case Dates():
            found = [(low, high) for code, low, high in one.dates if code == condition.code]
            return any(_related(asked, *each) for asked in condition.any_of for each in found)
        case Strings():
            texts = [(folded, exact) for code, folded, exact in one.strings if code == condition.code]
            return any(_says(condition.match, asked, *each) for asked in condition.any_of for each in texts)
        case OneOf():
            return any(meets(one, inner) for inner in condition.alternatives)
        case Chain() | Has() | InList() | Near() | Numbers():
            raise ValueError("this condition leads to other resources")
        case _ as never:
            assert_never(never)


def _related(asked: Moment, low: datetime, high: datetime) -> bool:
    """As store.search.relations has it in SQL: both intervals are half open."""
    relation: dict[Prefix, bool] = {
        "eq": asked.low <= low and high <= asked.high,
        "ne": low < asked.low or high > asked.high,
        "gt": high > asked.high,
        "lt": low < asked.low,
        "ge": low >= asked.low or high > asked.high,
        "le": low < asked.low or high <= asked.high,
        "sa": low >= asked.high,
        "eb": high <= asked.low,
        "ap": low < asked.high and high > asked.low,
    }
    return relation[asked.prefix]


def _says(match: str, asked: str, folded: str, exact: str) -> bool:
    if match == "exact":
        return exact == asked
    if match == "contains":
        return asked in folded
    if match == "below":
        return exact == asked or exact.startswith(asked + "/")
    return folded.startswith(asked)
