"""An operator's guide is loaded as published; a broken one is named with its file and element."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from service.fhir.validate import BrokenPackage, load
from service.fhir.validate.packages import Guide, open_package

URL = "https://operator.example/needs-name"


def definition(**facts: Any) -> dict[str, Any]:
    return {
        "resourceType": "StructureDefinition", "url": URL, "version": "2.1", "name": "NeedsName", "type": "Patient",
        "kind": "resource", "abstract": False, "derivation": "constraint",
        "snapshot": {"element": [{"id": "Patient", "path": "Patient", "min": 0, "max": "*"},
                                 {"id": "Patient.name", "path": "Patient.name", "min": 1, "max": "*"}]},
        **facts,
    }  # fmt: skip


def folder(at: Path, **files: Any) -> Path:
    at.mkdir()
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (at / f"{name}.json").write_text(text)
    return at


def archive(at: Path, content: dict[str, Any]) -> Path:
    inner = folder(at / "in", profile=content)
    with tarfile.open(at / "guide.tgz", "w:gz") as out:
        out.add(inner / "profile.json", "package/StructureDefinition-needs-name.json")
    return at / "guide.tgz"


def rules(package: Path, *profiles: str) -> list[str]:
    return [i.rule for i in load([package]).validate({"resourceType": "Patient"}, profiles) if i.fails]


def test_a_folder_is_loaded(tmp_path: Path) -> None:
    assert rules(folder(tmp_path / "guide", profile=definition()), URL) == ["cardinality-min"]


def test_a_tgz_is_loaded(tmp_path: Path) -> None:
    assert rules(archive(tmp_path, definition()), URL) == ["cardinality-min"]


def test_another_version_than_the_one_held_is_said(tmp_path: Path) -> None:
    validator = load([folder(tmp_path / "guide", profile=definition())])
    issues = validator.validate({"resourceType": "Patient"}, [f"{URL}|3.0"])
    assert "profile-version" in [issue.rule for issue in issues]


def test_the_profiles_of_a_package_are_listed(tmp_path: Path) -> None:
    validator = load([folder(tmp_path / "guide", profile=definition())])
    assert URL in set(validator.definitions.profiles())
    assert validator.knows(URL)


@pytest.mark.parametrize(
    ("content", "blamed"),
    [
        ("{", "profile.json"),
        ("[1]", "profile.json: not a JSON object"),
        (definition(snapshot=None), "profile.json"),
        ({k: v for k, v in definition().items() if k != "snapshot"}, "has no snapshot"),
        (definition(snapshot={"element": [{"id": "Patient", "path": "Patient", "min": 0}]}), "Patient"),
        (definition(snapshot={"element": []}), "profile.json"),
        (definition(type="Client"), "Client is not a type"),
        (definition(snapshot={"element": [{"path": "Patient", "min": 0, "max": "*"}, {"id": "Patient.name:a", "path": "Patient.name", "min": 0, "max": "1"}]}), "Patient.name:a"),
        (definition(snapshot={"element": [{"path": "Patient", "min": 0, "max": "*"}, {"id": "Patient.name.use", "path": "Patient.name.use", "min": 0, "max": "1"}]}), "Patient.name.use"),
        (definition(snapshot={"element": [{"path": "Patient", "min": 0, "max": "many"}]}), "Patient"),
        (definition(snapshot={"element": [{"path": "Patient", "min": 0, "max": "*", "constraint": [{"key": "x-1", "severity": "error", "expression": "name.where("}]}]}), "x-1"),
        ({"resourceType": "Patient"}, "no StructureDefinition"),
        (definition(snapshot={"element": [{"path": "Patient", "min": 0, "max": "*"}, {"id": "Patient.nmae", "path": "Patient.nmae", "min": 1, "max": "1"}]}), "Patient.nmae: Patient has no element nmae"),
        (definition(snapshot={"element": [{"path": "Patient", "min": 0, "max": "*"}, {"path": "Patient.name", "min": 0, "max": "*", "slicing": {"rules": "open", "discriminator": [{"type": "colour", "path": "use"}]}}]}), "colour is not a kind of discriminator"),
        (definition(snapshot={"element": [{"path": "Patient", "min": 0, "max": "*"}, {"path": "Patient.name", "min": 0, "max": "*", "slicing": {"rules": "shut"}}]}), "shut is not a rule of slicing"),
        ({"resourceType": "ValueSet", "url": URL, "compose": {"include": "x"}}, "ValueSet.compose.include"),
        ({"resourceType": "CodeSystem", "url": URL, "content": "complete", "concept": [{"display": "x"}]}, "CodeSystem.concept[0].code"),
    ],
)  # fmt: skip
def test_a_broken_package_is_named_with_file_and_element(content: Any, blamed: str, tmp_path: Path) -> None:
    with pytest.raises(BrokenPackage, match="guide") as caught:
        open_package(folder(tmp_path / "guide", profile=content))
    assert blamed in str(caught.value)


def test_a_base_that_is_not_at_hand_is_named(tmp_path: Path) -> None:
    derived = definition(baseDefinition="https://nowhere.example/base")
    with pytest.raises(BrokenPackage, match=r"guide/profile\.json: baseDefinition https://nowhere"):
        load([folder(tmp_path / "guide", profile=derived)])
    base = definition(url="https://nowhere.example/base")
    load([tmp_path / "guide", folder(tmp_path / "other", profile=base)])


def test_a_package_for_another_release_is_refused(tmp_path: Path) -> None:
    at = folder(tmp_path / "guide", profile=definition())
    (at / "package.json").write_text('{"name": "x", "fhirVersions": ["5.0.0"]}')
    with pytest.raises(BrokenPackage, match=r"package\.json: the package is for FHIR 5\.0\.0"):
        load([at])


def test_a_guide_says_what_it_is(tmp_path: Path) -> None:
    at = folder(
        tmp_path / "guide",
        profile=definition(),
        ig={"resourceType": "ImplementationGuide", "url": "https://operator.example/ig"},
    )
    (at / "package.json").write_text(
        '{"name": "operator.guide", "version": "1.2", "fhirVersions": ["4.0.1"]}'
    )
    [guide] = load([at]).guides
    assert guide == Guide("operator.guide", "1.2", "https://operator.example/ig", (("Patient", URL),))


def test_what_is_no_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "not.tgz").write_text("no archive")
    with pytest.raises(BrokenPackage, match=r"not\.tgz"):
        open_package(tmp_path / "not.tgz")
    with pytest.raises(BrokenPackage, match="no such file"):
        open_package(tmp_path / "absent")


@pytest.mark.parametrize(
    "name", ["hl7.fhir.uv.cow-1.0.0-ballot", "hl7.fhir.us.hsds-1.0.0", "hl7.fhir.uv.bulkdata-3.0.0"]
)
def test_published_packages_can_be_added(name: str, packages: Path) -> None:
    open_package(packages / f"{name}.tgz")
