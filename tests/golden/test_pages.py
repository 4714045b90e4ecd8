"""docs/golden is what scripts/write_golden.py writes of the pairs of now."""

from scripts.write_golden import PAGES, pages


def test_the_pages_side_by_side_are_those_of_the_pairs() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    wanted = pages()
    assert sorted(written) == sorted(wanted)
    stale = [name for name, content in wanted.items() if written[name] != content]
    assert stale == [], "run scripts/write_golden.py and read the difference"
