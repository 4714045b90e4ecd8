"""The places of a resource as pairs: a value and its `_x` sibling, kept together when lists change."""

from itertools import zip_longest
from typing import Any

from service.fhir.json import Json, JsonObject

Pair = tuple[Json, JsonObject | None]
"""A value and what FHIR JSON writes beside it: (None, {…}) is a primitive with extensions only."""


def copied(value: Json) -> Json:
    """The same value in containers of its own."""
    if isinstance(value, dict):
        return {key: copied(member) for key, member in value.items()}
    if isinstance(value, list):
        return [copied(member) for member in value]
    return value


def read(holder: JsonObject, key: str) -> list[Pair]:
    """All values under a key, one pair each, whether JSON writes an array or not."""
    value, beside = holder.get(key), holder.get("_" + key)
    if isinstance(value, list) or isinstance(beside, list):
        return list(zip_longest(value or (), beside or ()))
    return [] if value is None and beside is None else [(value, beside)]


def write(holder: JsonObject, key: str, pairs: list[Pair], many: bool) -> None:
    """Put pairs under a key, or remove it when there are none."""
    _put(holder, key, [value for value, _ in pairs], many)
    _put(holder, "_" + key, [beside for _, beside in pairs], many)


def _put(holder: JsonObject, key: str, values: list[Any], many: bool) -> None:
    if any(value is not None for value in values):
        holder[key] = values if many else values[0]
    else:
        holder.pop(key, None)
