"""Our verdicts against those of the Java validator, which `make oracle` wrote down (verdicts.json).

A verdict is of certain bytes. A file that has changed since is held to what is always true: what we publish
is valid, and a seeded fault is found.
"""

import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from service.fhir.json import decode
from service.fhir.validate import Validator, load

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PACKAGES = ROOT.parent / "shared" / "fhir-packages"
RECORDED = json.loads((HERE / "verdicts.json").read_text(encoding="utf-8"))
OURS = {"profiles": "package", "terms": "terms", "instruments": "instruments", "examples": "examples"}


@pytest.fixture(scope="module")
def oracle() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("oracle", ROOT / "scripts" / "oracle.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["oracle"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["oracle"]


@pytest.fixture(scope="module")
def everything() -> Validator:
    return load()


def _files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.glob("*.json")) if file.name != "package.json"]


def _verdict(validator: Validator, content: bytes) -> str:
    issues = validator.validate(decode(content))
    return "invalid" if any(issue.fails for issue in issues) else "valid"


def _wrong(validator: Validator, suite: str, files: list[Path], otherwise: str | None) -> list[str]:
    """Files we judge differently; `otherwise` is what a file without a verdict for its bytes must be."""
    recorded = RECORDED["verdicts"].get(suite, {})
    wrong = []
    for file in files:
        content = file.read_bytes()
        said, _, digest = recorded.get(file.name, "").partition(" ")
        known = digest == hashlib.sha256(content).hexdigest()[:16]
        expected = said if known else otherwise
        if expected and _verdict(validator, content) != expected:
            wrong.append(f"{file.name} is not {expected}")
    return wrong


@pytest.mark.parametrize("suite", OURS)
def test_what_we_publish_is_judged_as_java_judges_it(everything: Validator, suite: str) -> None:
    assert _wrong(everything, suite, _files(ROOT / "fhir_profiles" / OURS[suite]), "valid") == []


def test_every_seeded_fault_in_our_examples_is_found(
    everything: Validator, oracle: ModuleType, tmp_path: Path
) -> None:
    faults = _files(oracle.seed_faults(tmp_path))
    assert len(faults) > 90
    assert _wrong(everything, "faults", faults, "invalid") == []


def test_both_validators_agree_about_everything_of_ours() -> None:
    suites = {difference["suite"] for difference in RECORDED["differences"]}
    assert not suites & {"faults", *OURS}


@pytest.mark.parametrize("guide", sorted(name for name in RECORDED["verdicts"] if "." in name))
def test_the_guides_examples_are_judged_as_java_judges_them(
    everything: Validator, oracle: ModuleType, tmp_path: Path, guide: str
) -> None:
    archive = PACKAGES / f"{guide}.tgz"
    if not archive.exists():
        pytest.skip("the guides are not beside the repository")
    assert _wrong(everything, guide, _files(oracle.examples_of(archive, tmp_path)), None) == []
