"""Webhooks: a cursor into the events feed for each receiver, leased while its events are pushed in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Webhook:
    """See schema.Webhook. `after` is the cursor behind the last event taken."""

    id: str
    source: str
    url: str
    secrets: bytes
    after: str
    attempts: int
    lease: str | None
    stopped: str
    last: str
    created: datetime

    @property
    def partner(self) -> str:
        """Whom the work concerns: each webhook is a receiver of its own."""
        return f"webhook/{self.id}"


_COLUMNS = """w.id, w.source, w.url, w.secrets, w.xid::text || '-' || w.event, w.attempts, w.lease, w.stopped,
  w.last, w.created"""


async def add(unit: Unit, webhook: Webhook, cursor: tuple[int, int]) -> None:
    """Register."""
    await unit.execute(
        """INSERT INTO webhook (id, source, url, secrets, xid, event, due, created)
           VALUES ($1, $2, $3, $4, $5::text::xid8, $6, $7, $7)""",
        webhook.id, webhook.source, webhook.url, webhook.secrets, str(cursor[0]), cursor[1], webhook.created,
    )  # fmt: skip


async def everyone(connection: Any) -> list[Webhook]:
    """All webhooks, oldest first."""
    found = await connection.fetch(f"SELECT {_COLUMNS} FROM webhook w ORDER BY created, id")  # noqa: S608
    return [Webhook(*row) for row in found]


async def known(connection: Any, id_: str) -> Webhook | None:
    """One webhook."""
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM webhook w WHERE id = $1", id_)  # noqa: S608
    return Webhook(*row) if row else None


async def remove(unit: Unit, id_: str) -> bool:
    """Forget it; False when there is none."""
    return await unit.execute("DELETE FROM webhook WHERE id = $1", id_) == "DELETE 1"


async def restart(unit: Unit, id_: str, cursor: tuple[int, int] | None, now: datetime) -> bool:
    """Push on from now, or again from a cursor, whether it was stopped or not. A running attempt loses its lease."""
    done = await unit.execute(
        """UPDATE webhook SET stopped = '', attempts = 0, due = $4, lease = NULL, lease_until = NULL,
             xid = COALESCE($2::text::xid8, xid), event = COALESCE($3::bigint, event) WHERE id = $1""",
        id_, str(cursor[0]) if cursor else None, cursor[1] if cursor else None, now,
    )  # fmt: skip
    return done == "UPDATE 1"


async def with_secrets(unit: Unit, id_: str, secrets: bytes) -> bool:
    """Exchange the (encrypted) secrets."""
    return await unit.execute("UPDATE webhook SET secrets = $2 WHERE id = $1", id_, secrets) == "UPDATE 1"


async def lease(
    unit: Unit, now: datetime, until: datetime, token: str, limit: int, busy: Sequence[str]
) -> list[Webhook]:
    """Take up to `limit` webhooks that are due and have events to push."""
    rows = await unit.fetch(
        f"""UPDATE webhook w SET lease = $3, lease_until = $2 WHERE w.id IN (
              SELECT h.id FROM webhook h
              WHERE h.stopped = '' AND h.due <= $1 AND (h.lease_until IS NULL OR h.lease_until <= $1)
                AND NOT 'webhook/' || h.id = ANY($5::text[])
                AND EXISTS (SELECT 1 FROM event e WHERE e.source = h.source AND (e.xid, e.id) > (h.xid, h.event)
                              AND e.xid < pg_snapshot_xmin(pg_current_snapshot()))
              ORDER BY h.due LIMIT $4 FOR UPDATE SKIP LOCKED)
            RETURNING {_COLUMNS}""",  # noqa: S608
        now, until, token, limit, list(busy),
    )  # fmt: skip
    return [Webhook(*row) for row in rows]


async def taken(unit: Unit, webhook: Webhook, cursor: tuple[int, int], last: str, until: datetime) -> bool:
    """The receiver has the event in front of the cursor; keep the lease. False when it was lost."""
    done = await unit.execute(
        """UPDATE webhook SET xid = $3::text::xid8, event = $4, attempts = 0, last = $5, lease_until = $6
           WHERE id = $1 AND lease = $2""",
        webhook.id, webhook.lease, str(cursor[0]), cursor[1], last, until,
    )  # fmt: skip
    return done == "UPDATE 1"


async def settle(
    unit: Unit, webhook: Webhook, *, due: datetime, attempts: int, last: str | None = None, stopped: str = ""
) -> None:
    """Give the lease back: go on at `due`, or stop for this reason."""
    await unit.execute(
        """UPDATE webhook SET lease = NULL, lease_until = NULL, due = $3, attempts = $4,
             last = COALESCE($5, last), stopped = $6 WHERE id = $1 AND lease = $2""",
        webhook.id, webhook.lease, due, attempts, last, stopped,
    )  # fmt: skip


async def orphans(unit: Unit, workers: int) -> int:
    """Give back the leases of workers that are no more (see store.outbox.orphans)."""
    done = await unit.execute(
        """UPDATE webhook SET lease = NULL, lease_until = NULL
           WHERE lease IS NOT NULL AND split_part(lease, ':', 1)::bigint NOT IN (
             SELECT objid::bigint FROM pg_locks
             WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND granted)""",
        workers,
    )
    return int(done.split()[-1])
