"""Walking an instance by element names: values with their types, `_` siblings and places.

Discriminator paths are the subset of FHIRPath of https://hl7.org/fhir/R4/profiling.html#discriminator:
names, `ofType`, `extension(url)`, `resolve()` and `$this`.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from service.fhir import r4
from service.fhir.json import Json, JsonObject
from service.fhir.validate.place import Place

Resolve = Callable[[str], JsonObject | None]
_STEP = re.compile(r"\$this|resolve\(\)|ofType\((\w+)\)|extension\(['\"]([^'\"]*)['\"]\)|(\w+)(?:\[x\])?")


class Item(NamedTuple):
    """A value in an instance: its `_` sibling, FHIR type and place. `partial`: only the type is known."""

    value: Json
    sibling: JsonObject | None
    type: str
    place: Place
    partial: bool = False


class Step(NamedTuple):
    """One step of a discriminator path: name, type, extension or resolve, and its argument."""

    kind: str
    argument: str = ""


Steps = tuple[Step, ...]


def parse(path: str) -> Steps:
    """`code.coding.code`, `$this.resolve()`, `extension('url').value` to steps."""
    steps = []
    for match in _STEP.finditer(path):
        if match[0] == "resolve()":
            steps.append(Step("resolve"))
        elif match[1]:
            steps.append(Step("type", match[1]))
        elif match[2] is not None:
            steps.append(Step("extension", match[2]))
        elif match[3]:
            steps.append(Step("name", match[3]))
    return tuple(steps)


def members(owner: JsonObject, owner_type: str, name: str, place: Place) -> list[Item]:
    """The values of an element of an object, whatever its choice of type."""
    found = r4.find(owner_type)
    element = found.by_name.get(name) if found else None
    if element is None:
        return []
    pairs = [(element.key(t), t) for t in element.types]
    return [
        item for key, type_ in pairs for item in at_key(owner, key, type_, name, place, choice=element.choice)
    ]


def at_key(
    owner: JsonObject, key: str, type_: str, name: str, place: Place, *, choice: bool = False
) -> list[Item]:
    """The values under one JSON key, primitives together with their `_` siblings."""
    value = owner.get(key)
    beside = owner.get(f"_{key}") if type_ in r4.PRIMITIVES else None
    if value is None and beside is None:
        return []
    segment = f"{name}.ofType({type_})" if choice else name
    if isinstance(value, list) or isinstance(beside, list):
        return _aligned(value, beside, type_, place, segment)
    return [
        Item(value, beside if isinstance(beside, dict) else None, _actual(type_, value), (place, segment, -1))
    ]


def _aligned(value: Json, beside: Json, type_: str, place: Place, segment: str) -> list[Item]:
    values = value if isinstance(value, list) else []
    extras = beside if isinstance(beside, list) else []
    found = []
    for index in range(max(len(values), len(extras))):
        each = values[index] if index < len(values) else None
        extra = extras[index] if index < len(extras) else None
        sibling = extra if isinstance(extra, dict) else None
        found.append(Item(each, sibling, _actual(type_, each), (place, segment, index)))
    return found


def _actual(type_: str, value: Json) -> str:
    if type_ == "Resource" and isinstance(value, dict):
        return str(value.get("resourceType"))
    return type_


def follow(resolve: Resolve, item: Item, steps: Steps) -> list[Item] | None:
    """The values at the end of a path; None when a reference on the way cannot be resolved."""
    found = [item]
    for step in steps:
        reached: list[Item] = []
        for each in found:
            if each.partial:
                return None
            further = _take(resolve, each, step)
            if further is None:
                return None
            reached += further
        found = reached
    return found


def _take(resolve: Resolve, item: Item, step: Step) -> list[Item] | None:
    if step.kind == "type":
        return [item] if item.type == step.argument else []
    if step.kind == "resolve":
        return _resolve(resolve, item)
    owner = item.value if isinstance(item.value, dict) else item.sibling
    if not isinstance(owner, dict):
        return []
    if step.kind == "extension":
        listed = at_key(owner, "extension", "Extension", "extension", item.place)
        return [e for e in listed if isinstance(e.value, dict) and e.value.get("url") == step.argument]
    return members(owner, item.type, step.argument, item.place)


def _resolve(resolve: Resolve, item: Item) -> list[Item] | None:
    reference = item.value.get("reference") if isinstance(item.value, dict) else item.value
    if not isinstance(reference, str):
        return None
    target = resolve(reference)
    if target is not None:
        return [Item(target, None, str(target.get("resourceType")), item.place)]
    parts = reference.partition("/_history/")[0].split("/")
    if len(parts) >= 2 and r4.is_resource(parts[-2]):
        return [Item({}, None, parts[-2], item.place, partial=True)]
    return None
