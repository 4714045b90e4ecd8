"""Value sets as plain sets of codes, and an honest None where a value set cannot be decided offline.

An expanded value set is `{system: [codes]}`. A compose is expanded from concept lists and from code systems
known in full; a filter, or a system we do not hold (SNOMED CT, LOINC, UCUM), makes it undecidable.
"""

from collections.abc import Callable, Iterable
from typing import Any

from service.fhir.json import JsonObject

Codes = dict[str, list[str]]
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


def codes_of_compose(value_set: JsonObject, system: Lookup, other: Lookup) -> Codes | None:
    """Expand `compose`; `system` gives a code system's codes and `other` another value set's."""
    compose = value_set.get("compose")
    if not compose:
        return None
    found: dict[str, set[str]] = {}
    for part in compose.get("include", ()):
        codes = _part(part, system, other)
        if codes is None:
            return None
        for name, members in codes.items():
            found.setdefault(name, set()).update(members)
    for part in compose.get("exclude", ()):
        codes = _part(part, system, other)
        if codes is None:
            return None
        for name, members in codes.items():
            found.get(name, set()).difference_update(members)
    return {name: sorted(members) for name, members in found.items()}


def _part(part: JsonObject, system: Lookup, other: Lookup) -> Codes | None:
    own = _own(part, system)
    sets: list[Any] = [other(url.partition("|")[0]) for url in part.get("valueSet", ())]
    if own is None or any(s is None for s in sets):
        return None
    if "system" in part:
        sets.append(own)
    if not sets:
        return {}
    first, *rest = sets
    return {
        name: [code for code in members if all(code in s.get(name, ()) for s in rest)]
        for name, members in first.items()
    }


def _own(part: JsonObject, system: Lookup) -> Codes | None:
    if "system" not in part:
        return {}
    if part.get("filter"):
        return None
    if "concept" in part:
        return {part["system"]: [c["code"] for c in part["concept"]]}
    return system(part["system"])
