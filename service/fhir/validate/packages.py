"""FHIR packages: a `.tgz` or a folder of a published guide, cut down to what decides validity.

https://confluence.hl7.org/display/FHIR/NPM+Package+Specification. Used for our own profiles, for the guides
we ship slimmed, and for whatever an operator adds.
"""

import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from service.fhir import r4
from service.fhir.fhirpath import BadExpression, compile
from service.fhir.json import BadJson, JsonObject, decode
from service.fhir.shelf import Shelf, shelf_of
from service.fhir.validate.apply import conforms
from service.fhir.validate.definitions import Definitions
from service.fhir.validate.overlay import compile_strictly
from service.fhir.validate.place import root
from service.fhir.validate.run import Run, Whole
from service.fhir.validate.slim import slim
from service.fhir.validate.terms import (
    Bounds,
    Codes,
    bounds_of_compose,
    codes_of,
    codes_of_expansion,
    codes_of_filter,
    parents_of,
)
from service.fhir.validate.tree import BrokenProfile, grow
from service.fhir.validate.walk import walk_resource

T = TypeVar("T")
KINDS = ("StructureDefinition", "ValueSet", "CodeSystem")
MAX_FILE = 32 * 1024 * 1024


class BrokenPackage(ValueError):
    """A package that cannot be used. The message names the file and, where known, the element."""


NOT_FOR_R4 = (
    # asks for a SubscriptionStatus, a type of R4B
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-notification",
)
"""Published in packages for R4, but not usable with it: left out."""
Artefact = tuple[str, JsonObject]
"""(name of the file, resource)."""


@dataclass(frozen=True, slots=True)
class Guide:
    """What a package says of itself. `profiles`: (resource type, canonical) of each it defines."""

    name: str
    version: str
    url: str
    profiles: tuple[tuple[str, str], ...]


@dataclass
class Package:
    """A package as read: what it says of itself, and the artefacts that decide validity."""

    path: Path
    manifest: JsonObject = field(default_factory=dict)
    about: JsonObject = field(default_factory=dict)
    artefacts: list[Artefact] = field(default_factory=list)

    @property
    def guide(self) -> Guide:
        """Name, version and canonical: the ImplementationGuide's, otherwise the manifest's."""
        name = str(self.manifest.get("name") or self.about.get("packageId") or self.path.name)
        version = str(self.manifest.get("version") or self.about.get("version") or "")
        url = self.about.get("url") or self.manifest.get("canonical") or f"urn:casebridge:guide:{name}"
        found = [
            r for _, r in self.artefacts if r["resourceType"] == "StructureDefinition" and _is_profile(r)
        ]
        profiles = sorted((r["type"], r["url"]) for r in found if r.get("kind") == "resource")
        return Guide(name, version, str(url), tuple(profiles))

    def shelf(self) -> Shelf:
        """Its definitions, cut down to what decides validity."""
        return shelf_of(slimmed(self.artefacts))

    def expect_bases(self, knows: Callable[[str], bool]) -> None:
        """BrokenPackage when a profile derives from one that is not at hand."""
        for file, resource in self.artefacts:
            base = resource.get("baseDefinition")
            if _is_profile(resource) and isinstance(base, str) and not knows(base):
                raise BrokenPackage(f"{file}: baseDefinition {base} is not known; name its package as well")


def open_package(path: Path) -> Shelf:
    """Read and slim a package; BrokenPackage when it is not one or a profile in it cannot be compiled."""
    return read_package(path).shelf()


def artefacts(path: Path) -> list[Artefact]:
    """The StructureDefinitions, ValueSets and CodeSystems of a package, by file name."""
    return read_package(path).artefacts


def read_package(path: Path) -> Package:
    """Read a folder or `.tgz`; BrokenPackage naming the file that cannot be read."""
    if path.is_dir():
        files = _folder(path)
    elif path.is_file():
        files = _archive(path)
    else:
        raise BrokenPackage(f"{path}: there is no such file or folder")
    package = Package(path)
    for name, content in files:
        _sort_in(package, name, _decoded(path, name, content))
    if not package.artefacts:
        raise BrokenPackage(f"{path}: no StructureDefinition, ValueSet or CodeSystem in it")
    return package


