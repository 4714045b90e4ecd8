"""Which search parameters a type has: R4's, SDOHCC's two, and those of packages we add.

Data from `fhir_profiles/search`, built by `scripts/build_search_parameters.py`.
https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from service.fhir import r4
from service.fhir.json import JsonObject
from service.fhir.shelf import Shelf, data_folder, read_shelf

Kind = Literal["token", "reference", "string", "date", "number", "quantity", "uri", "composite", "special"]

SYSTEMWIDE = ("_id", "_lastUpdated", "_profile", "_security", "_source", "_tag")
"""What may be asked of all types at once."""


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite: its type, and the expression relative to the composite's element."""

    type: Kind
    expression: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter of one resource type, its `base`; `type` is as in SearchParameter.type.

    `targets` is empty when a reference may point to any type.
    """

    base: str
    code: str
    type: Kind
    expression: str
    url: str
    targets: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()


@cache
def _shelf() -> Shelf:
    return read_shelf(data_folder() / "search" / "parameters.ndjson.gz")


@cache
def parameters(type_: str) -> Mapping[str, Parameter]:
    """The parameters of a resource type by code; those every type has come first. Empty for no R4 type."""
    if not r4.is_resource(type_):
        return {}
    rows = {**_shelf()["*"], **(_shelf().get(type_) or {})}
    return {code: _parameter(type_, code, row) for code, row in rows.items()}


def _parameter(type_: str, code: str, row: JsonObject) -> Parameter:
    components = tuple(Component(c["type"], c["expression"]) for c in row.get("components", ()))
    return Parameter(
        type_, code, row["type"], row["expression"], row["url"], tuple(row.get("target", ())), components
    )


@cache
def compartment(name: str) -> Mapping[str, tuple[str, ...]]:
    """Type → the reference parameters that put it in this compartment (`Patient`); empty for none."""
    rows = _shelf().get(f"Compartment|{name}") or {}
    return {type_: tuple(codes) for type_, codes in rows.items()}


@cache
def summary(type_: str) -> frozenset[str]:
    """The top-level elements (`value[x]` for a choice) that `_summary=true` shows of a type."""
    return frozenset((_shelf().get(f"Summary|{type_}") or {"elements": ()})["elements"])
