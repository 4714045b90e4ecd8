"""When which interview is due, to the day; who is owed what is met by what is on record."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.coordination.gpra.windows import Held, span, windows


def held(type_: str, day: date, sequence: int = 1, *, conducted: bool = True, follow_up: str = "") -> Held:
    return Held("TI-026543", "HRS-000412", type_, sequence, day, conducted, follow_up, "Patient/leslie")


INTAKE = held("intake", date(2026, 3, 3))


def test_the_six_month_window_of_the_story_opens_on_3_august_and_closes_on_3_november() -> None:
    [due] = windows([INTAKE])
    assert (due.opens, due.due, due.closes) == (date(2026, 8, 3), date(2026, 9, 3), date(2026, 11, 3))


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2026, 8, 2), "waiting"), (date(2026, 8, 3), "open"), (date(2026, 11, 3), "open"),
        (date(2026, 11, 4), "overdue"),
    ],
)  # fmt: skip
def test_both_days_of_a_window_are_inside_it(today: date, state: str) -> None:
    [due] = windows([INTAKE])
    assert due.state(today) == state


def test_months_end_with_their_last_day() -> None:
    assert span(date(2026, 8, 31), "six-month") == (date(2027, 1, 31), date(2027, 2, 28), date(2027, 4, 30))


def test_a_programme_that_uses_it_owes_a_three_month_interview_too() -> None:
    found = windows([INTAKE], ("three-month", "six-month"))
    assert [(each.type, each.opens, each.closes) for each in found] == [
        ("three-month", date(2026, 5, 3), date(2026, 8, 3)), ("six-month", date(2026, 8, 3), date(2026, 11, 3)),
    ]  # fmt: skip


def test_an_interview_on_record_meets_what_was_owed_conducted_or_not() -> None:
    done = held("six-month", date(2026, 10, 20), follow_up="11")
    missed = held("six-month", date(2026, 11, 3), conducted=False, follow_up="31")
    assert [each.state(date(2026, 12, 1)) for each in windows([INTAKE, done])] == ["conducted"]
    assert [each.state(date(2026, 12, 1)) for each in windows([INTAKE, missed])] == ["not-conducted"]


def test_a_new_intake_and_a_death_end_what_was_owed() -> None:
    again = held("intake", date(2026, 7, 1), 2)
    old, new = windows([INTAKE, again])
    assert (old.ended, new.ended) == ("new-intake", "")
    died = held("three-month", date(2026, 6, 1), conducted=False, follow_up="01")
    assert [each.ended for each in windows([INTAKE, died])] == ["deceased"]


@given(st.dates(date(2015, 1, 1), date(2035, 12, 31)))
def test_a_window_is_three_months_and_holds_its_due_day(day: date) -> None:
    opens, due, closes = span(day, "six-month")
    assert day < opens < due < closes
    assert 88 <= (closes - opens).days <= 92