def _sort_in(package: Package, name: str, resource: JsonObject) -> None:
    file, kind = f"{package.path.name}/{name}", resource.get("resourceType")
    if name == "package.json":
        _expect_r4(file, resource.get("fhirVersions") or resource.get("fhir-version-list"))
        package.manifest = resource
    elif kind == "ImplementationGuide":
        package.about = package.about or resource
    elif kind in KINDS and isinstance(resource.get("url"), str) and resource["url"] not in NOT_FOR_R4:
        package.artefacts.append((file, resource))


def _expect_r4(file: str, versions: Any) -> None:
    listed = [v for v in versions if isinstance(v, str)] if isinstance(versions, list) else []
    if listed and not any(version.startswith("4.0") for version in listed):
        raise BrokenPackage(f"{file}: the package is for FHIR {', '.join(listed)}, this service speaks 4.0.1")


def _folder(path: Path) -> Iterator[tuple[str, bytes]]:
    inner = path / "package"
    for file in sorted((inner if inner.is_dir() else path).glob("*.json")):
        if _wanted(file.name):
            yield file.name, file.read_bytes()


def _archive(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = Path(member.name)
                if member.isfile() and name.parts[:-1] == ("package",) and _wanted(name.name):
                    if member.size > MAX_FILE:
                        raise BrokenPackage(f"{path}/{name.name}: larger than {MAX_FILE} bytes")
                    stream = archive.extractfile(member)
                    if stream is not None:
                        yield name.name, stream.read()
    except (tarfile.TarError, OSError, EOFError) as problem:
        reason = str(problem).partition("\n")[0].rstrip(":")
        raise BrokenPackage(f"{path}: not a .tgz that can be read ({reason})") from problem


def _wanted(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")


def _decoded(path: Path, name: str, content: bytes) -> JsonObject:
    try:
        resource = decode(content, max_depth=MAX_FILE)  # our own files: the depth need not be counted
    except BadJson as problem:
        raise BrokenPackage(f"{path.name}/{name}: not JSON: {problem}") from problem
    if not isinstance(resource, dict):
        raise BrokenPackage(f"{path.name}/{name}: not a JSON object")
    return resource


def slimmed(found: Iterable[Artefact]) -> Iterator[tuple[str, JsonObject]]:
    """What a shelf holds for these artefacts."""
    listed = list(found)
    for file, resource in listed:
        if _is_profile(resource):
            yield f"StructureDefinition|{resource['url']}", _profile(file, resource)
    yield from _terms(listed)


def _is_profile(resource: JsonObject) -> bool:
    return (
        resource.get("resourceType") == "StructureDefinition"
        and resource.get("derivation") == "constraint"
        and resource.get("kind") in ("resource", "complex-type")
    )


def _profile(file: str, resource: JsonObject) -> JsonObject:
    snapshot = resource.get("snapshot")
    if not isinstance(snapshot, dict) or not isinstance(snapshot.get("element"), list):
        raise BrokenPackage(
            f"{file}: {resource['url']} has no snapshot; publish it with one (sushi build -s)"
        )
    if not snapshot["element"]:
        raise BrokenPackage(f"{file}: the snapshot of {resource['url']} is empty")
    for element in snapshot["element"]:
        _expect_counts(file, element)
    try:
        definition = slim(resource)
        if r4.find(definition["type"]) is None:
            raise BrokenPackage(f"{file}: {definition['type']} is not a type of FHIR R4")
        tree = grow(definition)
        for row in definition["rows"]:
            _check_row(row)
        compile_strictly(tree, definition["type"])
    except BrokenProfile as problem:
        raise BrokenPackage(f"{file}: {problem}") from problem
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as problem:
        if isinstance(problem, BrokenPackage):
            raise
        raise BrokenPackage(f"{file}: {resource['url']}: {_fault(resource)}") from problem
    return definition


def _expect_counts(file: str, element: Any) -> None:
    needed = ("path", "min", "max")
    missing = [key for key in needed if key not in element] if isinstance(element, dict) else []
    if missing:
        name = element.get("id", element.get("path", "an element"))
        raise BrokenPackage(f"{file}: {name} has no {missing[0]} in the snapshot")


def _fault(resource: JsonObject) -> str:
    """What R4 itself says is wrong with an artefact that cannot be used."""
    run = Run(Whole(Definitions(), conforms), resource, resource, root(str(resource["resourceType"])))
    walk_resource(run, resource, run.place)
    return next((issue.text for issue in run.issues if issue.fails), "it is not built as R4 says")


def _check_row(row: JsonObject) -> None:
    if not (row["max"] == "*" or row["max"].isdigit()) or not isinstance(row["min"], int):
        raise BrokenProfile(f"{row['id']}: min must be a number, max a number or *")
    _check_slicing(row)
    for key, _, expression, _ in row.get("constraints", ()):
        try:
            compile(expression)
        except BadExpression as problem:
            raise BrokenProfile(
                f"{row['id']}: the expression of {key} cannot be read: {problem}"
            ) from problem


def _check_slicing(row: JsonObject) -> None:
    slicing = row.get("slicing") or {"by": [], "rules": "open"}
    wrong = [
        kind for kind, _ in slicing["by"] if kind not in ("value", "pattern", "type", "profile", "exists")
    ]
    if wrong:
        raise BrokenProfile(f"{row['id']}: {wrong[0]} is not a kind of discriminator")
    if slicing["rules"] not in ("open", "closed", "openAtEnd"):
        raise BrokenProfile(f"{row['id']}: {slicing['rules']} is not a rule of slicing")


def _terms(found: list[Artefact]) -> Iterator[tuple[str, JsonObject]]:
    systems = {r["url"]: (file, r) for file, r in found if r["resourceType"] == "CodeSystem"}
    sets = {r["url"]: (file, r) for file, r in found if r["resourceType"] == "ValueSet"}
    known = _Terms(systems, sets)
    for url, (_, value_set) in sets.items():
        yield f"ValueSet|{url}", _held(value_set, known.bounds(url))
    for url in systems:
        if (codes := known.codes(url)) is not None:
            yield f"CodeSystem|{url}", system_row(codes, systems[url][1])


def system_row(codes: Codes, system: JsonObject) -> JsonObject:
    """What a shelf holds of a code system: its codes, and what stands above them if anything does."""
    parents = parents_of(system)
    return {"codes": codes, "parents": parents} if parents else {"codes": codes}


def _held(value_set: JsonObject, bounds: Bounds | None) -> JsonObject:
    """The codes; or what they can be at most; or what to compose them from once other packages are known."""
    if bounds is not None and None not in bounds.values():
        return {"codes": bounds}
    compose = value_set.get("compose", {})
    parts = [*compose.get("include", ()), *compose.get("exclude", ())]
    if parts and not any(part.get("filter") for part in parts):
        return {"compose": compose}
    return {} if bounds is None else {"bounds": bounds}


class _Terms:
    """The code systems and value sets of one package, and R4's."""

    def __init__(self, systems: dict[str, Artefact], sets: dict[str, Artefact]) -> None:
        self.systems = systems
        self.sets = sets
        self.done: dict[str, Bounds | None] = {}

    def codes(self, url: str) -> Codes | None:
        """All codes of a code system held in full."""
        if url in self.systems:
            file, system = self.systems[url]
            listed = _blaming(file, system, lambda: codes_of(system))
            return None if listed is None else {url: listed}
        held = r4.terms().get(f"CodeSystem|{url}")
        codes: Codes | None = held["codes"] if held else None
        return codes

    def filtered(self, part: JsonObject) -> list[str] | None:
        """The codes of an include with filters, where the system is of this package."""
        if part.get("system") not in self.systems or "concept" in part:
            return None
        file, system = self.systems[part["system"]]
        return _blaming(file, system, lambda: codes_of_filter(system, part["filter"]))

    def bounds(self, url: str) -> Bounds | None:
        """What a value set holds, as far as this package and R4 tell."""
        if url not in self.sets:
            held = r4.terms().get(f"ValueSet|{url}") or {}
            bounds: Bounds | None = held.get("codes", held.get("bounds"))
            return bounds
        if url not in self.done:
            self.done[url] = None  # a value set that includes itself is not decidable
            file, value_set = self.sets[url]
            self.done[url] = _blaming(file, value_set, lambda: self._composed(value_set))
        return self.done[url]

    def _composed(self, value_set: JsonObject) -> Bounds | None:
        expanded: Bounds = {**(codes_of_expansion(value_set) or {})}
        return expanded or bounds_of_compose(value_set, self.codes, self.bounds, self.filtered)


def _blaming(file: str, resource: JsonObject, make: Callable[[], T]) -> T:
    try:
        return make()
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        if isinstance(problem, BrokenPackage):
            raise
        raise BrokenPackage(f"{file}: {resource['url']}: {_fault(resource)}") from problem
