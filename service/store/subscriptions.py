"""Subscriptions of partners: what is asked, what happened for each, and who is to be told now.

A commit leaves a row of `change` for each version of a type that somebody subscribes to (see store.unit). One hand at
a time turns them into numbered events (`LOCK`), so numbers have no gaps and writers never wait for a counter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from service.fhir.catalogue import DIRECTORY
from service.fhir.row import Row
from service.store.resources import COLUMNS, Viewer, row
from service.store.unit import Unit

LOCK = "subscriptions/number"


@dataclass(frozen=True, slots=True)
class Subscription:
    """See schema.subscriptions.Subscription; `filters` as pairs."""

    id: str
    partner: str
    type: str
    topic: str
    filters: tuple[tuple[str, str], ...]
    content: str
    channel: str
    endpoint: str
    mime: str
    headers: bytes
    heartbeat: int | None
    timeout: int | None
    max_count: int
    until: datetime | None
    status: str
    counter: int
    sent: int
    attempts: int
    due: datetime
    spoken: datetime
    lease: str | None
    why: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A version that may concern somebody. `version` is that of the deletion where `deleted`."""

    seq: int
    type: str
    id: str
    version: int
    at: datetime
    deleted: bool


@dataclass(frozen=True, slots=True)
class Event:
    """See schema.subscriptions.SubscriptionEvent."""

    subscription: str
    number: int
    at: datetime
    word: str
    type: str
    resource: str
    version: int


_NAMES = tuple(Subscription.__dataclass_fields__)
_COLUMNS = ", ".join(f"s.{name}" for name in _NAMES)
_EVENT = ", ".join(Event.__dataclass_fields__)


def _subscription(record: Any) -> Subscription:
    values = dict(zip(_NAMES, record, strict=True))
    flat = values["filters"]
    values["filters"] = tuple(zip(flat[::2], flat[1::2], strict=True))
    return Subscription(**values)


_PUT = f"""
INSERT INTO subscription ({", ".join(_NAMES)})
VALUES ({", ".join(f"${place}" for place in range(1, len(_NAMES) + 1))})
ON CONFLICT (id) DO UPDATE SET
  type = EXCLUDED.type, topic = EXCLUDED.topic, filters = EXCLUDED.filters, content = EXCLUDED.content,
  channel = EXCLUDED.channel, endpoint = EXCLUDED.endpoint, mime = EXCLUDED.mime, headers = EXCLUDED.headers,
  heartbeat = EXCLUDED.heartbeat, timeout = EXCLUDED.timeout, max_count = EXCLUDED.max_count,
  until = EXCLUDED.until, status = EXCLUDED.status, attempts = 0, due = EXCLUDED.due, why = '',
  lease = NULL, lease_until = NULL"""  # noqa: S608


async def put(unit: Unit, one: Subscription) -> None:
    """Keep what is asked, new or changed; numbers go on where they were, and an attempt under way loses its lease."""
    values = [getattr(one, name) for name in _NAMES]
    values[_NAMES.index("filters")] = [text for pair in one.filters for text in pair]
    await unit.execute(_PUT, *values)


async def drop(unit: Unit, id_: str) -> None:
    """Forget it and its events."""
    await unit.execute("DELETE FROM subscription WHERE id = $1", id_)


async def known(connection: Any, ids: Sequence[str]) -> dict[str, Subscription]:
    """By id."""
    found = await connection.fetch(f"SELECT {_COLUMNS} FROM subscription s WHERE s.id = ANY($1)", list(ids))  # noqa: S608
    return {each["id"]: _subscription(each) for each in found}


async def of_partner(connection: Any, partner: str) -> list[Subscription]:
    """All of one partner, oldest first."""
    sql = f"SELECT {_COLUMNS} FROM subscription s WHERE s.partner = $1 ORDER BY s.created, s.id"  # noqa: S608
    return [_subscription(each) for each in await connection.fetch(sql, partner)]


async def listening(connection: Any, types: Sequence[str]) -> list[Subscription]:
    """Those that events of these types may concern."""
    sql = f"SELECT {_COLUMNS} FROM subscription s WHERE s.type = ANY($1) AND s.status <> 'off' ORDER BY s.id"  # noqa: S608
    return [_subscription(each) for each in await connection.fetch(sql, list(types))]


