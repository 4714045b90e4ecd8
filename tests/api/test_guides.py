"""Guides an operator names are listed, supported and enforced; a broken one stops the start with a sentence."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from parts import running

from service.kernel.failures import Unavailable
from service.settings import Settings
from service.wiring import rules

URL = "https://operator.example/needs-name"


def guide(at: Path, *rows: dict[str, Any]) -> Path:
    at.mkdir()
    root = {"id": "Patient", "path": "Patient", "min": 0, "max": "*"}
    profile = {
        "resourceType": "StructureDefinition", "url": URL, "name": "NeedsName", "type": "Patient", "kind": "resource",
        "abstract": False, "derivation": "constraint", "snapshot": {"element": [root, *rows]},
    }  # fmt: skip
    (at / "StructureDefinition-needs-name.json").write_text(json.dumps(profile))
    about = {"resourceType": "ImplementationGuide", "url": "https://operator.example/ig"}
    (at / "ImplementationGuide-operator.json").write_text(json.dumps(about))
    (at / "package.json").write_text('{"name": "operator", "version": "1.2", "fhirVersions": ["4.0.1"]}')
    return at


NAMED = {"id": "Patient.name", "path": "Patient.name", "min": 1, "max": "*"}


async def test_a_guide_is_listed_and_enforced(database_url: str, tmp_path: Path) -> None:
    at = guide(tmp_path / "guide", NAMED)
    async with running(database_url, tmp_path, guides=str(at)) as service, httpx.AsyncClient() as client:
        stated = (await client.get(f"{service.url}/fhir/metadata")).json()
        assert stated["implementationGuide"] == ["https://operator.example/ig|1.2"]
        [patient] = [row for row in stated["rest"][0]["resource"] if row["type"] == "Patient"]
        assert URL in patient["supportedProfile"]
        issues = service.wiring.context.check({"resourceType": "Patient", "meta": {"profile": [URL]}}, [])
        assert ("Patient.name", "cardinality-min") in [(issue.expression, issue.rule) for issue in issues]


def test_a_broken_guide_is_said_in_one_sentence(tmp_path: Path) -> None:
    at = guide(tmp_path / "guide", {**NAMED, "id": "Patient.nmae", "path": "Patient.nmae"})
    with pytest.raises(Unavailable, match=r"guide/StructureDefinition-needs-name\.json: Patient\.nmae"):
        rules(Settings(guides=(at,), _env_file=None))  # type: ignore[call-arg]
