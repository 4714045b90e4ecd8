"""What type something is, and whether that is the type asked for.

FHIR types come from the JSON (choice keys, `resourceType`) and from the R4 table; literals and results of
functions have System types (http://hl7.org/fhirpath/N1/#types-and-reflection).
"""

from decimal import Decimal
from functools import lru_cache
from typing import Any

from service.fhir import r4
from service.fhir.fhirpath.node import Node
from service.fhir.fhirpath.quantity import Quantity
from service.fhir.fhirpath.temporal import Temporal, parse, parse_time

SYSTEM = frozenset(("Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity", "Any"))
_IMPLICIT = {
    "Boolean": frozenset(("boolean",)),
    "String": frozenset(
        ("string", "code", "id", "markdown", "uri", "url", "canonical", "uuid", "oid", "base64Binary")
    ),
    "Integer": frozenset(("integer", "positiveInt", "unsignedInt")),
    "Decimal": frozenset(("decimal",)),
    "Date": frozenset(("date",)),
    "DateTime": frozenset(("dateTime", "instant")),
    "Time": frozenset(("time",)),
}
_TEXTS = _IMPLICIT["String"] | {"xhtml"}


@lru_cache(maxsize=8192)
def child_type(parent: str, key: str) -> str:
    """The type of `parent.key` (a JSON key) in R4: a type name or a nested path; "" where R4 has none."""
    structure = r4.find(parent) if parent else None
    slot = structure.by_key.get(key) if structure else None
    return slot.type if slot else ""


@lru_cache(maxsize=1024)
def lineage(name: str) -> tuple[str, ...]:
    """The type and everything it specialises."""
    structure = r4.find(name) if name else None
    if structure is None:
        return (name,)
    return r4.ancestors(name) if "." not in name else (name, *r4.ancestors(structure.base or "Element"))


def type_of(item: Any) -> str:
    """The FHIR type of an element, `System.…` for a value that is none, "" for an element of unknown type."""
    if type(item) is Node:
        value = item.value
        if type(value) is dict and "resourceType" in value:
            return str(value["resourceType"])
        return item.type
    if type(item) is dict:
        return str(item.get("resourceType", ""))
    return _system(item)


def _system(value: Any) -> str:
    if type(value) is bool:
        return "System.Boolean"
    if type(value) is int:
        return "System.Integer"
    if isinstance(value, Decimal):
        return "System.Decimal"
    if type(value) is Quantity:
        return "System.Quantity"
    if type(value) is Temporal:
        return "System." + value.kind[0].upper() + value.kind[1:]
    return "System.String"


def known(name: str) -> bool:
    """True for a type that `is`, `as` and `ofType` may name."""
    space, _, bare = name.rpartition(".")
    if space == "System":
        return bare in SYSTEM
    return space in ("", "FHIR") and (bare in SYSTEM or r4.find(bare) is not None)


def is_a(item: Any, name: str) -> bool:
    """Whether the item is of this type or of one that specialises it."""
    actual = type_of(item)
    space, _, bare = name.rpartition(".")
    if actual.startswith("System."):
        return _is_system(actual[7:], bare, space) or (space == "" and _literal_is(actual[7:], bare))
    if space == "System":
        return False
    if actual == "":
        return _looks_like(item, bare)
    # `answer is Boolean` (que-7) means the FHIR type; only `System.Boolean` means the other one.
    return bare in lineage(actual) or (space == "" and actual in _IMPLICIT.get(bare, ()))


def _is_system(actual: str, wanted: str, space: str) -> bool:
    return space != "FHIR" and wanted in (actual, "Any")


def _literal_is(actual: str, wanted: str) -> bool:
    # A value computed from FHIR primitives has lost its FHIR type; `toString() is string` should still hold.
    return wanted in _IMPLICIT.get(actual, ())


def _looks_like(item: Any, wanted: str) -> bool:
    """Without type information the shape decides."""
    value = item.value if type(item) is Node else item
    if type(value) is dict:
        structure = r4.find(wanted)
        return structure is not None and structure.kind == "complex-type" and _fits(value, structure)
    if type(value) is str:
        moment = parse(value) if wanted in ("date", "dateTime", "instant", "Date", "DateTime") else None
        if moment is not None:
            return (len(moment.parts) > 3) == (wanted == "instant") or wanted in ("dateTime", "DateTime")
        if wanted in ("time", "Time"):
            return parse_time(value) is not None
        return wanted in _TEXTS or wanted == "String"
    bare = _system(value)[7:]
    return wanted == bare or wanted in _IMPLICIT.get(bare, ())


def _fits(value: dict[str, Any], structure: r4.Structure) -> bool:
    return bool(value) and all(key.lstrip("_") in structure.by_key for key in value)
