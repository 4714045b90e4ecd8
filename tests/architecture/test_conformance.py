"""The ledger of docs/conformance.md names tests that exist, and forgets no SHALL of the guide's own list."""

import csv
import re
from pathlib import Path

import pytest
from parts import SHARED

ROOT = Path(__file__).resolve().parents[2]
LEDGER = (ROOT / "docs/conformance.md").read_text()
NAMED = sorted(set(re.findall(r"`((?:[a-z_]+/)*test_\w+\.py)::(\w+)`", LEDGER)))


@pytest.mark.parametrize("path", sorted({path for path, _ in NAMED}))
def test_every_test_the_ledger_names_is_there(path: str) -> None:
    text = (ROOT / "tests" / path).read_text()
    missing = [
        name for at, name in NAMED if at == path and not re.search(rf"^(async )?def {name}\(", text, re.M)
    ]
    assert missing == []


def test_every_shall_of_smart_is_in_the_ledger_once() -> None:
    table = SHARED / "design/tables/server_requirements.csv"
    if not table.is_file():
        pytest.skip("the table of requirements is not on this machine")
    with table.open() as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["req"].startswith("hl7.fhir.uv.smart-app-launch_2.2.0@")
        ]
    due = sorted(
        row["req"].rpartition("@")[2]
        for row in rows
        if row["conformance"].startswith("SHALL") and "NOT" not in row["conformance"]
    )
    smart = LEDGER.partition("## SMART App Launch")[2].partition("\n## ")[0]
    told = sorted(re.findall(r"^\| (\d+) \|", smart, re.M))
    assert set(due) - set(told) == set()
    assert len(told) == len(set(told))


def test_no_requirement_that_is_ours_stands_without_a_test() -> None:
    ours = LEDGER.partition("## SMART App Launch")[2].partition("Not ours:")[0]
    bare = [line for line in ours.splitlines() if re.match(r"\| \d+ \|", line) and "::" not in line]
    assert bare == []


def test_every_shall_of_bulk_data_is_in_the_ledger_once_and_ours_with_a_test() -> None:
    bulk = LEDGER.partition("## Bulk Data Access")[2].partition("\n## ")[0]
    told = re.findall(r"^\| (\d+) \|", bulk, re.M)
    assert len(told) == len(set(told)) > 100
    ours = bulk.partition("Not ours:")[0]
    assert [line for line in ours.splitlines() if re.match(r"\| \d+ \|", line) and "::" not in line] == []
    table = SHARED / "design/tables/server_requirements.csv"
    if not table.is_file():
        pytest.skip("the table of requirements is not on this machine")
    with table.open() as file:
        rows = [row for row in csv.DictReader(file) if row["req"].startswith("hl7.fhir.uv.bulkdata_2.0.0@")]
    due = {row["req"].rpartition("@")[2] for row in rows if row["conformance"].startswith("SHALL")}
    assert due - set(told) == set()
