"""The outbox: leased rows, ordered per (partner, referral), settled under the lease token only.

An expired lease *is* availability: a worker that dies leaves nothing to clean up. A row is offered only when
no earlier row of the same partner and referral is still open; other referrals never wait for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from service.delivery.plan import Allowance
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
    due: datetime
    watched: bool

    def early(self, now: datetime) -> bool:
        """Is this a probe: sent before it was due, to see whether the partner is back?"""
        return self.due > now


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
UPDATE delivery d SET lease = $2, lease_until = $3, attempts = d.attempts + (d.due <= $1)::int
WHERE d.id IN (
  SELECT row.id FROM partner p
    LEFT JOIN unnest($6::text[], $7::int[], $8::bool[]) AS a (partner, most, probe) ON a.partner = p.client_id
    CROSS JOIN LATERAL (
      SELECT o.id, o.due FROM delivery o
      WHERE o.partner = p.client_id AND o.settled IS NULL
        AND o.due <= CASE WHEN a.probe THEN 'infinity'::timestamptz ELSE $1 END
        AND (o.lease_until IS NULL OR o.lease_until <= $1)
        AND NOT EXISTS (
          SELECT 1 FROM delivery e WHERE e.settled IS NULL AND e.partner = o.partner AND e.loop = o.loop
            AND e.seq < o.seq)
      ORDER BY o.due FOR UPDATE SKIP LOCKED
      LIMIT GREATEST(0, COALESCE(a.most, (p.terms ->> 'at_once')::int, 4) - (
        SELECT count(*) FROM delivery u WHERE u.partner = p.client_id AND u.settled IS NULL AND u.lease_until > $1)
        - (SELECT count(*) FROM subscription n WHERE n.partner = p.client_id AND n.lease_until > $1))
      ) row
  WHERE NOT p.client_id = ANY($5::text[])
    AND (a.partner IS NOT NULL OR NOT EXISTS (SELECT 1 FROM reach r WHERE r.partner = p.client_id))
  ORDER BY row.due LIMIT $4)
RETURNING d.id, d.partner, d.loop, d.kind, d.refs, d.attempts, d.lease, d.created, d.due,
  d.partner = ANY($6) AS watched"""


async def lease(
    unit: Unit,
    now: datetime,
    until: datetime,
    token: str,
    limit: int,
    allowed: Mapping[str, Allowance] = MappingProxyType({}),
    busy: Sequence[str] = (),
) -> list[Leased]:
    """Take up to `limit` due rows for this worker, none of the `busy` partners, and of each no more than it may
    have under way with all workers together.

    `allowed` says what each watched partner may get (store/reach); a watched partner that is not in it (another
    worker decides on it at this moment) gets nothing. The try is counted here, so a crash counts as one; a probe
    of a row that is not due does not. `token` begins with the worker's number, see `orphans`.
    """
    partners = list(allowed)
    most, probes = [allowed[each].most for each in partners], [allowed[each].probe for each in partners]
    rows = await unit.fetch(_LEASE, now, token, until, limit, list(busy), partners, most, probes)
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


async def awaits(connection: Any, partner: str, reference: str) -> bool:
    """Is a delivery of this resource (`Type/id`) to the partner still to be settled?"""
    sql = "SELECT 1 FROM delivery WHERE partner = $1 AND $2 = ANY(refs) AND settled IS NULL LIMIT 1"
    return await connection.fetchrow(sql, partner, reference) is not None


async def attempted(unit: Unit, delivery: str, attempt: Attempted) -> None:
    """Keep the record of one try."""
    await unit.execute(
        """INSERT INTO attempt (delivery, at, request_id, status, milliseconds, outcome, detail)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        delivery, attempt.at, attempt.request_id, attempt.status, attempt.milliseconds, attempt.outcome,
        attempt.detail,
    )  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are to be sent again: by id, by partner's name, by state, by when they were put out [since, until)."""

    ids: Sequence[str] = ()
    partner: str | None = None
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None


_WANTED = """
p.client_id = d.partner AND (d.lease_until IS NULL OR d.lease_until <= $1)
  AND d.state = ANY($2::text[]) AND ($3::text[] = '{}' OR d.id = ANY($3)) AND ($4::text IS NULL OR p.name = $4)
  AND ($5::timestamptz IS NULL OR d.created >= $5) AND ($6::timestamptz IS NULL OR d.created < $6)"""


def _asked(now: datetime, wanted: Wanted) -> tuple[Any, ...]:
    states = [wanted.state] if wanted.state else ["failing", "dead", "withheld"]
    return now, states, list(wanted.ids), wanted.partner, wanted.since, wanted.until


async def reopenable(connection: Any, now: datetime, wanted: Wanted) -> list[str]:
    """The ids that `reopen` would make due, oldest first."""
    sql = f"SELECT d.id FROM delivery d JOIN partner p ON {_WANTED} ORDER BY d.seq"  # noqa: S608
    return [each["id"] for each in await connection.fetch(sql, *_asked(now, wanted))]


async def reopen(unit: Unit, now: datetime, wanted: Wanted) -> list[str]:
    """Make rows due now (`casebridge replay`). Without a state: failing, dead and withheld ones; what was
    delivered only when asked for by name; never what a worker holds."""
    found = await unit.fetch(
        f"""UPDATE delivery d SET state = 'pending', reason = '', settled = NULL, due = $1, attempts = 0
            FROM partner p WHERE {_WANTED} RETURNING d.id""",  # noqa: S608
        *_asked(now, wanted),
    )
    return [each["id"] for each in found]
