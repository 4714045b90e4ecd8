from datetime import UTC, datetime

import pytest

from service.fhir.search.moments import BEGINNING, END, interval, period


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", at(2026, 1, 1), at(2027, 1, 1)),
        ("2026-12", at(2026, 12, 1), at(2027, 1, 1)),
        ("2026-02-28", at(2026, 2, 28), at(2026, 3, 1)),
        ("2026-03-01T10:00", at(2026, 3, 1, 10), at(2026, 3, 1, 10, 1)),
        ("2026-03-01T10:00:30", at(2026, 3, 1, 10, 0, 30), at(2026, 3, 1, 10, 0, 31)),
        ("2026-03-01T10:00:30-05:00", at(2026, 3, 1, 15, 0, 30), at(2026, 3, 1, 15, 0, 31)),
        ("2026-03-01T10:00:30.25Z", at(2026, 3, 1, 10, 0, 30, 250000), at(2026, 3, 1, 10, 0, 30, 260000)),
        ("9999-12-31", at(9999, 12, 31), END),
    ],
)
def test_a_date_stands_for_all_its_instants(text: str, low: datetime, high: datetime) -> None:
    assert interval(text) == (low, high)


@pytest.mark.parametrize(
    "text", ["", "26", "2026-13", "2026-02-30", "2026-03-01T25:00", "2026-03-01 ", "0000"]
)
def test_what_is_no_date_has_no_instants(text: str) -> None:
    assert interval(text) is None


def test_an_open_period_reaches_to_the_end_of_time() -> None:
    assert period({"start": "2026"}) == (at(2026, 1, 1), END)
    assert period({"end": "2026"}) == (BEGINNING, at(2027, 1, 1))
    assert period({}) is None
