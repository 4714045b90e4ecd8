"""What the validation tests share: one validator, good resources, and the packages beside the repository."""

import copy
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from service.fhir.json import decode
from service.fhir.validate import Validator, load

HERE = Path(__file__).parent
PACKAGES = HERE.parents[3] / "shared" / "fhir-packages"


def _guide() -> ModuleType:
    spec = importlib.util.spec_from_file_location("validate_guide", HERE / "guide.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["validate_guide"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def guide_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _guide().write(tmp_path_factory.mktemp("guides"))


@pytest.fixture(scope="session")
def validator(guide_folder: Path) -> Validator:
    return load([guide_folder])


@pytest.fixture
def good() -> Callable[[str], dict[str, Any]]:
    resources = decode((HERE / "fixtures" / "good.json").read_bytes())
    return lambda name: copy.deepcopy(resources[name])


@pytest.fixture(scope="session")
def packages() -> Path:
    if not PACKAGES.is_dir():
        pytest.skip(f"the reference packages are not at {PACKAGES}")
    return PACKAGES