# changes to events


async def waiting(connection: Any) -> bool:
    """Is there a change to be weighed?"""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT 1 FROM change)"))


async def changes(unit: Unit, limit: int) -> list[Change]:
    """The oldest committed changes. Of one resource they come in the order of its versions: a later version is
    written under a lock that the earlier one's commit gave back."""
    found = await unit.fetch(
        "SELECT seq, type, id, version, at, deleted FROM change ORDER BY seq LIMIT $1", limit
    )
    return [Change(*each) for each in found]


async def weighed(unit: Unit, done: Sequence[Change]) -> None:
    """These changes are events now, or nobody's."""
    await unit.execute("DELETE FROM change WHERE seq = ANY($1::bigint[])", [each.seq for each in done])


async def versions(connection: Any, wanted: Sequence[tuple[str, str, int]], viewer: Viewer) -> list[Row]:
    """These versions, of those resources that the viewer knows; deletions too."""
    columns = ", ".join(f"v.{name}" for name in COLUMNS.split(", "))
    found = await connection.fetch(
        f"""SELECT {columns} FROM unnest($1::text[], $2::text[], $3::int[]) AS w(type, id, version)
            JOIN resource r ON r.type = w.type AND r.id = w.id
            JOIN LATERAL (
              SELECT {COLUMNS} FROM resource x WHERE x.type = w.type AND x.id = w.id AND x.version = w.version
              UNION ALL SELECT {COLUMNS} FROM resource_version x
                WHERE x.type = w.type AND x.id = w.id AND x.version = w.version) v ON true
            WHERE $4::text IS NULL OR r.author = $4 OR r.type = ANY($5::text[])
              OR EXISTS (SELECT 1 FROM share s WHERE s.party = $4 AND s.type = r.type AND s.id = r.id)""",  # noqa: S608
        [type_ for type_, _, _ in wanted], [id_ for _, id_, _ in wanted], [number for _, _, number in wanted],
        viewer, list(DIRECTORY),
    )  # fmt: skip
    return [row(each) for each in found]


async def number(unit: Unit, found: Sequence[Event]) -> None:
    """Keep events, numbered already, and the counters they bring with them."""
    if not found:
        return
    names = tuple(Event.__dataclass_fields__)
    columns = [[getattr(each, name) for each in found] for name in names]
    await unit.execute(
        f"""INSERT INTO subscription_event ({_EVENT})
            SELECT * FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[],
                                 $7::int[])""",  # noqa: S608
        *columns,
    )
    await unit.execute(
        """UPDATE subscription s SET counter = e.number
           FROM (SELECT id, max(number) AS number FROM unnest($1::text[], $2::bigint[]) AS e(id, number) GROUP BY id) e
           WHERE s.id = e.id""",
        columns[0], columns[1],
    )  # fmt: skip


async def events(connection: Any, id_: str, first: int, last: int, limit: int) -> list[Event]:
    """Events `first` to `last`, both included, in order; at most `limit`."""
    found = await connection.fetch(
        f"""SELECT {_EVENT} FROM subscription_event
            WHERE subscription = $1 AND number BETWEEN $2 AND $3 ORDER BY number LIMIT $4""",  # noqa: S608
        id_, first, last, limit,
    )  # fmt: skip
    return [Event(*each) for each in found]


# telling


_NEWS = """h.due <= $1 AND (h.lease_until IS NULL OR h.lease_until <= $1)
      AND (h.status = 'requested' OR (h.until <= $1 AND h.status <> 'off')
           OR (h.status = 'active' AND (h.counter > h.sent
               OR h.spoken + h.heartbeat * interval '1 second' <= $1)))"""
