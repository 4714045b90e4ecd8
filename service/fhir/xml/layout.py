"""How a structure lies in XML: which JSON keys it has, in which order, and what stands under each."""

from dataclasses import dataclass
from functools import cache

from service.fhir.r4 import Structure, find, is_primitive, is_resource

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"


@dataclass(frozen=True, slots=True)
class Child:
    """One JSON key of a structure. `kind`: primitive, complex, resource (a wrapper around one) or xhtml."""

    key: str
    type: str
    kind: str
    many: bool
    attribute: bool
    order: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A structure's children by JSON key, which is also their XML name."""

    name: str
    children: dict[str, Child]
    is_resource: bool


@cache
def layout(name: str) -> Layout | None:
    """The layout of an R4 type or nested structure, None when there is none of that name."""
    structure = find(name)
    return None if structure is None else _layout(structure)


def _layout(structure: Structure) -> Layout:
    children: dict[str, Child] = {}
    for order, (key, slot) in enumerate(structure.by_key.items()):
        kind = _kind(slot.type)
        children[key] = Child(key, slot.type, kind, slot.element.many, slot.element.attribute, order)
    return Layout(structure.name, children, is_resource(structure.name))


def _kind(name: str) -> str:
    if name == "xhtml":
        return "xhtml"
    if name in ("Resource", "DomainResource"):
        return "resource"
    return "primitive" if is_primitive(name) else "complex"
