"""FHIR R4 as a table: which elements a type has, in which order, of which types, under which JSON key.

Public to everything in `service.fhir` (validator, FHIRPath, XML, search):

    structure("Patient").elements            ordered children, `Element` each
    structure("Patient").by_key["deceasedBoolean"]   → Slot(element, "boolean")
    structure("Patient.contact")             nested structures are named by their path
    structure("Questionnaire.item.item")     a contentReference answers with what it points to
    resource_types()  is_primitive("code")  is_resource("Task")  ancestors("Age")

Built from hl7.fhir.r4.core 4.0.1 by `scripts/build_r4_table.py`; decoded type by type on first use.
"""

from dataclasses import dataclass
from functools import cache, cached_property

from service.fhir.json import JsonObject
from service.fhir.shelf import Shelf, data_folder, read_shelf

BASE = "http://hl7.org/fhir/StructureDefinition/"

PRIMITIVES = frozenset((
    "base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant", "integer",
    "markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url", "uuid", "xhtml",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Element:
    """One child element of a structure.

    `name` is the element's name without `[x]`; `types` are FHIR type names, or the path of a nested
    structure (`("Patient.contact",)`); `declared` are the type codes as published (`("BackboneElement",)`,
    empty for a content reference). `attribute`: written as an XML attribute. `facts`: the slim row, for
    the validator.
    """

    name: str
    path: str
    types: tuple[str, ...]
    declared: tuple[str, ...]
    min: int
    max: int | None
    choice: bool
    attribute: bool
    facts: JsonObject

    @property
    def many(self) -> bool:
        """True when JSON writes an array."""
        return self.max is None or self.max > 1

    def key(self, type_name: str) -> str:
        """The JSON key for a value of this type: `valueQuantity` for a choice, the name otherwise."""
        return self.name + type_name[0].upper() + type_name[1:] if self.choice else self.name


@dataclass(frozen=True, slots=True)
class Slot:
    """What a JSON key holds: the element and the type of the value under this key."""

    element: Element
    type: str


@dataclass(frozen=True)
class Structure:
    """A type, or a nested structure of one. `kind` is resource, complex-type, primitive-type or element."""

    name: str
    kind: str
    base: str
    abstract: bool
    elements: tuple[Element, ...]
    facts: JsonObject

    @cached_property
    def by_key(self) -> dict[str, Slot]:
        """JSON key → what it holds, choices spelled out, in the published order."""
        return {e.key(t): Slot(e, t) for e in self.elements for t in e.types}

    @cached_property
    def by_name(self) -> dict[str, Element]:
        """Element name (without `[x]`) → element."""
        return {e.name: e for e in self.elements}


@cache
def _shelf() -> Shelf:
    return read_shelf(data_folder() / "r4" / "structures.ndjson.gz")


@cache
def _terms() -> Shelf:
    return read_shelf(data_folder() / "r4" / "terms.ndjson.gz")


def definitions() -> Shelf:
    """The slim definitions: types by name, profiles and extensions as `StructureDefinition|url`."""
    return _shelf()


def terms() -> Shelf:
    """Expanded value sets (`ValueSet|url` → system → codes) and code systems (`CodeSystem|url`)."""
    return _terms()


@cache
def resource_types() -> tuple[str, ...]:
    """The concrete resource types of R4, sorted."""
    return tuple(_shelf()["*"]["resources"])


@cache
def datatypes() -> tuple[str, ...]:
    """The datatypes of R4, primitive and complex, sorted."""
    return tuple(_shelf()["*"]["datatypes"])


@cache
def _resource_set() -> frozenset[str]:
    return frozenset(resource_types())


def is_resource(name: object) -> bool:
    """True for the name of a concrete R4 resource type."""
    return name in _resource_set()


def is_primitive(name: str) -> bool:
    """True for a primitive FHIR type."""
    return name in PRIMITIVES


@cache
def ancestors(name: str) -> tuple[str, ...]:
    """The type and what it specialises, nearest first: Age, Quantity, Element."""
    chain = [name]
    while (base := structure(chain[-1]).base) and base in _shelf():
        chain.append(base)
    return tuple(chain)


@cache
def _tree(name: str) -> dict[str, Structure]:
    facts = _shelf()[name]
    children: dict[str, list[Element]] = {name: []}
    heads: dict[str, JsonObject] = {name: facts["rows"][0]}
    for row in facts["rows"][1:]:
        path = row["path"]
        parent = path.rpartition(".")[0]
        element = _element(row)
        children.setdefault(parent, []).append(element)
        if element.types == (path,):
            heads[path] = row
    return {path: _structure(path, facts, heads[path], children.get(path, [])) for path in heads}


def _structure(path: str, facts: JsonObject, head: JsonObject, children: list[Element]) -> Structure:
    if "." not in path:
        return Structure(path, facts["kind"], facts.get("base", ""), facts["abstract"], tuple(children), head)
    return Structure(path, "element", head["types"][0]["code"], False, tuple(children), head)


def _element(row: JsonObject) -> Element:
    path: str = row["path"]
    name = path.rpartition(".")[2]
    choice = name.endswith("[x]")
    declared = tuple(t["code"] for t in row.get("types", ()))
    return Element(
        name=name.removesuffix("[x]"),
        path=path,
        types=_types(path, row, declared),
        declared=declared,
        min=row["min"],
        max=None if row["max"] == "*" else int(row["max"]),
        choice=choice,
        attribute=bool(row.get("attribute")),
        facts=row,
    )


def _types(path: str, row: JsonObject, declared: tuple[str, ...]) -> tuple[str, ...]:
    if "reference" in row:
        return (row["reference"],)
    if declared in (("BackboneElement",), ("Element",)):
        return (path,)
    if declared == ("*",):
        return tuple(_shelf()["*"]["open"])
    return declared


@cache
def structure(name: str) -> Structure:
    """The structure of a type (`Patient`) or of a nested element by its path; KeyError when R4 has none."""
    tree = _tree(name.partition(".")[0])
    found = tree.get(name)
    return found if found is not None else _referenced(tree, name)


def _referenced(tree: dict[str, Structure], name: str) -> Structure:
    parent, _, last = name.rpartition(".")
    if not parent:
        raise KeyError(name)
    element = structure(parent).by_name[last]
    return structure(element.types[0])


def find(name: str) -> Structure | None:
    """As `structure`, None when there is no such type."""
    try:
        return structure(name)
    except KeyError:
        return None


def short_name(url: str) -> str | None:
    """`Patient` for R4's own canonical of Patient, otherwise None."""
    name = url.removeprefix(BASE)
    return name if name != url and name in _shelf() else None
