"""docs/requirements.md is walked: what the page says serves a requirement is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from service.__main__ import app
from service.casework.records import kinds, schema
from service.fhir.catalogue import catalogue
from service.mapping.names import RSS_SERVICE
from service.mapping.terms import terms

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 7
PUBLISHED = {"AuditEvent"}
"""Served beside the catalogue: written by the service itself."""
RECORD_VERBS = {"PUT", "GET", "DELETE", "history"}
SYSTEM = {"transaction", "batch", "events"}


def rows() -> list[list[str]]:
    lines = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if re.match(r"\| \d", line)
    ]


ROWS = rows()


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def every(column: int) -> list[tuple[str, str]]:
    return [(row[0], word) for row in ROWS for word in named(row[column])]


def test_every_requirement_has_one_row_of_seven_cells() -> None:
    assert [row[0] for row in ROWS] == [str(number) for number in range(1, 64)]
    assert {len(row) for row in ROWS} == {COLUMNS}


def test_every_row_says_where_it_stands_and_what_is_not_there() -> None:
    for number, *_, stands in ROWS:
        assert re.match(r"(served|in part: .+|outside: .+)", stands), number


def test_every_row_that_is_served_names_what_serves_it_and_what_shows_it() -> None:
    for number, _, field, resource, operation, shown, _stands in ROWS:
        assert named(resource) and named(operation) and named(shown), number
        assert named(field) or "`Provenance`" in resource or "`AuditEvent`" in resource, number


def steps(node: dict[str, Any], whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The object schemas behind a node: through references, arrays and unions."""
    if "$ref" in node:
        yield from steps(whole["$defs"][node["$ref"].rsplit("/", 1)[1]], whole)
    for each in (node.get("items"), *node.get("anyOf", ()), *node.get("allOf", ())):
        if each:
            yield from steps(each, whole)
    if "properties" in node:
        yield node


def has(path: str) -> bool:
    kind, *members = path.split(".")
    if kind not in kinds:
        return False
    whole = schema(kind)
    nodes = [whole]
    for member in members:
        found = [node["properties"][member] for node in nodes if member in node["properties"]]
        if not found:
            return False
        nodes = [inner for each in found for inner in steps(each, whole)]
    return True


@pytest.mark.parametrize(("number", "path"), every(2))
def test_every_field_is_in_the_schema_of_its_record(number: str, path: str) -> None:
    if path.startswith("service:"):
        assert terms().display(RSS_SERVICE, path.removeprefix("service:")), f"#{number}"
    else:
        assert has(path), f"#{number}"


def test_a_field_that_is_not_there_is_noticed() -> None:
    assert has("care-plans.goals.targets.due")
    assert not has("care-plans.goals.targets.colour")
    assert not has("wishes.id")


@pytest.mark.parametrize(("number", "type_"), every(3))
def test_every_resource_is_served(number: str, type_: str) -> None:
    assert type_ in catalogue or type_ in PUBLISHED, f"#{number}"


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    yield " ".join(path)
    if isinstance(command, click.Group) or hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from commands(inner, (*path, name))


@pytest.mark.parametrize(("number", "operation"), every(4))
def test_every_operation_is_offered(number: str, operation: str) -> None:
    verb, _, what = operation.partition(" ")
    if verb == "casebridge":
        offered = what in set(commands(typer.main.get_command(app)))
    elif operation.startswith("$"):
        operations = ROOT / "fhir_profiles" / "operations"
        offered = any(f'"code": "{operation[1:]}"' in path.read_text() for path in operations.glob("*.json"))
    elif what in kinds:
        offered = verb in RECORD_VERBS
    elif what in catalogue:
        offered = verb in catalogue[what].interactions
    else:
        offered = operation in SYSTEM
    assert offered, f"#{number}"


@pytest.mark.parametrize(("number", "proof"), every(5))
def test_every_proof_exists(number: str, proof: str) -> None:
    if proof.startswith("golden:"):
        assert (ROOT / "tests" / "golden" / f"{proof.removeprefix('golden:')}.record.json").exists(), (
            f"#{number}"
        )
        return
    path, _, name = proof.partition("::")
    source = (ROOT / "tests" / path).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"#{number}"
