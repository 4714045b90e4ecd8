"""FHIR packages: a `.tgz` or a folder of a published guide, cut down to what decides validity.

https://confluence.hl7.org/display/FHIR/NPM+Package+Specification. Used for our own profiles, for the guides
we ship slimmed, and for whatever an operator adds.
"""

import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from service.fhir import r4
from service.fhir.fhirpath import BadExpression, compile
from service.fhir.json import BadJson, JsonObject, decode
from service.fhir.shelf import Shelf, shelf_of
from service.fhir.validate.slim import slim
from service.fhir.validate.terms import Codes, codes_of, codes_of_compose, codes_of_expansion
from service.fhir.validate.tree import BrokenProfile, grow

KINDS = ("StructureDefinition", "ValueSet", "CodeSystem")
MAX_FILE = 32 * 1024 * 1024


class BrokenPackage(ValueError):
    """A package that cannot be used. The message names the file and, where known, the element."""


def open_package(path: Path) -> Shelf:
    """Read and slim a package; BrokenPackage when it is not one or a profile in it cannot be compiled."""
    return shelf_of(slimmed(artefacts(path)))


Artefact = tuple[str, JsonObject]
"""(name of the file, resource)."""


def artefacts(path: Path) -> list[Artefact]:
    """The StructureDefinitions, ValueSets and CodeSystems of a package, by file name."""
    if path.is_dir():
        files = _folder(path)
    elif path.is_file():
        files = _archive(path)
    else:
        raise BrokenPackage(f"{path}: there is no such file or folder")
    found = []
    for name, content in files:
        resource = _decoded(path, name, content)
        if resource.get("resourceType") in KINDS and isinstance(resource.get("url"), str):
            found.append((f"{path.name}/{name}", resource))
    if not found:
        raise BrokenPackage(f"{path}: no StructureDefinition, ValueSet or CodeSystem in it")
    return found


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
        raise BrokenPackage(f"{path}: not a .tgz that can be read ({problem})") from problem


def _wanted(name: str) -> bool:
    return name.endswith(".json") and name not in ("package.json", ".index.json")


def _decoded(path: Path, name: str, content: bytes) -> JsonObject:
    try:
        resource = decode(content, max_depth=MAX_FILE)  # our own files: the depth need not be counted
    except BadJson as problem:
        raise BrokenPackage(f"{path.name}/{name}: {problem}") from problem
    if not isinstance(resource, dict):
        raise BrokenPackage(f"{path.name}/{name}: not a JSON object")
    return resource


def slimmed(found: Iterable[Artefact]) -> Iterator[tuple[str, JsonObject]]:
    """What a shelf holds for these artefacts."""
    listed = list(found)
    for file, resource in listed:
        if resource["resourceType"] == "StructureDefinition" and _is_profile(resource):
            yield f"StructureDefinition|{resource['url']}", _profile(file, resource)
    yield from _terms([resource for _, resource in listed])


def _is_profile(resource: JsonObject) -> bool:
    return resource.get("derivation") == "constraint" and resource.get("kind") in ("resource", "complex-type")


def _profile(file: str, resource: JsonObject) -> JsonObject:
    if "snapshot" not in resource:
        raise BrokenPackage(
            f"{file}: {resource['url']} has no snapshot; publish it with one (sushi build -s)"
        )
    try:
        definition = slim(resource)
        if r4.find(definition["type"]) is None:
            raise BrokenPackage(f"{file}: {definition['type']} is not a type of FHIR R4")
        grow(definition)
        for row in definition["rows"]:
            _check_row(row)
    except BrokenProfile as problem:
        raise BrokenPackage(f"{file}: {problem}") from problem
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as problem:
        if isinstance(problem, BrokenPackage):
            raise
        raise BrokenPackage(f"{file}: {_blame(resource)} lacks or misstates {problem}") from problem
    return definition


def _check_row(row: JsonObject) -> None:
    if not (row["max"] == "*" or row["max"].isdigit()) or not isinstance(row["min"], int):
        raise BrokenProfile(f"{row['id']}: min must be a number, max a number or *")
    for key, _, expression, _ in row.get("constraints", ()):
        try:
            compile(expression)
        except BadExpression as problem:
            raise BrokenProfile(
                f"{row['id']}: the expression of {key} cannot be read: {problem}"
            ) from problem


def _blame(resource: JsonObject) -> str:
    elements = (
        resource.get("snapshot", {}).get("element", ()) if isinstance(resource.get("snapshot"), dict) else ()
    )
    for element in elements:
        if not isinstance(element, dict):
            return "an element that is not an object"
        if not {"path", "min", "max"} <= element.keys():
            return f"the element {element.get('id', element.get('path', '?'))}"
    return str(resource["url"])


def _held(value_set: JsonObject, codes: Codes | None) -> JsonObject:
    """The codes; or what to compose them from once the other packages are known, if that can ever be."""
    if codes is not None:
        return {"codes": codes}
    compose = value_set.get("compose", {})
    parts = [*compose.get("include", ()), *compose.get("exclude", ())]
    return {} if any(part.get("filter") for part in parts) or not parts else {"compose": compose}


def _terms(resources: list[JsonObject]) -> Iterator[tuple[str, JsonObject]]:
    systems = {
        r["url"]: c for r in resources if r["resourceType"] == "CodeSystem" and (c := codes_of(r)) is not None
    }
    sets = {r["url"]: r for r in resources if r["resourceType"] == "ValueSet"}
    done: dict[str, Codes | None] = {}

    def system(url: str) -> Codes | None:
        if url in systems:
            return {url: systems[url]}
        key = f"CodeSystem|{url}"
        return r4.terms()[key]["codes"] if key in r4.terms() else None

    def other(url: str) -> Codes | None:
        if url not in sets:
            key = f"ValueSet|{url}"
            return r4.terms()[key].get("codes") if key in r4.terms() else None
        if url not in done:
            done[url] = None  # a value set that includes itself is not decidable
            done[url] = codes_of_expansion(sets[url]) or codes_of_compose(sets[url], system, other)
        return done[url]

    for url, value_set in sets.items():
        yield f"ValueSet|{url}", _held(value_set, other(url))
    for url, listed in systems.items():
        yield f"CodeSystem|{url}", {"codes": {url: listed}}
