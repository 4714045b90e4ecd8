"""Working days, months and the end of a day, as an agency's calendar has them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.coordination.calendar import BadCalendar, Calendar, calendar, months, working_days

HARBOR = calendar("America/Chicago", holidays=[date(2026, 3, 27), date(2026, 5, 25)])
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    ("begun", "count", "due"),
    [
        (date(2026, 3, 9), 2, date(2026, 3, 11)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),  # over the weekend
        (date(2026, 3, 7), 1, date(2026, 3, 9)),  # begun on a Saturday
        (date(2026, 3, 26), 1, date(2026, 3, 30)),  # over the holiday and the weekend
        (date(2026, 3, 9), 15, date(2026, 3, 31)),
        (date(2026, 3, 30), -1, date(2026, 3, 26)),
        (date(2026, 3, 28), 0, date(2026, 3, 30)),
        (date(2026, 3, 30), 0, date(2026, 3, 30)),
    ],
)
def test_working_days_skip_weekends_and_holidays(begun: date, count: int, due: date) -> None:
    assert working_days(begun, count, HARBOR) == due


@given(DAYS, st.integers(1, 60))
def test_between_a_day_and_its_nth_working_day_lie_n_working_days(day: date, count: int) -> None:
    due = working_days(day, count, HARBOR)
    between = [day + timedelta(days=each) for each in range(1, (due - day).days + 1)]
    assert sum(HARBOR.works(each) for each in between) == count
    assert HARBOR.works(due)


@pytest.mark.parametrize(
    ("day", "count", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 3, 3), 5, date(2026, 8, 3)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
    ],
)
def test_months_end_where_the_month_does(day: date, count: int, later: date) -> None:
    assert months(day, count) == later


def test_a_day_ends_at_midnight_where_the_agency_is() -> None:
    assert HARBOR.end_of(date(2026, 3, 7)) == datetime(2026, 3, 8, 6, tzinfo=UTC)
    assert HARBOR.end_of(date(2026, 3, 8)) == datetime(2026, 3, 9, 5, tzinfo=UTC), (
        "summer time began that night"
    )
    assert HARBOR.day_of(datetime(2026, 3, 10, 4, 59, tzinfo=UTC)) == date(2026, 3, 9)


@pytest.mark.parametrize("working", [[], [7], [-1]])
def test_a_calendar_without_a_working_week_is_refused(working: list[int]) -> None:
    with pytest.raises(BadCalendar, match="weekday"):
        calendar("UTC", working)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(BadCalendar, match="Mars"):
        calendar("Mars/Olympus")


def test_a_calendar_of_holidays_only_does_not_search_for_ever() -> None:
    never = Calendar(
        "UTC", frozenset({0}), frozenset(date(2026, 1, 5) + timedelta(weeks=w) for w in range(200))
    )
    with pytest.raises(BadCalendar):
        working_days(date(2026, 1, 1), 1, never)
