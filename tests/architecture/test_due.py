"""The page and the code system say what the table of timers says."""

import importlib.util
from pathlib import Path

from service.coordination.duplicates import RULES

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_and_the_codes_are_those_of_the_table() -> None:
    spec = importlib.util.spec_from_file_location("write_due", ROOT / "scripts" / "write_due.py")
    assert spec and spec.loader
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    page = (ROOT / writer.PAGE).read_text(encoding="utf-8")
    assert writer.HEAD + writer.table() + writer.TAIL in page, "python scripts/write_due.py"
    assert (ROOT / writer.CODES).read_text(encoding="utf-8") == writer.codes(), "python scripts/write_due.py"


def test_the_page_shows_the_rules_of_duplicates_as_they_are() -> None:
    page = (ROOT / "docs" / "coordination.md").read_text(encoding="utf-8")
    shown = page.split("<!-- rules -->\n")[1].split("\n<!-- end of rules -->")[0].splitlines()[2:]
    assert shown == [f"| `{rule.id}` | {rule.grade} | {rule.text} |" for rule in RULES]
