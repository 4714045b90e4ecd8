"""Where an extension may stand: an element, what an expression finds, or another extension."""

import json
from typing import Any

import pytest

from service.fhir.validate import Validator, load
from tests.fhir.validate.guide import BASE, element, profile, types


def extension(name: str, kind: str, expression: str) -> dict[str, Any]:
    return profile(
        name, "Extension", element("Extension.url", 1, "1", fixedUri=f"{BASE}/{name}"),
        element("Extension.value[x]", 0, "1", type=types("string")), kind="complex-type",
        context=[{"type": kind, "expression": expression}],
    )  # fmt: skip


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Validator:
    folder = tmp_path_factory.mktemp("contexts")
    for each in (
        extension("on-official", "fhirpath", "Patient.name.where(use = 'official')"),
        extension("on-birth", "fhirpath", "Patient.birthDate"),
        extension("within", "extension", f"{BASE}/outer"),
        extension("broken", "fhirpath", "Patient.name.no-such-function()"),
    ):
        (folder / f"{each['name']}.json").write_text(json.dumps(each))
    return load([folder])


def rules(strict: Validator, **content: Any) -> list[str]:
    return [issue.rule for issue in strict.validate({"resourceType": "Patient", **content}) if issue.fails]


def ext(name: str) -> list[dict[str, Any]]:
    return [{"url": f"{BASE}/{name}", "valueString": "x"}]


def test_an_expression_says_where(strict: Validator) -> None:
    official = {"use": "official", "text": "x", "extension": ext("on-official")}
    assert rules(strict, name=[official]) == []
    assert rules(strict, name=[official | {"use": "usual"}]) == ["extension-context"]
    assert rules(strict, extension=ext("on-official")) == ["extension-context"]


def test_an_expression_may_find_a_primitive(strict: Validator) -> None:
    assert rules(strict, birthDate="1990", _birthDate={"extension": ext("on-birth")}) == []
    assert rules(strict, gender="male", _gender={"extension": ext("on-birth")}) == ["extension-context"]


def test_an_extension_may_belong_inside_another(strict: Validator) -> None:
    assert rules(strict, extension=[{"url": f"{BASE}/outer", "extension": ext("within")}]) == []
    assert rules(strict, extension=[{"url": f"{BASE}/other", "extension": ext("within")}]) == [
        "extension-context"
    ]
    assert rules(strict, extension=ext("within")) == ["extension-context"]


def test_the_finding_names_the_element_it_was_found_on(strict: Validator) -> None:
    [issue] = [i for i in strict.validate({"resourceType": "Patient", "extension": ext("within")}) if i.fails]
    assert "found it on Patient" in issue.text


def test_an_expression_that_cannot_be_evaluated_decides_nothing(strict: Validator) -> None:
    assert rules(strict, extension=ext("broken")) == []
