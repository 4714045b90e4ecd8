"""Items without repetitions, by a hashable key instead of comparing each with each."""

from decimal import Decimal
from typing import Any

import orjson

from service.fhir.fhirpath.node import Items, Node, plain
from service.fhir.fhirpath.scope import Charge


def key(item: Any, charge: Charge) -> Any:
    """A hashable stand-in: equal items have equal keys (moments in different zones excepted)."""
    value = plain(item)
    if type(value) is dict or type(value) is list:
        written = orjson.dumps(value, default=_digits, option=orjson.OPT_SORT_KEYS)
        charge(len(written) >> 8)
        return written
    if type(value) is bool:
        return ("boolean", value)
    if value is None and type(item) is Node:
        return ("element", key(item.element, charge))
    return value


def _digits(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value.normalize()))
    raise TypeError


def distinct(items: Items, charge: Charge) -> Items:
    """The items without repetitions, in their first order."""
    if len(items) < 2:
        return items
    charge(len(items))
    found: dict[Any, Any] = {}
    for item in items:
        found.setdefault(key(item, charge), item)
    return list(found.values())
