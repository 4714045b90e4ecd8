"""Published examples are accepted, but for those that break the standard they illustrate."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.fhir.json import JsonObject, decode
from service.fhir.validate import Validator, load

BREAK_R4 = {
    "Basic-referral.json": "a modifierExtension that nobody defines",
    "Bundle-10bb101f-a121-4264-a920-67be9cb82c74.json": "fullUrl Patient/pat12 holds a Patient with id pat2",
    "Bundle-3a0707d3-549e-4467-b8b8-5a2ab3800efe.json": "fullUrl Patient/pat12 holds a Patient with id pat2",
    "Bundle-lri-example.json": "fullUrls end with other ids than their resources have",
    "DeviceMetric-example.json": "parent, a Reference(Device), points to a DeviceDefinition",
    "DeviceUseStatement-example.json": "reasonReference points to a Procedure, which R4 does not allow",
    "ImplementationGuide-fhir.json": "no name, no status, a reference that is none",
    "ig-r4.json": "the same guide again",
    "MedicationRequest-medrx0301.json": "dispenseRequest.performer, a Reference(Organization), points to a Practitioner",
    "Observation-clinical-gender.json": "performer points to an Encounter",
    "Questionnaire-qs1.json": "items without linkId",
}
BREAK_A_GUIDE = {
    "Observation-example-genetics-brcapat.json": "US Core's ethnicity extension on an Observation, without its text",
}
NOT_R4 = {"Requirements-fromNarrative.json": "a resource type of R5"}
AUTHORING = ("ImplementationGuide-",)
"""Guide manifests carry R5 parameter codes; they are no examples of what the guide defines."""


def examples(package: Path) -> Iterator[tuple[str, JsonObject]]:
    with tarfile.open(package) as archive:
        for member in archive:
            name = Path(member.name).name
            stream = archive.extractfile(member) if name.endswith(".json") else None
            resource = decode(stream.read(), max_depth=200) if stream else {}
            if "resourceType" in resource and not name.startswith((".", "package")):
                yield name, resource


def rejected(validator: Validator, package: Path) -> dict[str, str]:
    found = {}
    for name, resource in examples(package):
        wrong = [issue for issue in validator.validate(resource) if issue.fails]
        if wrong:
            found[name] = wrong[0].text
    return found


@pytest.fixture(scope="module")
def shipped() -> Validator:
    return load()


def test_r4_examples_pass_but_for_those_that_break_r4(shipped: Validator, packages: Path) -> None:
    found = rejected(shipped, packages / "hl7.fhir.r4.examples-4.0.1.tgz")
    assert set(found) == {*BREAK_R4, *BREAK_A_GUIDE}


@pytest.mark.parametrize(
    "guide",
    [
        "hl7.fhir.us.core-7.0.0",
        "hl7.fhir.us.sdoh-clinicalcare-3.0.0",
        "ihe.iti.balp-1.1.5-current",
    ],
)
def test_the_examples_of_a_guide_pass(guide: str, shipped: Validator, packages: Path) -> None:
    found = rejected(shipped, packages / f"{guide}.tgz")
    assert {
        name: text for name, text in found.items() if not name.startswith(AUTHORING)
    }.keys() <= NOT_R4.keys()
