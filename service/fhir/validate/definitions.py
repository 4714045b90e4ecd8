"""Everything the validator knows: R4 and the guides, found by canonical, compiled when first needed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from service.fhir import r4
from service.fhir.json import Json, JsonObject
from service.fhir.shelf import Shelf
from service.fhir.validate.terms import Bounds, Codes, Links, bounds_of_compose, reached
from service.fhir.validate.tree import Branch, grow

_SHORT_LIST = 14


@dataclass(frozen=True, slots=True)
class ValueSet:
    """The codes of a value set by system. `any_system` serves elements of type code.

    `open`: systems of which it includes codes nobody here can tell.
    """

    url: str
    systems: dict[str, frozenset[str]]
    any_system: frozenset[str]
    open: frozenset[str] = frozenset()

    @property
    def listing(self) -> str:
        """The codes for a message when they are few, otherwise their number or their systems."""
        if self.open:
            return "a code of " + " or ".join(sorted({*self.systems, *self.open}))
        if len(self.any_system) <= _SHORT_LIST:
            return "one of " + ", ".join(sorted(self.any_system))
        return f"one of its {len(self.any_system)} codes"


class Definitions:
    """Shelves searched in order, the first that knows a canonical wins. Stateless to its callers."""

    def __init__(self, shelves: Sequence[Shelf] = ()) -> None:
        self._shelves = (*shelves, r4.definitions())
        self._terms = (*shelves, r4.terms())
        self._trees: dict[str, Branch | None] = {}
        self._sets: dict[str, ValueSet | None] = {}
        self._systems: dict[str, frozenset[str] | None] = {}
        self._compiled: dict[str, Any] = {}

    def find(self, canonical: str) -> JsonObject | None:
        """The slim StructureDefinition of a canonical (a `|version` is ignored), None when unknown."""
        url = canonical.partition("|")[0]
        key = f"StructureDefinition|{url}"
        for shelf in self._shelves:
            if key in shelf:
                return shelf[key]
        name = r4.short_name(url)
        return r4.definitions()[name] if name else None

    def version_of(self, canonical: str) -> str:
        """The business version of what we hold under this canonical, if it says one."""
        found = self.find(canonical)
        return str(found.get("version", "")) if found else ""

    def knows(self, canonical: str) -> bool:
        """True when the canonical can be checked, without decoding it."""
        url = canonical.partition("|")[0]
        key = f"StructureDefinition|{url}"
        return any(key in shelf for shelf in self._shelves) or r4.short_name(url) is not None

    def profiles(self) -> Iterable[str]:
        """The canonicals of every profile and extension known."""
        for shelf in self._shelves:
            for key in shelf:
                if key.startswith("StructureDefinition|"):
                    yield key.partition("|")[2]

    def beside(self, canonical: str) -> list[str]:
        """The profiles known from the same place as an unknown one, to suggest from."""
        place = canonical.rpartition("/")[0] + "/"
        return [url for url in self.profiles() if url.startswith(place)]

    def type_of(self, canonical: str) -> str:
        """The type a profile constrains (`Patient`), empty when unknown."""
        url = canonical.partition("|")[0]
        name = r4.short_name(url)
        if name:
            return name
        found = self.find(url)
        return str(found["type"]) if found else ""

    def tree(self, canonical: str) -> Branch | None:
        """The snapshot of a profile as a tree of elements and slices."""
        url = canonical.partition("|")[0]
        if url not in self._trees:
            found = self.find(url)
            self._trees[url] = grow(found) if found else None
        return self._trees[url]

    def compiled(self, canonical: str, compile_: Callable[[str], Any]) -> Any:
        """What `compile_` makes of a canonical, made once."""
        if canonical not in self._compiled:
            self._compiled[canonical] = compile_(canonical)
        return self._compiled[canonical]

    def value_set(self, canonical: str) -> ValueSet | None:
        """The codes of a value set; None when it is unknown or nothing can be told of it offline."""
        if canonical not in self._sets:
            self._sets[canonical] = self._value_set(canonical.partition("|")[0])
        return self._sets[canonical]

    def _value_set(self, url: str) -> ValueSet | None:
        bounds = self._bounds(url)
        if bounds is None:
            return None
        systems = {name: frozenset(codes) for name, codes in bounds.items() if codes is not None}
        open_ = frozenset(name for name, codes in bounds.items() if codes is None)
        return ValueSet(url, systems, frozenset().union(*systems.values()), open_)

    def _held(self, kind: str, url: str) -> JsonObject | None:
        key = f"{kind}|{url}"
        return next((shelf[key] for shelf in self._terms if key in shelf), None)

    def _bounds(self, url: str, within: tuple[str, ...] = ()) -> Bounds | None:
        """What a value set holds, composed across packages where it was not expanded in its own."""
        held = self._held("ValueSet", url)
        if held is None or url in within:
            return None
        if "compose" in held:
            return bounds_of_compose(held, self._system, lambda other: self._bounds(other, (*within, url)))
        bounds: Bounds | None = held.get("codes", held.get("bounds"))
        return bounds

    def _system(self, url: str) -> Codes | None:
        held = self._held("CodeSystem", url)
        codes: Codes | None = held["codes"] if held else None
        return codes

    def code_system(self, url: str) -> frozenset[str] | None:
        """Every code of a code system; None when it is unknown or not held in full."""
        if url not in self._systems:
            codes = self._system(url)
            self._systems[url] = frozenset(codes[url]) if codes else None
        return self._systems[url]

    def below(self, system: str, code: str) -> frozenset[str] | None:
        """The code and every one it subsumes; None for a system not held in full, or a code that is not its."""
        return self._kin(system, code, _reversed)

    def above(self, system: str, code: str) -> frozenset[str] | None:
        """The code and every one that subsumes it; None as for `below`."""
        return self._kin(system, code, lambda parents: parents)

    def _kin(self, system: str, code: str, way: Callable[[Links], Links]) -> frozenset[str] | None:
        if code not in (self.code_system(system) or ()):
            return None
        parents: Links = (self._held("CodeSystem", system) or {}).get("parents", {})
        return frozenset({code, *reached(way(parents), code)})

    def member_of(self, value: Json, canonical: str) -> bool | None:
        """Is a code, Coding or CodeableConcept in a value set? None when that cannot be decided."""
        known = self.value_set(canonical)
        if known is None:
            return None
        if isinstance(value, str):
            return True if value in known.any_system else None if known.open else False
        if not isinstance(value, dict):
            return False
        listed = value.get("coding", [value]) if "code" not in value else [value]
        listed = listed if isinstance(listed, list) else []
        codings = [coding for coding in listed if isinstance(coding, dict)]
        if any(in_set(coding, known) for coding in codings):
            return True
        return None if any(may_be_in_set(coding, known) for coding in codings) else False


def _reversed(parents: Links) -> Links:
    found: Links = {}
    for code, above in parents.items():
        for each in above:
            found.setdefault(each, []).append(code)
    return found


def in_set(coding: JsonObject, known: ValueSet) -> bool:
    """Is a Coding (or a Quantity's system and code) among these codes?"""
    code, system = coding.get("code"), coding.get("system")
    if not isinstance(code, str):
        return False
    return isinstance(system, str) and code in known.systems.get(system, ())


def may_be_in_set(coding: JsonObject, known: ValueSet) -> bool:
    """Is a Coding of a system of which nobody here can tell the codes?"""
    code, system = coding.get("code"), coding.get("system")
    return isinstance(code, str) and isinstance(system, str) and system in known.open
