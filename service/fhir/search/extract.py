"""From a resource to everything that finds it, in one walk over its JSON.

The expressions of all parameters of a type are merged, the first time the type is seen, into one tree of JSON
keys; a resource is walked along it once, and each place that a parameter names offers its values. No
expression is interpreted at run time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache

from service.fhir import r4
from service.fhir.json import Json, JsonObject
from service.fhir.references import leading
from service.fhir.search import composites, derived, emit, keys
from service.fhir.search.found import Found
from service.fhir.search.parameters import Parameter, parameters
from service.fhir.search.paths import Guard, Route, Step, Unreadable, routes
from service.fhir.search.values import each, refers_to

Emit = Callable[[Json, Found], None]


@dataclass(frozen=True, slots=True)
class Indexed:
    """What finds a resource. Lists are sorted and without doubles, so that the same resource gives the same.

    keys: texts of `fhir.search.keys`; PostgreSQL hashes them. dates: (parameter, low, high) half open.
    strings: (parameter, folded, as written). numbers: (parameter, low, high, unit), closed; amounts of UCUM are
    in the unit of their kind. orders: parameter → the text that sorts it, `-parameter` → the one that sorts it
    in descending order, if another.
    """

    keys: list[str]
    dates: list[tuple[str, datetime, datetime]]
    strings: list[tuple[str, str, str]]
    numbers: list[tuple[str, Decimal, Decimal, str]]
    orders: dict[str, str]


@dataclass(slots=True)
class _Node:
    """A place in the JSON: what to emit here, and where to go on."""

    emits: list[Emit] = field(default_factory=list)
    members: dict[str, "_Node"] = field(default_factory=dict)
    guarded: list[tuple[Guard, "_Node"]] = field(default_factory=list)


def extract(resource: JsonObject, base: str = "") -> Indexed:
    """Everything that finds this resource. References under `base`, our own URL, count as relative ones.

    Every reference has a key, also where no search asks for it: a delete does.
    """
    type_ = resource["resourceType"]
    found = Found(base)
    found.keys.update(keys.leading(*target) for _, target in leading(resource, base))
    _walk(_tree(type_), resource, found)
    for derive in derived.of(type_):
        derive(resource, found)
    return Indexed(
        sorted(found.keys), sorted(found.dates), sorted(found.strings), sorted(found.numbers), _orders(found)
    )


def _orders(found: Found) -> dict[str, str]:
    ends = sorted(found.orders.items())
    last = {f"-{code}": last for code, (first, last) in ends if last != first}
    return {code: first for code, (first, _) in ends} | last


def _walk(node: _Node, value: Json, found: Found) -> None:
    for emitted in node.emits:
        emitted(value, found)
    for guard, inner in node.guarded:
        if _holds(guard, value):
            _walk(inner, value, found)
    members = node.members
    if members and isinstance(value, dict):
        for name, member in value.items():
            inner_node = members.get(name)
            if inner_node is None:
                continue
            if isinstance(member, list):
                for one in member:
                    if one is not None:
                        _walk(inner_node, one, found)
            else:
                _walk(inner_node, member, found)


def _holds(guard: Guard, value: Json) -> bool:
    if guard.kind == "resolve":
        return refers_to(value, guard.text)
    if guard.kind == "equals":
        return guard.text in _at(value, guard.name)
    found = [one for one in _at(value, "extension") if isinstance(one, dict) and one.get("url") == guard.text]
    return any(guard.kind == "extended" or one.get("valueBoolean") is True for one in found)


def _at(value: Json, path: str) -> list[Json]:
    """The values at a path of plain keys."""
    found = [value]
    for key in path.split("."):
        found = [one for v in found if isinstance(v, dict) and key in v for one in each(v[key])]
    return found


@cache
def _tree(type_: str) -> _Node:
    root = _Node()
    for parameter in parameters(type_).values():
        if parameter.code in ("_id", "_lastUpdated") or derived.knows(parameter):
            continue
        for route, emitted in _emitters(parameter):
            _place(root, route.steps).emits.append(emitted)
    return root


def unreadable(type_: str) -> list[str]:
    """Codes of the parameters of a type that nothing here can evaluate: not offered to searches."""
    return [p.code for p in parameters(type_).values() if not _readable(p)]


def _readable(parameter: Parameter) -> bool:
    if parameter.code in ("_id", "_lastUpdated") or derived.knows(parameter):
        return True
    return bool(_emitters(parameter))


def _emitters(parameter: Parameter) -> list[tuple[Route, Emit]]:
    try:
        if parameter.type == "composite":
            return composites.emitters(parameter)
        found = [_value_of(route) for route in routes(parameter.expression, parameter.base)]
        pairs = ((route, emit.emitter(parameter, route)) for group in found for route in group)
        return [(route, emitted) for route, emitted in pairs if emitted is not None]
    except Unreadable:
        return []


def _value_of(route: Route) -> list[Route]:
    """An Extension is found by its value."""
    if route.type != "Extension":
        return [route]
    value = r4.structure("Extension").by_name["value"]
    return [Route((*route.steps, value.key(type_)), type_) for type_ in value.types]


def _place(node: _Node, steps: tuple[Step, ...]) -> _Node:
    for step in steps:
        node = node.members.setdefault(step, _Node()) if isinstance(step, str) else _guarded(node, step)
    return node


def _guarded(node: _Node, guard: Guard) -> _Node:
    for known, inner in node.guarded:
        if known == guard:
            return inner
    inner = _Node()
    node.guarded.append((guard, inner))
    return inner
