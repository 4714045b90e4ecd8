"""Value sets as plain sets of codes, and an honest None where a value set cannot be decided offline.

An expanded value set is `{system: [codes]}`. A compose is expanded from concept lists and from code systems
known in full; a filter, or a system we do not hold (SNOMED CT, LOINC, UCUM), makes it undecidable for that
system, and only for that: a code of a system the value set does not include is outside all the same.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from service.fhir.json import JsonObject

Codes = dict[str, list[str]]
Bounds = dict[str, list[str] | None]
"""As Codes; None under a system of which some codes belong, and nobody here can tell which."""
Lookup = Callable[[str], Codes | None]


def codes_of(system: JsonObject) -> list[str] | None:
    """All codes of a CodeSystem published complete, None otherwise."""
    if system.get("content") != "complete":
        return None
    found: list[str] = []
    _walk(system.get("concept", ()), found)
    return found


def _walk(concepts: Iterable[JsonObject], found: list[str]) -> None:
    for concept in concepts:
        found.append(concept["code"])
        _walk(concept.get("concept", ()), found)


def codes_of_expansion(value_set: JsonObject) -> Codes | None:
    """The codes of a complete published expansion; None when it is cut short or absent."""
    expansion = value_set.get("expansion")
    if not expansion or "contains" not in expansion or _is_cut(expansion):
        return None
    found: Codes = {}
    _contains(expansion["contains"], found)
    return found


def _is_cut(expansion: JsonObject) -> bool:
    if any("toocostly" in e.get("url", "") for e in expansion.get("extension", ())):
        return True
    total = expansion.get("total")
    return len(expansion["contains"]) >= 1000 or (total is not None and total > _count(expansion["contains"]))


def _count(contains: Iterable[JsonObject]) -> int:
    return sum(1 + _count(c.get("contains", ())) for c in contains)


def _contains(rows: Iterable[JsonObject], found: Codes) -> None:
    for row in rows:
        if "code" in row:
            found.setdefault(row.get("system", ""), []).append(row["code"])
        _contains(row.get("contains", ()), found)


def codes_of_compose(
    value_set: JsonObject, system: Lookup, other: "BoundsLookup", filtered: "Filtered | None" = None
) -> Codes | None:
    """Expand `compose`; None where not every code can be told. Arguments as for `bounds_of_compose`."""
    found: Codes = {}
    for name, codes in (bounds_of_compose(value_set, system, other, filtered) or {"": None}).items():
        if codes is None:
            return None
        found[name] = codes
    return found


def bounds_of_compose(
    value_set: JsonObject, system: Lookup, other: "BoundsLookup", filtered: "Filtered | None" = None
) -> Bounds | None:
    """What `compose` can hold at most; None when that cannot be told.

    `system` gives a code system's codes, `other` another value set's bounds, `filtered` the codes of an
    include with filters.
    """
    compose = value_set.get("compose")
    if not compose:
        return None
    look = _Lookups(system, other, filtered or (lambda _: None))
    found: Bounds = {}
    for part in compose.get("include", ()):
        bounds = look.part(part)
        if bounds is None:
            return None
        for name, codes in bounds.items():
            before = found.get(name, [])
            found[name] = None if codes is None or before is None else sorted({*before, *codes})
    for part in compose.get("exclude", ()):
        _without(found, look.part(part))
    return found


def _without(found: Bounds, bounds: Bounds | None) -> None:
    for name, codes in found.items():
        taken = None if bounds is None else bounds.get(name, [])
        found[name] = None if codes is None or taken is None else sorted(set(codes).difference(taken))


class _Lookups(NamedTuple):
    system: Lookup
    other: "BoundsLookup"
    filtered: "Filtered"

    def part(self, part: JsonObject) -> Bounds | None:
        """One include or exclude: its system and its value sets must all agree."""
        parts: list[Bounds | None] = [self.other(url.partition("|")[0]) for url in part.get("valueSet", ())]
        if "system" in part:
            parts.append({part["system"]: self.own(part)})
        told = [each for each in parts if each is not None]
        if not told:
            return None if parts else {}
        first, *rest = told
        return {
            name: None if len(told) < len(parts) else _agreed([each[name] for each in told])
            for name in first
            if all(name in each for each in rest)
        }

    def own(self, part: JsonObject) -> list[str] | None:
        if part.get("filter"):
            return self.filtered(part)
        if "concept" in part:
            return [c["code"] for c in part["concept"]]
        return (self.system(part["system"]) or {}).get(part["system"])


def _agreed(lists: list[list[str] | None]) -> list[str] | None:
    known = [each for each in lists if each is not None]
    return None if len(known) < len(lists) else sorted(set(known[0]).intersection(*known[1:]))


def codes_of_filter(system: JsonObject, filters: Iterable[JsonObject]) -> list[str] | None:
    """The codes of a complete CodeSystem that pass filters on its hierarchy or its properties.

    https://hl7.org/fhir/R4/valueset-filter-operator.html; None for a filter not understood here.
    """
    if system.get("content") != "complete":
        return None
    parents = parents_of(system)
    found = [(each, tuple(reached(parents, each["code"]))) for each in _concepts(system.get("concept", ()))]
    for each in filters:
        test = _test(str(each.get("op")), str(each.get("property")), str(each.get("value")))
        if test is None:
            return None
        found = [pair for pair in found if test(*pair)]
    return [concept["code"] for concept, _ in found]


Concept = Callable[[JsonObject, tuple[str, ...]], bool]
"""Does a concept, with the codes above it, pass?"""


def _concepts(concepts: Iterable[JsonObject]) -> Iterator[JsonObject]:
    for concept in concepts:
        yield concept
        yield from _concepts(concept.get("concept", ()))


Links = dict[str, list[str]]
"""A code to the codes directly above (or below) it."""


def parents_of(system: JsonObject) -> Links:
    """What stands directly above each code: by nesting, or by a property `parent`, `subsumedBy` or `child`.

    https://hl7.org/fhir/R4/codesystem.html#hierarchy; codes at the top are left out. A hierarchy that is none of
    kinds (`part-of`, `grouped-by`) says nothing about what a code means, and is not followed.
    """
    if system.get("hierarchyMeaning", "is-a") not in ("is-a", "classified-with"):
        return {}
    found: dict[str, dict[str, None]] = {}
    for concept in _concepts(system.get("concept", ())):
        code = concept["code"]
        for inner in concept.get("concept", ()):
            found.setdefault(inner["code"], {})[code] = None
        for name in ("parent", "subsumedBy"):
            for above in _properties(concept, name):
                found.setdefault(code, {})[above] = None
        for below in _properties(concept, "child"):
            found.setdefault(below, {})[code] = None
    return {code: list(above) for code, above in found.items()}


def reached(links: Links, code: str) -> dict[str, None]:
    """Every code that links lead to from this one, the nearest first; circles end."""
    found: dict[str, None] = {}
    frontier = links.get(code, [])
    while frontier:
        found.update(dict.fromkeys(frontier))
        frontier = [
            far for near in frontier for far in links.get(near, []) if far not in found and far != code
        ]
    return found


def _test(op: str, property_: str, value: str) -> Concept | None:
    if property_ in ("concept", "code"):
        hierarchy: dict[str, Concept] = {
            "is-a": lambda concept, above: value in (concept["code"], *above),
            "descendent-of": lambda _, above: value in above,
            "is-not-a": lambda concept, above: value not in (concept["code"], *above),
            "=": lambda concept, _: bool(concept["code"] == value),
            "in": lambda concept, _: concept["code"] in value.split(","),
            "not-in": lambda concept, _: concept["code"] not in value.split(","),
        }
        return hierarchy.get(op)
    if op == "=":
        return lambda concept, _: value in _properties(concept, property_)
    return None


def _properties(concept: JsonObject, code: str) -> list[str]:
    listed = [each for each in concept.get("property", ()) if each.get("code") == code]
    values = [value for each in listed for key, value in each.items() if key.startswith("value")]
    return [
        str(v.get("code")) if isinstance(v, dict) else str(v).lower() if v in (True, False) else str(v)
        for v in values
    ]


BoundsLookup = Callable[[str], Bounds | None]
Filtered = Callable[[JsonObject], list[str] | None]
