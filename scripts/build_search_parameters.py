"""Build fhir_profiles/search/parameters.ndjson.gz from R4 core 4.0.1, SDOHCC 3.0.0 and our own package.

    .venv/bin/python scripts/build_search_parameters.py [folder with the .tgz files]

One line a resource type: its search parameters by code, each with only the alternatives of the expression
that concern this type. `*` holds what every type has. `Compartment|Patient` maps types to parameter codes,
`Summary|Task` lists the top-level elements of a summary.
The result is committed, so the running service needs neither this script nor the packages.
"""

import json
import sys
from pathlib import Path

from scripts.build_r4_table import artefacts
from service.fhir.json import JsonObject, decode_object
from service.fhir.shelf import write_shelf

ROOT = Path(__file__).parents[1]
PACKAGES = ("hl7.fhir.r4.core-4.0.1.tgz", "hl7.fhir.us.sdoh-clinicalcare-3.0.0.tgz")
SDOHCC = "/us/sdoh-clinicalcare/"
OURS = ROOT / "fhir_profiles" / "package"
MANY = 100
TARGET = ROOT / "fhir_profiles" / "search" / "parameters.ndjson.gz"


def main(folder: Path) -> None:
    found = [a for name in PACKAGES for a in artefacts(folder / name)] + ours()
    parameters = [a for a in found if a["resourceType"] == "SearchParameter" and usable(a)]
    by_url = {a["url"]: a for a in parameters}
    shelf: dict[str, JsonObject] = {}
    for definition in parameters:
        for base in definition["base"]:
            home = "*" if base in ("Resource", "DomainResource") else base
            shelf.setdefault(home, {})[definition["code"]] = slim(definition, base, by_url)
    for definition in found:
        if definition["resourceType"] == "CompartmentDefinition" and definition["id"] != "example":
            shelf[f"Compartment|{definition['code']}"] = compartment(definition)
        elif definition["resourceType"] == "StructureDefinition" and is_resource_type(definition):
            shelf[f"Summary|{definition['type']}"] = {"elements": summary(definition)}
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    publish([a for a in parameters if SDOHCC in a["url"]])
    print("parameters", write_shelf(TARGET, shelf.items()))


def ours() -> list[JsonObject]:
    """Those of our own profiles."""
    return [decode_object(path.read_bytes()) for path in sorted(OURS.glob("SearchParameter-*.json"))]


def publish(parameters: list[JsonObject]) -> None:
    """SDOHCC's, as they are published, to be served beside our own."""
    for definition in parameters:
        definition.pop("text", None)
        path = TARGET.parent / f"SearchParameter-{definition['id']}.json"
        path.write_text(json.dumps(definition, indent=2, ensure_ascii=False) + "\n")


def usable(definition: JsonObject) -> bool:
    """False for the publisher's examples, for those that say nothing that can be evaluated, and for the few
    that we do not evaluate: the first entry of a Bundle, and composites of three (MolecularSequence)."""
    expression = definition.get("expression", "")
    published = definition["id"] != "example" and "example.org" not in expression
    beyond = "entry[0]" in expression or len(definition.get("component", ())) > 2
    return published and not beyond and bool(definition.get("base")) and bool(expression)


def slim(definition: JsonObject, base: str, by_url: dict[str, JsonObject]) -> JsonObject:
    row: JsonObject = {"type": definition["type"], "url": definition["url"]}
    row["expression"] = " | ".join(alternatives(definition["expression"], base))
    if 0 < len(definition.get("target", ())) < MANY:  # the rest means: any type
        row["target"] = definition["target"]
    if definition["type"] == "composite":
        kinds = [by_url[c["definition"]]["type"] for c in definition["component"]]
        if definition["id"] == "DocumentReference-relationship":
            kinds.reverse()  # R4 names the two definitions the wrong way round
        row["components"] = [
            {"type": kind, "expression": c["expression"]}
            for kind, c in zip(kinds, definition["component"], strict=True)
        ]
    return row


def alternatives(expression: str, base: str) -> list[str]:
    parts = [part.strip() for part in expression.split("|")]
    mine = [p for p in parts if p.lstrip("(").split(".")[0].split(" ")[0] == base]
    return mine or parts


def is_resource_type(definition: JsonObject) -> bool:
    return bool(definition["kind"] == "resource" and definition.get("derivation") == "specialization")


def summary(definition: JsonObject) -> list[str]:
    """The top-level elements that `_summary=true` shows."""
    rows = definition["snapshot"]["element"]
    return [row["path"].split(".")[1] for row in rows if row["path"].count(".") == 1 and row.get("isSummary")]


def compartment(definition: JsonObject) -> JsonObject:
    return {row["code"]: row["param"] for row in definition["resource"] if row.get("param")}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "fhir-packages")
