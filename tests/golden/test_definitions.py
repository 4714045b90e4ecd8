"""What the golden output names of ours is defined: every code, every extension, every profile."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.fhir.json import Json, decode, decode_object
from tests.golden.test_golden import PAIRS, fhir_side, named

ROOT = Path(__file__).parents[2]
OURS = "https://casebridge.example/fhir/"
PROFILES = ROOT / "fhir_profiles"
CODES = {
    (system["url"], concept["code"])
    for folder in ("terms", "package")
    for path in (PROFILES / folder).glob("CodeSystem-*.json")
    for system in [decode_object(path.read_bytes())]
    for concept in system["concept"]
}
DEFINED = {
    decode_object(path.read_bytes())["url"]
    for path in (PROFILES / "package").glob("StructureDefinition-*.json")
}


def objects(value: Json) -> Iterator[dict[str, Json]]:
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from objects(member)
    elif isinstance(value, list):
        for member in value:
            yield from objects(member)


@pytest.mark.parametrize("path", PAIRS, ids=named)
def test_every_code_and_extension_of_ours_is_defined(path: Path) -> None:
    resources = decode(fhir_side(path).read_bytes())
    used = list(objects(resources))
    systems = {system for system, _ in CODES}
    strange = {
        str(each["system"])
        for each in used
        if str(each.get("system", "")).startswith(OURS + "CodeSystem") and each["system"] not in systems
    }
    undefined = {
        url
        for each in used
        for url in [each.get("url")]
        if isinstance(url, str) and url.startswith(OURS + "StructureDefinition") and url not in DEFINED
    }
    assert (strange, undefined) == (set(), set())
