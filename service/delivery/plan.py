"""How much may go to a partner now: what its breaker, its rate and its quiet hours leave.

Rows of one (partner, referral) go out strictly in sequence; different referrals never wait for each other: that
is the lease's statement (store/outbox). A lease is a token and an end; an expired lease *is* availability.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from service.delivery import breaker
from service.delivery.breaker import CLOSED, Breaker
from service.delivery.terms import Terms

LEASE: Final = timedelta(seconds=90)
"""Longer than the longest attempt (30 s time-out, token and DNS included), short enough after a kill -9."""

MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Reach:
    """How a partner can be reached: its breaker, and how many deliveries began in the minute that `since` opened."""

    breaker: Breaker = CLOSED
    since: datetime | None = None
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most `most` deliveries may begin. A `probe` asks whether the partner is back: it may be a delivery that
    is not due yet, and its failure costs that delivery no try."""

    most: int
    probe: bool = False


NOTHING: Final = Allowance(0)


def allowance(reach: Reach, terms: Terms, now: datetime) -> Allowance:
    """What may begin at `now`."""
    if terms.quiet is not None and terms.quiet.holds(now):
        return NOTHING
    left = terms.at_once if terms.rate is None else min(terms.at_once, terms.rate - _begun(reach, now))
    _, admitted = breaker.admit(reach.breaker, now)
    if not admitted or left <= 0:
        return NOTHING
    return Allowance(left) if reach.breaker.state == "closed" else Allowance(1, probe=True)


def taken(reach: Reach, terms: Terms, count: int, now: datetime) -> Reach:
    """The reach once `count` deliveries (at least one) were taken under its allowance."""
    after, _ = breaker.admit(reach.breaker, now)
    if terms.rate is None:
        return replace(reach, breaker=after)
    begun = _begun(reach, now)
    return Reach(after, reach.since if begun else now, begun + count)


def _begun(reach: Reach, now: datetime) -> int:
    return reach.sent if reach.since is not None and now < reach.since + MINUTE else 0
