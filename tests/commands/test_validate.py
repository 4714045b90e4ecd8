"""`casebridge validate` on files."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.__main__ import app
from service.fhir.json import decode_object, encode
from service.fhir.xml import to_xml

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
GOOD = {
    "resourceType": "Flag",
    "text": TEXT,
    "status": "active",
    "code": {"text": "x"},
    "subject": {"reference": "Patient/1"},
}
BAD = {**GOOD, "status": "bogus"}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "good.json").write_bytes(encode(GOOD))
    (tmp_path / "good.xml").write_bytes(to_xml(GOOD))
    (tmp_path / "bad.json").write_bytes(encode(BAD))
    (tmp_path / "many.ndjson").write_bytes(encode(GOOD) + b"\n" + encode(BAD) + b"\n")
    (tmp_path / "broken.json").write_bytes(b"{")
    (tmp_path / "list.json").write_bytes(b"[]")
    return tmp_path


def run(*words: str, expect: int) -> str:
    result = CliRunner().invoke(app, ["validate", *words])
    assert result.exit_code == expect, result.output
    return result.output


def test_good_files_are_ok_in_either_form(files: Path) -> None:
    assert "All OK" in run(str(files / "good.json"), str(files / "good.xml"), expect=0)


@pytest.mark.parametrize(
    ("name", "words"),
    [("bad.json", "bogus"), ("many.ndjson", "bogus"), ("broken.json", "line 1"), ("list.json", "resourceType"), ("missing.json", "read")],
)  # fmt: skip
def test_what_is_wrong_is_one_line_with_its_file(files: Path, name: str, words: str) -> None:
    lines = [line for line in run(str(files / name), expect=1).splitlines() if words in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"{files / name}: ")


def test_the_outcome_as_json(files: Path) -> None:
    outcome = decode_object(run(str(files / "bad.json"), "--format", "json", expect=1).encode())
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["expression"] == ["Flag.status"]


def test_a_profile_is_applied(files: Path) -> None:
    url = "https://casebridge.example/fhir/StructureDefinition/casebridge-client"
    assert "casebridge-client" in run(str(files / "good.json"), "--profile", url, expect=1)
    assert "not known" in run(str(files / "good.json"), "--profile", "http://nobody.example/p", expect=1)
