"""R4's own rules compiled for one pass: what a JSON object of a type may hold under each key."""

from dataclasses import dataclass, field
from functools import cached_property

from service.fhir import r4
from service.fhir.json import JsonObject
from service.fhir.validate.primitives import CHECKS, Check


@dataclass(frozen=True, slots=True)
class Invariant:
    """A constraint: its key, severity, FHIRPath, what it means, and where it is written."""

    key: str
    severity: str
    expression: str
    human: str
    source: str


@dataclass(frozen=True)
class Child:
    """What stands under one JSON key of a type."""

    key: str
    segment: str
    type: str
    many: bool
    element: r4.Element
    check: Check | None
    binding: str
    invariants: tuple[Invariant, ...]
    targets: frozenset[str]
    profiles: tuple[str, ...]
    choice: bool

    @cached_property
    def node(self) -> "Node":
        """The rules for an object under this key."""
        return node(self.type)

    @cached_property
    def plain(self) -> bool:
        """True when the lexical check is all there is to a primitive."""
        return not (self.binding or self.invariants or self.type == "xhtml")

    @cached_property
    def bare(self) -> bool:
        """True when the type's own rules are all there is to an object."""
        return not (self.binding or self.invariants or self.profiles)


@dataclass(frozen=True)
class Need:
    """A required element: at least `least` of one of these keys."""

    name: str
    keys: tuple[str, ...]
    siblings: tuple[str, ...]
    least: int
    most: int | None


@dataclass(frozen=True)
class Node:
    """The rules of one type or nested structure."""

    name: str
    kind: str
    source: str
    lineage: tuple[str, ...]
    children: dict[str, Child]
    siblings: dict[str, Child]
    needs: tuple[Need, ...]
    limits: tuple[Need, ...]
    invariants: tuple[Invariant, ...]
    structure: r4.Structure = field(repr=False)


_nodes: dict[str, Node] = {}


def node(name: str) -> Node:
    """The compiled rules of a type (`Patient`), compiled on first use; KeyError for an unknown type."""
    found = _nodes.get(name)
    if found is None:
        found = _nodes[name] = _compile(r4.structure(name))
    return found


def page(path: str) -> str:
    """The page of the standard that defines a type or nested structure."""
    name = path.partition(".")[0]
    if r4.is_resource(name) or name in ("Resource", "DomainResource"):
        return f"https://hl7.org/fhir/R4/{name.lower()}.html"
    pages = {
        "Extension": "extensibility.html",
        "Reference": "references.html",
        "Narrative": "narrative.html",
        "Meta": "resource.html#Meta",
        "Dosage": "dosage.html",
        "ElementDefinition": "elementdefinition.html",
    }
    return "https://hl7.org/fhir/R4/" + pages.get(name, f"datatypes.html#{name}")


def invariants_of(row: JsonObject, source: str, known: frozenset[str] = frozenset()) -> tuple[Invariant, ...]:
    """The constraints of a row that are not among `known` expressions."""
    return tuple(
        Invariant(key, severity, expression, human, source)
        for key, severity, expression, human in row.get("constraints", ())
        if expression not in known
    )


def targets_of(element: r4.Element) -> frozenset[str]:
    """The resource types a reference may point to; empty when any."""
    urls = [
        url for t in element.facts.get("types", ()) if t["code"] == "Reference" for url in t.get("target", ())
    ]
    found = frozenset(url.removeprefix(r4.BASE) for url in urls)
    return frozenset() if "Resource" in found else found


def _compile(structure: r4.Structure) -> Node:
    source = page(structure.name)
    children = {key: _child(key, slot, source) for key, slot in structure.by_key.items()}
    counted = [(e, tuple(e.key(t) for t in e.types)) for e in structure.elements]
    needs = tuple(_need(e, keys) for e, keys in counted if e.min > 0)
    limits = tuple(_need(e, keys) for e, keys in counted if e.max not in (None, 0, 1))
    top = structure.name.partition(".")[0]
    lineage = (
        r4.ancestors(top) if structure.kind != "element" else (structure.name, structure.base, "Element")
    )
    return Node(
        name=structure.name,
        kind=structure.kind,
        source=source,
        lineage=lineage,
        children=children,
        siblings={f"_{key}": child for key, child in children.items() if child.check},
        needs=needs,
        limits=limits,
        invariants=invariants_of(structure.facts, source),
        structure=structure,
    )


def _need(element: r4.Element, keys: tuple[str, ...]) -> Need:
    return Need(element.name, keys, tuple(f"_{key}" for key in keys), element.min, element.max)


def _child(key: str, slot: r4.Slot, source: str) -> Child:
    element = slot.element
    nested = "." in slot.type
    own = frozenset(c[2] for c in r4.structure(slot.type).facts.get("constraints", ()))
    return Child(
        key=key,
        segment=f"{element.name}.ofType({slot.type})" if element.choice else element.name,
        type=slot.type,
        many=element.many,
        element=element,
        check=CHECKS.get(slot.type),
        binding=element.facts.get("binding", ""),
        invariants=() if nested else invariants_of(element.facts, source, own),
        targets=targets_of(element) if slot.type == "Reference" else frozenset(),
        profiles=tuple(
            url
            for t in element.facts.get("types", ())
            if t["code"] == slot.type
            for url in t.get("profile", ())
        ),
        choice=element.choice,
    )
