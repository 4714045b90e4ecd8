"""Terminology as data: the CodeSystems and ConceptMaps of `fhir_profiles/`, read once when the service
starts.

A code without a map is carried with its own system and as text, and reported. Dropping a ConceptMap of the same source
system into a folder of CASEBRIDGE_GUIDES maps it; no code changes. The later file of the same url wins.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import service
from service.fhir.json import JsonObject, decode_object
from service.mapping.names import CANONICAL

_FOLDERS: Final = ("terms", "package")
_EQUIVALENCES: Final = (
    "equal",
    "equivalent",
    "wider",
    "subsumes",
    "relatedto",
    "narrower",
    "specializes",
    "inexact",
)
"""Best first; `unmatched` and `disjoint` are no translation."""


class BadTerms(ValueError):
    """The terminology contradicts itself: a map from an unknown code, two maps of one url in one folder."""


@dataclass(frozen=True)
class Terms:
    """Displays of our codes, and translations both ways."""

    displays: dict[tuple[str, str], str] = field(default_factory=dict)
    forward: dict[tuple[str, str], dict[str, list[JsonObject]]] = field(default_factory=dict)
    """(map id, source code) → target system → codings, best first."""
    backward: dict[tuple[str, str, str], list[tuple[int, str]]] = field(default_factory=dict)
    """(map id, target system, target code) → (rank, source code), best first."""
    foreign: dict[tuple[str, str], dict[str, JsonObject]] = field(default_factory=dict)
    """(source system that is not ours, code) → target system → coding: what an operator's maps say."""

    def display(self, system: str, code: str) -> str | None:
        """What people call this code."""
        return self.displays.get((system, code))

    def coding(self, system: str, code: str) -> JsonObject:
        """A Coding, with its display where we know it."""
        display = self.display(system, code)
        return {"system": system, "code": code, **({"display": display} if display else {})}

    def translate(self, concept_map: str, code: str) -> list[JsonObject]:
        """Codings this code has in the map's target systems, the best of each system; empty when unmapped."""
        return [dict(targets[0]) for targets in self.forward.get((concept_map, code), {}).values()]

    def translate_all(self, concept_map: str, code: str) -> list[JsonObject]:
        """Every coding this code has in the map."""
        return [dict(c) for targets in self.forward.get((concept_map, code), {}).values() for c in targets]

    def translate_coding(self, system: str | None, code: str | None) -> list[JsonObject]:
        """What any map from a system that is not ours says of this code; empty when unmapped."""
        return [dict(coding) for coding in self.foreign.get((system or "", code or ""), {}).values()]

    def untranslate(self, concept_map: str, codings: Iterable[JsonObject]) -> str | None:
        """The source code these codings translate back to; the best of the first coding that is known."""
        for coding in codings:
            found = self.backward.get((concept_map, coding.get("system", ""), coding.get("code", "")))
            if found:
                return found[0][1]
        return None


def load(folder: Path, added: Iterable[Path] = ()) -> Terms:
    """All CodeSystems and ConceptMaps below `folder` and in the folders `added`, cross-checked; BadTerms says which
    file and code."""
    terms = Terms()
    resources = {resource["url"]: resource for resource in _resources(folder)}
    for more in added:
        resources |= {resource["url"]: resource for resource in _resources(more, (".", "package"))}
    for resource in resources.values():
        if resource["resourceType"] == "CodeSystem":
            terms.displays.update(_displays(resource["url"], resource.get("concept", [])))
    for resource in resources.values():
        if resource["resourceType"] == "ConceptMap":
            _add(terms, resource)
    for found in terms.backward.values():
        found.sort()
    return terms


_added: list[Path] = []


@cache
def terms() -> Terms:
    """The terminology shipped with the service, and what the operator added."""
    here = Path(service.__file__).parent
    packaged = here / "_data" / "fhir_profiles"
    return load(packaged if packaged.is_dir() else here.parent / "fhir_profiles", _added)


def use(added: Iterable[Path]) -> None:
    """Map with the operator's folders too, from now on. BadTerms when they contradict what is there."""
    wanted = [folder for folder in added if folder.is_dir()]
    if wanted != _added:
        _added[:] = wanted
        terms.cache_clear()
        terms()


def _resources(folder: Path, names: Iterable[str] = _FOLDERS) -> Iterator[JsonObject]:
    for name in names:
        paths = (folder / name).glob("*.json")
        for path in sorted(p for p in paths if p.name.startswith(("CodeSystem-", "ConceptMap-"))):
            yield decode_object(path.read_bytes())


def _displays(system: str, concepts: list[JsonObject]) -> Iterator[tuple[tuple[str, str], str]]:
    for concept in concepts:
        yield (system, concept["code"]), str(concept.get("display", concept["code"]))
        yield from _displays(system, concept.get("concept", []))


def _add(terms: Terms, concept_map: JsonObject) -> None:
    name = concept_map["id"]
    for group in concept_map.get("group", []):
        source, target = group["source"], group["target"]
        for element in group["element"]:
            code = element["code"]
            if source.startswith(CANONICAL) and (source, code) not in terms.displays:
                raise BadTerms(f"ConceptMap {name} maps {code}, which {source} does not have")
            for row in sorted(element.get("target", []), key=_rank):
                _add_row(terms, name, code, target, row)
                if not source.startswith(CANONICAL) and row["equivalence"] in _EQUIVALENCES:
                    held = terms.foreign.setdefault((source, code), {})
                    held.setdefault(target, {k: v for k, v in (("system", target), ("code", row["code"]),
                                                               ("display", row.get("display"))) if v})  # fmt: skip


def _add_row(terms: Terms, name: str, code: str, target: str, row: JsonObject) -> None:
    if row["equivalence"] not in _EQUIVALENCES:
        return
    display: dict[str, Any] = {"display": row["display"]} if "display" in row else {}
    coding = {"system": target, "code": row["code"], **display}
    terms.forward.setdefault((name, code), {}).setdefault(target, []).append(coding)
    terms.backward.setdefault((name, target, row["code"]), []).append((_rank(row), code))


def _rank(row: JsonObject) -> int:
    equivalence = row["equivalence"]
    return _EQUIVALENCES.index(equivalence) if equivalence in _EQUIVALENCES else len(_EQUIVALENCES)
