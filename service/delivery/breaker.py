"""A circuit breaker for each partner, as values: closed → open → half-open → closed.

A dead partner must not eat the worker's connections, nor be hammered when it returns. The state is stored by
others; this module only says what becomes of it. Nygard, Release It!, 'Circuit Breaker'.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from service.delivery.outcome import Answer, Fault

THRESHOLD = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
PROBE_LEASE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Breaker:
    """`closed`: all pass. `open`: none until `until`. `half-open`: one probe is out, until its lease ends."""

    state: Literal["closed", "open", "half-open"] = "closed"
    failures: int = 0
    trips: int = 0
    until: datetime | None = None


CLOSED = Breaker()


def shows_life(result: Answer | Fault) -> bool:
    """Does this attempt show that the partner's system works? A refusal does; silence, no token and 5xx do not."""
    return isinstance(result, Answer) and (result.status < 500 or result.status in (501, 505))


def admit(breaker: Breaker, now: datetime) -> tuple[Breaker, bool]:
    """May an attempt go out now? The breaker to store with the answer: after a pause one probe may pass."""
    if breaker.state == "closed":
        return breaker, True
    if breaker.until is not None and now < breaker.until:
        return breaker, False
    return replace(breaker, state="half-open", until=now + PROBE_LEASE), True


def succeeded(breaker: Breaker) -> Breaker:
    """The partner answered (2xx, or a refusal that shows it alive): all is forgotten."""
    return breaker if breaker == CLOSED else CLOSED


def failed(breaker: Breaker, now: datetime) -> Breaker:
    """No answer, or 5xx. The fifth in a row, or a failed probe, opens; each trip doubles the pause.

    A straggler that fails while the breaker is open changes nothing: it was sent before.
    """
    if breaker.state == "open":
        return breaker
    failures = breaker.failures + 1
    if breaker.state == "closed" and failures < THRESHOLD:
        return replace(breaker, failures=failures)
    pause = min(FIRST_PAUSE * 2 ** min(breaker.trips, 10), LONGEST_PAUSE)
    return Breaker("open", failures, breaker.trips + 1, now + pause)


def recovered(before: Breaker) -> bool:
    """True when a partner that had been given up for a while has answered: what waited for it may go."""
    return before.trips > 0


def degraded(before: Breaker, after: Breaker) -> bool:
    """True at the moment a partner becomes degraded: worth an alert, once."""
    return before.trips == 0 and after.trips == 1
