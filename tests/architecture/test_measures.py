"""The page of the measures says what the table says, and every measure is counted somewhere."""

from pathlib import Path

from service.coordination.measures.table import Measure, measures
from service.flows.measures.gather import OF_CASE
from service.mapping.counting import OF_CLIENT

PAGE = Path(__file__).resolve().parents[2] / "docs" / "measures.md"
OF_ALL = {"duplicates", "loops", "caseload", "continuity", "qualified", "coverage"}


def line(row: Measure) -> str:
    unit = f"; {row.unit}, the median" if row.unit else ""
    numbers = ", ".join(map(str, row.requirements))
    return f"| `{row.name}` | {row.title} | {row.population} | {row.numerator}{unit} | {', '.join(row.stratifiers)} | {numbers} |"


def test_the_page_is_that_of_the_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    told = text.partition("<!-- measures -->\n")[2].partition("<!-- end of measures -->")[0].splitlines()
    head = ["| measure | | of | counted | told apart by | requirement |", "|---|---|---|---|---|---|"]
    assert told == [*head, *map(line, measures.values())]


def test_every_measure_is_counted_in_one_place() -> None:
    places = [*OF_CLIENT, *OF_CASE, *OF_ALL]
    assert sorted(places) == sorted(measures)
