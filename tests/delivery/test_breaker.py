"""A sick partner is left alone, probed one at a time, and welcomed back."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from service.delivery.breaker import (
    CLOSED,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    PROBE_LEASE,
    THRESHOLD,
    Breaker,
    admit,
    degraded,
    failed,
    succeeded,
)  # fmt: skip

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)


def opened(now: datetime = NOW) -> Breaker:
    breaker = CLOSED
    for _ in range(THRESHOLD):
        breaker = failed(breaker, now)
    return breaker


def test_four_failures_are_weather_the_fifth_is_illness() -> None:
    breaker = CLOSED
    for _ in range(THRESHOLD - 1):
        breaker = failed(breaker, NOW)
    assert breaker.state == "closed"
    assert failed(breaker, NOW).state == "open"


def test_an_open_breaker_admits_nobody_until_its_pause_ends() -> None:
    assert admit(opened(), NOW + FIRST_PAUSE - timedelta(seconds=1)) == (opened(), False)
    assert admit(opened(), NOW + FIRST_PAUSE)[1]


def test_one_probe_at_a_time() -> None:
    probing, passed = admit(opened(), NOW + FIRST_PAUSE)
    assert passed
    assert admit(probing, NOW + FIRST_PAUSE)[1] is False


def test_a_probe_whose_worker_died_does_not_block_for_ever() -> None:
    probing, _ = admit(opened(), NOW + FIRST_PAUSE)
    assert admit(probing, NOW + FIRST_PAUSE + PROBE_LEASE)[1]


def test_a_good_probe_closes_a_bad_one_doubles_the_pause() -> None:
    probing, _ = admit(opened(), NOW + FIRST_PAUSE)
    assert succeeded(probing) == CLOSED
    again = failed(probing, NOW)
    assert (again.state, again.until) == ("open", NOW + FIRST_PAUSE * 2)


def test_a_straggler_does_not_lengthen_the_pause() -> None:
    assert failed(opened(), NOW + timedelta(seconds=20)) == opened()


def test_degradation_is_told_once() -> None:
    almost = Breaker(failures=THRESHOLD - 1)
    assert degraded(almost, failed(almost, NOW))
    probing, _ = admit(opened(), NOW + FIRST_PAUSE)
    assert not degraded(probing, failed(probing, NOW))


class BreakerLife(RuleBasedStateMachine):
    """Whatever happens, probes are single, pauses bounded, and a partner that answers is served."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker, self.now, self.in_a_row = CLOSED, NOW, 0
        self.probe_until: datetime | None = None

    @rule(seconds=st.integers(0, 1200))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def asks(self) -> None:
        was = self.breaker
        self.breaker, passed = admit(self.breaker, self.now)
        if was.state == "closed":
            assert passed
        elif passed:
            assert self.probe_until is None or self.now >= self.probe_until, "two probes at once"
            self.probe_until = self.now + PROBE_LEASE

    @rule()
    def fails(self) -> None:
        self.breaker, self.in_a_row = failed(self.breaker, self.now), self.in_a_row + 1
        self.probe_until = None

    @rule()
    def succeeds(self) -> None:
        self.breaker, self.in_a_row, self.probe_until = succeeded(self.breaker), 0, None

    @invariant()
    def is_sane(self) -> None:
        if self.in_a_row < THRESHOLD:
            assert self.breaker.state == "closed"
        else:
            assert self.breaker.state != "closed"
        if self.breaker.until is not None:
            assert self.breaker.until - self.now <= max(LONGEST_PAUSE, PROBE_LEASE)
        assert admit(self.breaker, self.now + LONGEST_PAUSE)[1], "shut for ever"


TestBreakerLife = BreakerLife.TestCase
TestBreakerLife.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
