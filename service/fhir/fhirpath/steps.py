"""From an element to its children: the one loop everything else stands on.

Two ways to walk. The bare one yields plain JSON and is what nearly every invariant needs. The typed one wraps
each element in a Node that knows its type and place, for expressions that ask (`is`, `as`, `ofType`, `type`)
and for FHIRPath Patch.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import zip_longest
from typing import Any

from service.fhir.fhirpath.choices import choices
from service.fhir.fhirpath.node import Items, Node, members
from service.fhir.fhirpath.scope import Run
from service.fhir.fhirpath.types import child_type, type_of

Step = Callable[[Run, Items], Items]

_MANY = 64


@cache
def _spellings(name: str) -> frozenset[str]:
    """Every JSON key a choice element may have, its `_x` siblings included."""
    return frozenset(prefix + key for key in choices(name) for prefix in ("", "_"))


def bare_step(name: str) -> Step:
    """`.name` over plain values."""
    sibling = "_" + name
    spellings = _spellings(name)

    def step(run: Run, items: Items) -> Items:
        found: Items = []
        for item in items:
            holder = item if type(item) is dict else members(item)
            if holder is None:
                continue
            value = holder.get(name)
            if sibling in holder:
                found.extend(_annotated(holder, name, ""))
            elif value is None:
                if not spellings.isdisjoint(holder):
                    found.extend(_chosen(holder, name))
            elif type(value) is list:
                found.extend(value)
            else:
                found.append(value)
        if len(found) > _MANY:
            run.charge(len(found))
        return found

    return step


def _chosen(holder: dict[str, Any], name: str) -> Items:
    variants = choices(name)
    for key, value in holder.items():
        plain_key = key.removeprefix("_")
        if plain_key in variants:
            if plain_key != key or "_" + key in holder:
                return _annotated(holder, plain_key, variants[plain_key])
            return value if type(value) is list else [value]
    return []


def _annotated(holder: dict[str, Any], key: str, kind: str) -> Items:
    """The values under a key that has a `_key` beside it: wrapped where there is something to say."""
    return [node if node.element is not None else node.value for node in _nodes(holder, key, kind)]


def _nodes(holder: dict[str, Any], key: str, kind: str, owner: str = "") -> Iterator[Node]:
    value, element = holder.get(key), holder.get("_" + key)
    if type(value) is list or type(element) is list:
        pairs = zip_longest(value or (), element if type(element) is list else ())
        for index, (one, beside) in enumerate(pairs):
            if one is not None or type(beside) is dict:
                yield Node(one, kind, beside, holder, key, index, owner)
    elif value is not None or type(element) is dict:
        yield Node(value, kind, element if type(element) is dict else None, holder, key, -1, owner)


def typed_step(name: str) -> Step:
    """`.name` over Nodes: types and places are kept."""
    variants, spellings = choices(name), _spellings(name)

    def step(run: Run, items: Items) -> Items:
        found: Items = []
        for item in items:
            holder = members(item)
            if holder is None:
                continue
            parent = _parent_type(item, holder)
            if name in holder or "_" + name in holder:
                found.extend(_nodes(holder, name, child_type(parent, name), parent))
            elif not spellings.isdisjoint(holder):
                for key in {key.removeprefix("_"): None for key in holder if key in spellings}:
                    kind = child_type(parent, key) or variants[key]
                    found.extend(_nodes(holder, key, kind, parent))
        run.charge(len(found))
        return found

    return step


def _parent_type(item: Any, holder: dict[str, Any]) -> str:
    # The `_x` sibling of a primitive is an Element: an id and extensions.
    if type(item) is Node and holder is not item.value:
        return "Element"
    return type_of(item)


def bare_children(run: Run, items: Items) -> Items:
    """`children()` over plain values."""
    found: Items = []
    for item in items:
        holder = members(item)
        if holder is not None:
            for key in _keys(holder):
                found.extend(_annotated(holder, key, ""))
    run.charge(len(found))
    return found


def typed_children(run: Run, items: Items) -> Items:
    """`children()` over Nodes."""
    found: Items = []
    for item in items:
        holder = members(item)
        if holder is not None:
            parent = _parent_type(item, holder)
            for key in _keys(holder):
                found.extend(_nodes(holder, key, child_type(parent, key), parent))
    run.charge(len(found))
    return found


def _keys(holder: dict[str, Any]) -> Iterator[str]:
    for key in holder:
        if key == "resourceType":
            continue
        if key[:1] != "_":
            yield key
        elif key[1:] not in holder:
            yield key[1:]


def descendants(children: Step) -> Step:
    """`descendants()`: children, their children, and so on, level by level."""

    def step(run: Run, items: Items) -> Items:
        found: Items = []
        level = children(run, items)
        while level:
            found.extend(level)
            level = children(run, level)
        return found

    return step
