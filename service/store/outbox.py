"""The outbox: leased rows, ordered per (partner, referral), settled under the lease token only.

An expired lease *is* availability: a worker that dies leaves nothing to clean up. A row is offered only when
no earlier row of the same partner and referral is still open; other referrals never wait for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from service.store.unit import Unit

State = Literal["pending", "failing", "delivered", "dead", "withheld"]


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery that this worker may try, until `lease_until`."""

    id: str
    partner: str
    loop: str
    kind: str
    refs: list[str]
    attempts: int
    lease: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Attempted:
    """What one try came to, for the engineer who looks later. Holds no content."""

    at: datetime
    request_id: str
    status: int | None
    milliseconds: int
    outcome: str
    detail: str


_LEASE = """
UPDATE delivery d SET lease = $2, lease_until = $3, attempts = d.attempts + 1
WHERE d.id IN (
  SELECT row.id FROM partner p CROSS JOIN LATERAL (
    SELECT o.id, o.due FROM delivery o
    WHERE o.partner = p.client_id AND o.settled IS NULL AND o.due <= $1
      AND (o.lease_until IS NULL OR o.lease_until <= $1)
      AND NOT EXISTS (
        SELECT 1 FROM delivery e WHERE e.settled IS NULL AND e.partner = o.partner AND e.loop = o.loop
          AND e.seq < o.seq)
    ORDER BY o.due LIMIT $5 FOR UPDATE SKIP LOCKED) row
  WHERE NOT p.client_id = ANY($6::text[])
  ORDER BY row.due LIMIT $4)
RETURNING d.id, d.partner, d.loop, d.kind, d.refs, d.attempts, d.lease, d.created"""


async def lease(
    unit: Unit,
    now: datetime,
    until: datetime,
    token: str,
    limit: int,
    each: int = 4,
    busy: Sequence[str] = (),
) -> list[Leased]:
    """Take up to `limit` due rows for this worker, at most `each` of one partner and none of the `busy` ones.

    The attempt is counted here: a crash counts as a try. `token` begins with the worker's number, see `orphans`.
    """
    rows = await unit.fetch(_LEASE, now, token, until, limit, each, list(busy))
    return [Leased(*row) for row in rows]


WORKERS = 4_215_300
"""The class of the advisory locks that living workers hold: (WORKERS, number of the worker)."""


async def alive(connection: Any, worker: int) -> None:
    """Say on this connection that the worker lives, for as long as the connection does."""
    await connection.execute("SELECT pg_advisory_lock($1::int, $2::int)", WORKERS, worker)


async def orphans(unit: Unit) -> int:
    """Give back the leases of workers that are no more, without waiting for them to expire.

    PostgreSQL drops a dead worker's lock with its connection. A worker that merely lost its connection may still
    be sending: then the row is sent twice, with one effect, and only the new lease settles it.
    """
    done = await unit.execute(
        """UPDATE delivery SET lease = NULL, lease_until = NULL
           WHERE settled IS NULL AND lease IS NOT NULL AND split_part(lease, ':', 1)::bigint NOT IN (
             SELECT objid::bigint FROM pg_locks
             WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND granted)""",
        WORKERS,
    )
    return int(done.split()[-1])


async def settle(
    unit: Unit, leased: Leased, state: State, reason: str, now: datetime, due: datetime | None = None
) -> bool:
    """Write the outcome; False when the lease was lost meanwhile (somebody else has the row now).

    `failing` needs `due`, the next try; the other states are final.
    """
    done = await unit.execute(
        """UPDATE delivery SET state = $3, reason = $4, lease = NULL, lease_until = NULL,
             due = COALESCE($6, due), settled = CASE WHEN $3 = 'failing' THEN NULL ELSE $5::timestamptz END
           WHERE id = $1 AND lease = $2""",
        leased.id, leased.lease, state, reason, now, due,
    )  # fmt: skip
    return done == "UPDATE 1"


async def attempted(unit: Unit, delivery: str, attempt: Attempted) -> None:
    """Keep the record of one try."""
    await unit.execute(
        """INSERT INTO attempt (delivery, at, request_id, status, milliseconds, outcome, detail)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        delivery, attempt.at, attempt.request_id, attempt.status, attempt.milliseconds, attempt.outcome,
        attempt.detail,
    )  # fmt: skip


async def next_due(connection: Any) -> datetime | None:
    """When the next open row becomes due, None when nothing is open."""
    found: datetime | None = await connection.fetchval(
        "SELECT min(GREATEST(due, COALESCE(lease_until, due))) FROM delivery WHERE settled IS NULL"
    )
    return found


async def listing(
    connection: Any, partner: str | None, state: str | None, limit: int = 200
) -> list[dict[str, Any]]:
    """Deliveries for people: newest first, with the partner's name and the last attempt's status."""
    found = await connection.fetch(
        """SELECT d.id, p.name AS partner, d.loop AS referral, d.kind, d.state, d.reason, d.attempts, d.due,
                  d.created, d.settled,
                  (SELECT a.status FROM attempt a WHERE a.delivery = d.id ORDER BY a.id DESC LIMIT 1) AS status
           FROM delivery d JOIN partner p ON p.client_id = d.partner
           WHERE ($1::text IS NULL OR p.name = $1) AND ($2::text IS NULL OR d.state = $2)
           ORDER BY d.seq DESC LIMIT $3""",
        partner, state, limit,
    )  # fmt: skip
    return [dict(each) for each in found]


async def reopen(
    unit: Unit, now: datetime, ids: list[str] | None, partner: str | None, state: str | None
) -> list[str]:
    """Make rows due now (`casebridge replay`): by id, or by partner's name and state. Not what was delivered, and
    not what a worker holds."""
    found = await unit.fetch(
        """UPDATE delivery d SET state = 'pending', reason = '', settled = NULL, due = $1, attempts = 0
           FROM partner p WHERE p.client_id = d.partner AND d.state NOT IN ('delivered', 'pending')
             AND (d.lease_until IS NULL OR d.lease_until <= $1)
             AND ($2::text[] IS NULL OR d.id = ANY($2)) AND ($3::text IS NULL OR p.name = $3)
             AND ($4::text IS NULL OR d.state = $4)
           RETURNING d.id""",
        now, ids, partner, state,
    )  # fmt: skip
    return [each["id"] for each in found]
