"""When to try again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.delivery.retry import JITTER, LONGEST_WISH, SCHEDULE, STANDARD, backoff, retry_after, wait

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
luck = st.floats(0, 1, exclude_max=True)


def test_eleven_attempts_over_about_75_hours() -> None:
    assert STANDARD.attempts == 11
    assert timedelta(hours=75) < sum(SCHEDULE, timedelta()) < timedelta(hours=76)


@given(st.integers(1, len(SCHEDULE)), luck)
def test_a_wait_stays_within_its_jitter(attempt: int, random: float) -> None:
    got = backoff(attempt, random)
    assert got is not None
    assert SCHEDULE[attempt - 1] * (1 - JITTER) <= got <= SCHEDULE[attempt - 1] * (1 + JITTER)


@given(st.integers(1, len(SCHEDULE) - 1), luck, luck)
def test_waits_grow_whatever_the_luck_after_the_first(attempt: int, one: float, other: float) -> None:
    shorter, longer = backoff(attempt, one), backoff(attempt + 1, other)
    assert shorter is not None
    assert longer is not None
    assert attempt >= 5 or shorter < longer


@given(st.lists(luck, min_size=10, max_size=10))
def test_in_all_a_delivery_is_tried_for_at_least_sixty_hours(lucks: list[float]) -> None:
    waits = [backoff(attempt, random) for attempt, random in enumerate(lucks, 1)]
    assert timedelta(hours=60) <= sum((one for one in waits if one), timedelta()) <= timedelta(hours=91)


@pytest.mark.parametrize("attempt", [11, 12, 1000])
def test_after_the_last_attempt_there_is_no_wait(attempt: int) -> None:
    assert backoff(attempt, 0.5) is None
    assert wait(attempt, 0.5, timedelta(seconds=1)) is None


@given(st.integers(1, 10), luck, st.timedeltas(timedelta(), timedelta(days=400)))
def test_a_partners_wish_is_never_undercut_up_to_a_day(attempt: int, random: float, wish: timedelta) -> None:
    got = wait(attempt, random, wish)
    assert got is not None
    assert got >= min(wish, LONGEST_WISH)
    assert got <= max(LONGEST_WISH, SCHEDULE[attempt - 1] * (1 + JITTER))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120), (" 7 ", 7), ("0", 0), ("Wed, 11 Mar 2026 12:01:00 GMT", 60),
        ("Wed, 11 Mar 2026 11:00:00 GMT", None), (None, None), ("", None), ("soon", None), ("-5", None),
        ("1.5", None), ("٣", None), ("9" * 400, 10**9),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_and_never_nonsense(header: str | None, seconds: int | None) -> None:
    got = retry_after(header, NOW)
    assert (got.total_seconds() if got is not None else None) == seconds


@given(st.text(max_size=60))
def test_no_header_breaks_it(header: str) -> None:
    retry_after(header, NOW)
