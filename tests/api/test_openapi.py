"""openapi.yaml is what the application says of itself, and valid OpenAPI 3.1."""

from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from scripts.write_openapi import PLACE
from service.api.app import bare_app


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    return bare_app().openapi()


def test_openapi_yaml_is_what_the_application_says(said: dict[str, Any]) -> None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    written = yaml.load(PLACE.read_text(encoding="utf-8"), Loader=loader)
    assert written == said, "the doors have changed: `make openapi` writes the file"


def test_the_document_is_valid_openapi(said: dict[str, Any]) -> None:
    """Every type's paths are made by the same function, so those of Task stand for all (all take a minute)."""
    paths = {
        path: item
        for path, item in said["paths"].items()
        if not path.startswith("/fhir/") or path.split("/")[2] in ("Task", "metadata", "_history", "_search")
    }
    assert len(paths) > 30
    assert list(OpenAPIV31SpecValidator({**said, "paths": paths}).iter_errors()) == []


def test_every_operation_has_a_name_of_its_own(said: dict[str, Any]) -> None:
    ids = [
        operation["operationId"]
        for item in said["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict) and "operationId" in operation
    ]
    assert len(ids) == len(set(ids))
