"""What next for an outbox row: wait, wait behind another, lease it, or nothing more.

Rows of one order key (partner, referral) go out strictly in sequence; different keys never wait for each
other. A lease is a token and an end; an expired lease *is* availability, and only the holder of the current
token may settle. (faststream-outbox, Sentry's per-mailbox lesson: docs/decisions.)
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NewType, assert_never

from service.delivery.outcome import Dead, Delivered, Outcome, Retry, Withheld

LEASE = timedelta(seconds=90)
"""Longer than the longest attempt (30 s time-out, token and DNS included), short enough after a kill -9."""

Status = Literal["pending", "failing", "delivered", "dead", "withheld"]
OrderKey = NewType("OrderKey", str)
OPEN: frozenset[Status] = frozenset({"pending", "failing"})


@dataclass(frozen=True, slots=True)
class Row:
    """What planning needs to know of an outbox row; `attempts` already made."""

    id: str
    key: OrderKey
    sequence: int
    due: datetime
    status: Status = "pending"
    attempts: int = 0
    lease: str = ""
    leased_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """The columns to write for a finished attempt, under the lease token it was made with."""

    status: Status
    due: datetime | None
    attempts: int
    reason: str = ""


def order_key(partner: str, referral: str, row: str) -> OrderKey:
    """The ordering key: (partner, referral); what belongs to no referral is ordered with nothing."""
    return OrderKey(f"{partner}\x1f{referral}" if referral else f"{partner}\x1f\x1f{row}")


def available(row: Row, now: datetime) -> bool:
    """Open, due, and not in another worker's hands."""
    held = row.leased_until is not None and now < row.leased_until
    return row.status in OPEN and row.due <= now and not held


def ready(rows: Iterable[Row], now: datetime) -> tuple[Row, ...]:
    """The rows that may go out now: of each key only the first open one, oldest due first."""
    heads: dict[OrderKey, Row] = {}
    for row in rows:
        if row.status in OPEN and (row.key not in heads or row.sequence < heads[row.key].sequence):
            heads[row.key] = row
    return tuple(sorted((row for row in heads.values() if available(row, now)), key=lambda row: row.due))


def lease(row: Row, token: str, now: datetime, length: timedelta = LEASE) -> Row:
    """The row as taken by the worker that holds `token`."""
    return replace(row, lease=token, leased_until=now + length)


def holds(row: Row, token: str) -> bool:
    """Only the current token settles: a worker that slept through its lease changes nothing."""
    return bool(token) and row.lease == token and row.status in OPEN


def settle(row: Row, outcome: Outcome, now: datetime) -> Settled:
    """What becomes of the row. A dead or withheld row lets the next one of its key pass."""
    attempts = row.attempts + 1
    match outcome:
        case Delivered():
            return Settled("delivered", None, attempts)
        case Retry(delay, why):
            return Settled("failing", now + delay, attempts, why)
        case Dead(reason, why):
            return Settled("dead", None, attempts, f"{reason}: {why}")
        case Withheld(reason, why):
            return Settled("withheld", None, row.attempts, f"{reason}: {why}")
        case _:
            assert_never(outcome)
