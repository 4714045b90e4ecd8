"""Our own Subscriptions at partners' servers: one for each partner that is listened to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Listening:
    """See schema.subscriptions.Listening."""

    partner: str
    handle: str
    secret: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    remote: str | None
    state: str
    heard: int
    missing: bool
    heard_at: datetime | None
    polled: datetime | None
    next_poll: datetime
    next_look: datetime
    failures: int
    why: str


_NAMES = tuple(Listening.__dataclass_fields__)
_COLUMNS = ", ".join(f"n.{name}" for name in _NAMES)
_WANTED = "p.delivery = 'subscribe' AND p.fhir_base IS NOT NULL AND p.disabled_at IS NULL"


async def strangers(connection: Any, limit: int = 20) -> list[str]:
    """Partners that should be listened to and are not yet."""
    found = await connection.fetch(
        f"""SELECT p.client_id FROM partner p WHERE {_WANTED}
            AND NOT EXISTS (SELECT 1 FROM listening n WHERE n.partner = p.client_id) LIMIT $1""",  # noqa: S608
        limit,
    )
    return [each["client_id"] for each in found]


async def begin(unit: Unit, one: Listening) -> None:
    """Listen to a partner; a second beginning changes nothing."""
    places = ", ".join(f"${place}" for place in range(1, len(_NAMES) + 1))
    await unit.execute(
        f"INSERT INTO listening ({', '.join(_NAMES)}) VALUES ({places}) ON CONFLICT DO NOTHING",  # noqa: S608
        *(getattr(one, name) for name in _NAMES),
    )


async def due(
    unit: Unit, now: datetime, again: timedelta, limit: int, busy: Sequence[str]
) -> list[Listening]:
    """Those to be looked after or searched now, put off by `again` so that one worker has each; `next_look` and
    `next_poll` come as they were, so that it is plain what was due."""
    found = await unit.fetch(
        f"""UPDATE listening n
            SET next_look = GREATEST(n.next_look, $1 + $2), next_poll = GREATEST(n.next_poll, $1 + $2)
            FROM (SELECT h.partner, h.next_look, h.next_poll FROM listening h JOIN partner p ON p.client_id = h.partner
                  WHERE {_WANTED} AND (h.next_look <= $1 OR (h.state <> 'active' AND h.next_poll <= $1))
                    AND NOT h.partner = ANY($4::text[])
                  ORDER BY h.next_look LIMIT $3 FOR UPDATE OF h SKIP LOCKED) was
            WHERE n.partner = was.partner
            RETURNING {_COLUMNS.replace("n.next", "was.next")}""",  # noqa: S608
        now, again, limit, list(busy),
    )  # fmt: skip
    return [Listening(*each) for each in found]


async def by_handle(unit: Unit, handle: str) -> Listening | None:
    """Locked, so that notifications that come at once are weighed one after the other."""
    sql = f"SELECT {_COLUMNS} FROM listening n WHERE n.handle = $1 FOR UPDATE"  # noqa: S608
    found = await unit.fetchrow(sql, handle)
    return Listening(*found) if found else None


async def everyone(connection: Any) -> list[Listening]:
    """All, for people."""
    found = await connection.fetch(f"SELECT {_COLUMNS} FROM listening n ORDER BY n.partner")  # noqa: S608
    return [Listening(*each) for each in found]


async def stands(
    unit: Unit, partner: str, state: str, why: str, look: datetime, *, failures: int = 0
) -> None:
    """How it is with our Subscription, and when to look after it again."""
    await unit.execute(
        "UPDATE listening SET state = $2, why = $3, next_look = $4, failures = $5 WHERE partner = $1",
        partner, state, why, look, failures,
    )  # fmt: skip


async def asked(
    unit: Unit, partner: str, remote: str, look: datetime, *, anew: bool, failures: int = 0
) -> None:
    """The partner has our Subscription. `anew`: it is another one, which counts from the beginning. A handshake may
    have come before this answer: then it is active already."""
    await unit.execute(
        """UPDATE listening SET remote = $2, next_look = $3, why = '', failures = $5,
             state = CASE WHEN state = 'active' AND remote IS NULL THEN state ELSE 'asked' END,
             heard = CASE WHEN $4 THEN 0 ELSE heard END, missing = missing OR $4
           WHERE partner = $1""",
        partner, remote, look, anew, failures,
    )  # fmt: skip


async def lost(unit: Unit, partner: str, why: str, now: datetime) -> None:
    """The partner has it no more: another is asked for at once."""
    await unit.execute(
        """UPDATE listening SET remote = NULL, state = 'new', why = $2, heard = 0, missing = true, next_look = $3
           WHERE partner = $1""",
        partner, why, now,
    )  # fmt: skip


async def heard(
    unit: Unit, partner: str, number: int, *, missing: bool, active: bool, now: datetime, wake: bool = True
) -> None:
    """A notification was taken: everything up to `number` is known, or something is missing and is looked for soon.

    A handshake does not `wake`: it may be quicker than the answer to our asking, and to look then would be to ask a
    second time.
    """
    await unit.execute(
        """UPDATE listening SET heard = $2, missing = $3, heard_at = $5, why = CASE WHEN $4 THEN '' ELSE why END,
             state = CASE WHEN $4 THEN 'active' ELSE state END,
             next_look = CASE WHEN $3 AND $6 THEN $5 ELSE next_look END
           WHERE partner = $1""",
        partner, number, missing, active, now, wake,
    )  # fmt: skip


async def caught_up(unit: Unit, one: Listening, number: int) -> None:
    """Nothing is missing up to `number`, unless a notification said meanwhile that there is more."""
    await unit.execute(
        """UPDATE listening SET heard = GREATEST(heard, $2),
             missing = missing AND heard_at IS DISTINCT FROM $3 WHERE partner = $1""",
        one.partner, number, one.heard_at,
    )  # fmt: skip


async def polled(unit: Unit, partner: str, up_to: datetime | None, again: datetime) -> None:
    """Everything that the partner changed up to this moment of its own clock has been seen."""
    await unit.execute(
        "UPDATE listening SET polled = COALESCE($2, polled), next_poll = $3 WHERE partner = $1",
        partner,
        up_to,
        again,
    )


async def look_at(unit: Unit, partner: str, tasks: Sequence[str] | None, now: datetime) -> int:
    """The open loops of these Tasks (absolute URLs; None: all of the partner) are read as soon as may be."""
    done = await unit.execute(
        """UPDATE loop SET next_poll = $3 WHERE partner = $1 AND NOT closed AND direction = 'outbound'
           AND next_poll IS NOT NULL AND ($2::text[] IS NULL OR remote_task IS NULL OR remote_task = ANY($2)
                OR abort_remote = ANY($2))""",
        partner, None if tasks is None else list(tasks), now,
    )  # fmt: skip
    await unit.execute("SELECT pg_notify('deliveries', '')")
    return int(done.split()[-1])


async def oldest(connection: Any, partner: str) -> datetime | None:
    """When the oldest open referral to the partner was opened."""
    sql = "SELECT min(opened) FROM loop WHERE partner = $1 AND NOT closed AND direction = 'outbound'"
    found: datetime | None = await connection.fetchval(sql, partner)
    return found
