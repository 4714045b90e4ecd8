"""The outbox for people: with partners' names, the last answer, and every attempt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Shown:
    """A delivery. `status` is the HTTP status of its last attempt."""

    seq: int
    id: str
    partner: str
    partner_id: str
    referral: str
    kind: str
    refs: list[str]
    state: str
    reason: str
    attempts: int
    due: datetime
    created: datetime
    settled: datetime | None
    leased: bool
    status: int | None
    patient: str | None


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt of one delivery."""

    delivery: str
    at: datetime
    request_id: str
    status: int | None
    milliseconds: int
    outcome: str
    detail: str


_SELECT = """
SELECT d.seq, d.id, p.name, d.partner, d.loop, d.kind, d.refs, d.state, d.reason, d.attempts, d.due, d.created,
       d.settled, d.lease IS NOT NULL AND d.lease_until > now(),
       (SELECT a.status FROM attempt a WHERE a.delivery = d.id ORDER BY a.id DESC LIMIT 1), l.patient
FROM delivery d JOIN partner p ON p.client_id = d.partner LEFT JOIN loop l ON l.id = d.loop"""


async def page(
    connection: Any, partner: str | None, state: str | None, before: int | None, limit: int
) -> list[Shown]:
    """Newest first, of a partner (client_id) and in a state where given."""
    found = await connection.fetch(
        f"""{_SELECT} WHERE ($1::text IS NULL OR d.partner = $1) AND ($2::text IS NULL OR d.state = $2)
            AND ($3::bigint IS NULL OR d.seq < $3) ORDER BY d.seq DESC LIMIT $4""",
        partner, state, before, limit,
    )  # fmt: skip
    return [Shown(*each) for each in found]


async def of_loop(connection: Any, loop: str, limit: int) -> list[Shown]:
    """Those of one referral, newest first."""
    found = await connection.fetch(f"{_SELECT} WHERE d.loop = $1 ORDER BY d.seq DESC LIMIT $2", loop, limit)
    return [Shown(*each) for each in found]


async def one(connection: Any, id_: str) -> Shown | None:
    """By id."""
    found = await connection.fetchrow(f"{_SELECT} WHERE d.id = $1", id_)
    return Shown(*found) if found else None


async def attempts(connection: Any, deliveries: Sequence[str], limit: int) -> list[Tried]:
    """Attempts of these deliveries, oldest first; the newest `limit` of them."""
    found = await connection.fetch(
        """SELECT delivery, at, request_id, status, milliseconds, outcome, detail FROM attempt
           WHERE delivery = ANY($1::text[]) ORDER BY id DESC LIMIT $2""",
        list(deliveries), limit,
    )  # fmt: skip
    return [Tried(*each) for each in reversed(found)]
