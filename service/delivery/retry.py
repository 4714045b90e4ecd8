"""When to try again: the Standard Webhooks schedule, jittered, over about 75 hours, and Retry-After.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (10 tries over
75 h 35 m with jitter; honour Retry-After), RFC 9110 §10.2.3.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""The wait after the first, second, … failed attempt: 5 s, 30 s, 5 min, 30 min, 2, 5, 10, 14, 20, 24 h = 75.6 h.

The 30 s are ours: a partner that restarts is back by then, and a referral need not wait five minutes for it."""

JITTER = 0.2
"""Each wait is spread evenly over ±20 %, so that a partner that returns is not met by all at once."""

LONGEST_WISH = timedelta(hours=24)
"""The longest Retry-After we follow; a partner that asks for a year does not park a referral for a year."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A partner's schedule of waits; the number of attempts is one more than the waits."""

    schedule: tuple[timedelta, ...] = SCHEDULE
    jitter: float = JITTER
    longest_wish: timedelta = LONGEST_WISH

    @property
    def attempts(self) -> int:
        """How often a delivery is tried in all."""
        return len(self.schedule) + 1


STANDARD = Policy()


def backoff(attempt: int, random: float, policy: Policy = STANDARD) -> timedelta | None:
    """The wait after failed attempt `attempt` (from 1), `random` in [0, 1); None when tries are spent."""
    if attempt < 1:
        raise ValueError("attempts are counted from 1")
    if attempt > len(policy.schedule):
        return None
    return policy.schedule[attempt - 1] * (1 - policy.jitter + 2 * policy.jitter * random)


def wait(
    attempt: int, random: float, wish: timedelta | None = None, policy: Policy = STANDARD
) -> timedelta | None:
    """As `backoff`, but never sooner than the partner wished (up to the longest wish we follow)."""
    own = backoff(attempt, random, policy)
    if own is None or wish is None:
        return own
    return max(own, min(wish, policy.longest_wish))


def retry_after(header: str | None, now: datetime) -> timedelta | None:
    """Retry-After as a wait: delay-seconds or an HTTP-date; None for absent, malformed or past."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:12]), 10**9))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    left = moment - now
    return left if left > timedelta() else None
