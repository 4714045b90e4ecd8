"""Build fhir_profiles/r4/*.ndjson.gz from the packages hl7.fhir.r4.core and hl7.fhir.r4.expansions 4.0.1.

    .venv/bin/python scripts/build_r4_table.py [folder with the .tgz files]

The result is committed, so the running service needs neither this script nor the packages.
"""

import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from service.fhir.json import JsonObject, decode
from service.fhir.shelf import write_shelf
from service.fhir.validate.packages import system_row
from service.fhir.validate.slim import slim
from service.fhir.validate.terms import Bounds, Codes, bounds_of_compose, codes_of, codes_of_expansion

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "fhir_profiles" / "r4"


def main(folder: Path) -> None:
    core = list(artefacts(folder / "hl7.fhir.r4.core-4.0.1.tgz"))
    expansions = list(artefacts(folder / "hl7.fhir.r4.expansions-4.0.1.tgz"))
    TARGET.mkdir(parents=True, exist_ok=True)
    print("structures", write_shelf(TARGET / "structures.ndjson.gz", structures(core)))
    print("terms", write_shelf(TARGET / "terms.ndjson.gz", terms(core, expansions)))


def artefacts(package: Path) -> Iterator[JsonObject]:
    """The FHIR resources of a package."""
    with tarfile.open(package) as archive:
        for member in archive:
            name = Path(member.name)
            if name.suffix == ".json" and name.parent.name == "package" and "-" in name.stem:
                stream = archive.extractfile(member)
                resource = decode(stream.read(), max_depth=200) if stream else {}
                if "resourceType" in resource:
                    yield resource


def structures(core: list[JsonObject]) -> Iterator[tuple[str, JsonObject]]:
    found = [d for d in core if d["resourceType"] == "StructureDefinition" and "snapshot" in d]
    types = [d for d in found if d.get("derivation") != "constraint" and d["kind"] != "logical"]
    yield "*", inventory(types)
    for definition in types:
        yield definition["type"], slim(definition)
    for definition in found:
        if definition.get("derivation") == "constraint":
            yield f"StructureDefinition|{definition['url']}", widened(slim(definition))


WIDENED = ("structuredefinition-", "elementdefinition-", "capabilitystatement-", "regex")
"""Tooling extensions whose R4 contexts are narrower than R4's own use of them."""


def widened(definition: JsonObject) -> JsonObject:
    name = definition["url"].rpartition("/")[2]
    if definition["type"] == "Extension" and name.startswith(WIDENED):
        definition["context"] = [["element", "Element"]]
    # R4 says url where it writes uri, and its list of work groups ended in 2019
    if name in ("structuredefinition-fhir-type", "structuredefinition-wg"):
        definition["rows"] = [row for row in definition["rows"] if row["path"] != "Extension.value[x]"]
    return definition


def inventory(types: list[JsonObject]) -> JsonObject:
    concrete = [d for d in types if not d.get("abstract")]
    extension = next(d for d in types if d["type"] == "Extension")
    value = next(e for e in extension["snapshot"]["element"] if e["path"] == "Extension.value[x]")
    return {
        "version": "4.0.1",
        "resources": sorted(d["type"] for d in concrete if d["kind"] == "resource"),
        "datatypes": sorted(d["type"] for d in types if d["kind"] != "resource"),
        "open": [t["code"] for t in value["type"]],
    }


def terms(core: list[JsonObject], expansions: list[JsonObject]) -> Iterator[tuple[str, JsonObject]]:
    systems = {
        d["url"]: codes
        for d in core
        if d["resourceType"] == "CodeSystem" and "url" in d and (codes := codes_of(d)) is not None
    }
    sets: dict[str, Bounds | None] = {}
    for value_set in expansions:
        if value_set["resourceType"] == "ValueSet":
            expanded = codes_of_expansion(value_set)
            sets[value_set["url"]] = None if expanded is None else {**expanded}
    composed = {d["url"]: d for d in core if d["resourceType"] == "ValueSet"}

    def system(url: str) -> Codes | None:
        return {url: systems[url]} if url in systems else None

    def other(url: str) -> Bounds | None:
        if sets.get(url) is None and url in composed:
            sets[url] = None  # a value set that includes itself is not decidable
            sets[url] = bounds_of_compose(composed[url], system, other)
        return sets.get(url)

    for url in sorted({*sets, *composed}):
        bounds = other(url)
        yield f"ValueSet|{url}", _held(bounds)
    published = {d["url"]: d for d in core if d["resourceType"] == "CodeSystem" and "url" in d}
    for url, listed in systems.items():
        yield f"CodeSystem|{url}", system_row({url: listed}, published[url])


def _held(bounds: Bounds | None) -> JsonObject:
    if bounds is None:
        return {}
    return {"bounds" if None in bounds.values() else "codes": bounds}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "fhir-packages")
