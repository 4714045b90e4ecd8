"""Every kind of rule is broken once; the finding names the place and the rule."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.fhir.validate import Validator

_spec = importlib.util.spec_from_file_location("validate_faults", Path(__file__).parent / "faults.py")
assert _spec is not None and _spec.loader is not None
faults = importlib.util.module_from_spec(_spec)
sys.modules["validate_faults"] = faults
_spec.loader.exec_module(faults)

Good = Callable[[str], dict[str, Any]]


def _dropped(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _dropped(v) for k, v in value.items() if v is not faults.DROP}
    return [_dropped(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: fault.name)
def test_a_seeded_fault_is_found_where_it_is(fault: Any, validator: Validator, good: Good) -> None:
    broken = _dropped(faults.apply(good(fault.good), fault.change))
    issues = validator.validate(broken, [fault.profile] if fault.profile else [])
    found = [(issue.expression, issue.rule) for issue in issues if issue.fails]
    assert (fault.at, fault.rule) in found


@pytest.mark.parametrize(
    "name",
    [
        "patient",
        "observation",
        "request",
        "task",
        "bundle",
        "questionnaire",
        "binary",
        "timing",
        "parameters",
    ],
)
def test_the_good_resources_are_good(name: str, validator: Validator, good: Good) -> None:
    issues = validator.validate(good(name))
    assert [issue for issue in issues if issue.severity != "information"] == [
        issue for issue in issues if issue.rule == "dom-6"
    ]


def test_there_are_a_hundred_faults_and_more() -> None:
    assert len({fault.name for fault in faults.FAULTS}) == len(faults.FAULTS) >= 100
