"""How much may go to a partner now."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.delivery.breaker import THRESHOLD, Breaker, failed
from service.delivery.plan import MINUTE, NOTHING, Allowance, Reach, allowance, taken
from service.delivery.terms import STANDARD, Terms, quiet

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
PACED = Terms(rate=10)


def given_up() -> Reach:
    breaker = Breaker()
    for _ in range(THRESHOLD):
        breaker = failed(breaker, NOW)
    return Reach(breaker)


def test_a_healthy_partner_gets_as_much_at_once_as_agreed() -> None:
    assert allowance(Reach(), Terms(at_once=7), NOW) == Allowance(7)


def test_a_partner_that_has_been_given_up_gets_nothing_during_its_pause() -> None:
    assert allowance(given_up(), STANDARD, NOW + timedelta(seconds=1)) == NOTHING


def test_after_its_pause_one_probe_may_go_and_no_second_while_it_is_out() -> None:
    later = NOW + timedelta(seconds=31)
    assert allowance(given_up(), STANDARD, later) == Allowance(1, probe=True)
    assert allowance(taken(given_up(), STANDARD, 1, later), STANDARD, later) == NOTHING


def test_in_quiet_hours_nothing_goes_not_even_a_probe() -> None:
    noon = Terms(quiet=quiet("11:00-13:00 UTC"))
    assert allowance(Reach(), noon, NOW) == NOTHING
    assert allowance(given_up(), noon, NOW + timedelta(minutes=2)) == NOTHING
    assert allowance(Reach(), noon, NOW + timedelta(hours=1)) == Allowance(4)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 4)), min_size=1, max_size=60))
def test_in_no_counted_minute_more_begins_than_the_rate(steps: list[tuple[int, int]]) -> None:
    """Seconds between two looks, and how many rows were waiting at each."""
    now, reach, begun = NOW, Reach(), dict[datetime, int]()
    for wait, waiting in steps:
        now += timedelta(seconds=wait)
        count = min(waiting, allowance(reach, PACED, now).most)
        if count:
            reach = taken(reach, PACED, count, now)
            assert reach.since is not None
            assert reach.since <= now < reach.since + MINUTE
            begun[reach.since] = begun.get(reach.since, 0) + count
    assert all(count <= 10 for count in begun.values())


def test_a_full_minute_is_over_after_a_minute() -> None:
    full = Reach(since=NOW, sent=10)
    assert allowance(full, PACED, NOW + timedelta(seconds=59)) == NOTHING
    assert allowance(full, PACED, NOW + MINUTE) == Allowance(4)