_LEASE = f"""
UPDATE subscription s SET lease = $3, lease_until = $2 WHERE s.id IN (
  SELECT row.id FROM partner p
    LEFT JOIN unnest($6::text[], $7::int[], $8::text[]) AS a (partner, most, shut) ON a.partner = p.client_id
    CROSS JOIN LATERAL (
      SELECT h.id, h.due FROM subscription h
      WHERE h.partner = p.client_id AND {_NEWS}
        AND (COALESCE(a.shut, '') = '' OR NOT starts_with(lower(h.endpoint) || '/', a.shut))
      ORDER BY h.due FOR UPDATE SKIP LOCKED
      LIMIT GREATEST(0, LEAST(4, COALESCE(a.most, (p.terms ->> 'at_once')::int, 4)
        - (SELECT count(*) FROM delivery u WHERE u.partner = p.client_id AND u.settled IS NULL AND u.lease_until > $1)
        - (SELECT count(*) FROM subscription n WHERE n.partner = p.client_id AND n.lease_until > $1)))) row
  WHERE NOT p.client_id = ANY($5::text[])
    AND (a.partner IS NOT NULL OR NOT EXISTS (SELECT 1 FROM reach r WHERE r.partner = p.client_id))
  ORDER BY row.due LIMIT $4)
RETURNING {_COLUMNS}"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Ration:
    """What a watched partner may be told: at most so many notifications, none to addresses that begin with `shut`."""

    most: int
    shut: str = ""


async def news(connection: Any, now: datetime) -> bool:
    """Is there anything to be told?"""
    return bool(await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM subscription h WHERE {_NEWS})", now))  # noqa: S608


async def lease(
    unit: Unit,
    now: datetime,
    until: datetime,
    token: str,
    limit: int,
    busy: Sequence[str],
    rations: Mapping[str, Ration] = MappingProxyType({}),
) -> list[Subscription]:
    """Take up to `limit` subscriptions that have something to be told, at most four of one partner, and no more than
    it may have under way at once, deliveries included. A watched partner that has no ration gets nothing."""
    most, shut = [each.most for each in rations.values()], [each.shut for each in rations.values()]
    found = await unit.fetch(_LEASE, now, until, token, limit, list(busy), list(rations), most, shut)
    return [_subscription(each) for each in found]


async def told(unit: Unit, one: Subscription, up_to: int, now: datetime) -> bool:
    """The endpoint took a notification with events to `up_to`; the lease is given back. False when it was lost."""
    done = await unit.execute(
        """UPDATE subscription SET sent = $3, spoken = $4, due = $4, attempts = 0, why = '', lease = NULL,
             lease_until = NULL WHERE id = $1 AND lease = $2""",
        one.id, one.lease, up_to, now,
    )  # fmt: skip
    return done == "UPDATE 1"


async def failed(unit: Unit, one: Subscription, attempts: int, due: datetime, why: str) -> bool:
    """It did not; again at `due`. False when the lease was lost."""
    done = await unit.execute(
        """UPDATE subscription SET attempts = $3, due = $4, why = $5, lease = NULL, lease_until = NULL
           WHERE id = $1 AND lease = $2""",
        one.id, one.lease, attempts, due, why,
    )  # fmt: skip
    return done == "UPDATE 1"


async def stands(unit: Unit, one: Subscription, status: str, why: str, now: datetime) -> bool:
    """A new status that the server gives; False when the lease was lost: then the client has asked anew."""
    done = await unit.execute(
        """UPDATE subscription SET status = $3, why = $4, attempts = 0, due = $5, lease = NULL, lease_until = NULL,
             spoken = CASE WHEN $3 = 'active' THEN $5 ELSE spoken END
           WHERE id = $1 AND lease = $2""",
        one.id, one.lease, status, why, now,
    )  # fmt: skip
    return done == "UPDATE 1"


async def forget(unit: Unit, before: datetime) -> int:
    """Events older than this are not kept; returns how many were forgotten."""
    done = await unit.execute("DELETE FROM subscription_event WHERE at < $1", before)
    return int(done.split()[-1])


async def orphans(unit: Unit, workers: int) -> int:
    """Give back the leases of workers that are no more (see store.outbox.orphans)."""
    done = await unit.execute(
        """UPDATE subscription SET lease = NULL, lease_until = NULL
           WHERE lease IS NOT NULL AND split_part(lease, ':', 1)::bigint NOT IN (
             SELECT objid::bigint FROM pg_locks
             WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND granted)""",
        workers,
    )
    return int(done.split()[-1])
