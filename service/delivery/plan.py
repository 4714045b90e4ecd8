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


def left(reach: Reach, terms: Terms, now: datetime) -> int:
    """How many may begin at `now` by quiet hours, rate and what may be under way at once; the breaker apart."""
    if terms.quiet is not None and terms.quiet.holds(now):
        return 0
    return max(
        0, terms.at_once if terms.rate is None else min(terms.at_once, terms.rate - _begun(reach, now))
    )


def allowance(reach: Reach, terms: Terms, now: datetime) -> Allowance:
    """What may begin at `now`."""
    most = left(reach, terms, now)
    _, admitted = breaker.admit(reach.breaker, now)
    if not admitted or most == 0:
        return NOTHING
    return Allowance(most) if reach.breaker.state == "closed" else Allowance(1, probe=True)


def taken(reach: Reach, terms: Terms, count: int, now: datetime) -> Reach:
    """The reach once `count` deliveries (at least one) were taken under its allowance."""
    after, _ = breaker.admit(reach.breaker, now)
    return counted(replace(reach, breaker=after), terms, count, now)


def counted(reach: Reach, terms: Terms, count: int, now: datetime) -> Reach:
    """The reach once `count` more have begun in its minute; the breaker stays as it is."""
    if terms.rate is None:
        return reach
    begun = _begun(reach, now)
    return replace(reach, since=reach.since if begun else now, sent=begun + count)


def _begun(reach: Reach, now: datetime) -> int:
    return reach.sent if reach.since is not None and now < reach.since + MINUTE else 0
