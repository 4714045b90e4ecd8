"""Open referrals: who may claim them. The first that does has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """An open referral past its term: to whom it is offered (names), and since when."""

    task: str
    partners: list[str]
    since: datetime


async def offer(
    unit: Unit, task: str, partners: Sequence[str], now: datetime, until: datetime | None = None
) -> None:
    """These partners, and no others, may claim the Task; what others knew by the offer alone they know no
    more.

    `until`: its term; another one than before is a new offer, of which will be told again.
    """
    await unit.execute(
        """WITH gone AS (DELETE FROM offer WHERE task = $1 AND NOT partner = ANY($2::text[]) RETURNING partner)
           DELETE FROM share WHERE loop = $1 AND party IN (SELECT partner FROM gone)""",
        task, list(partners),
    )  # fmt: skip
    await unit.execute(
        """INSERT INTO offer AS o (task, partner, since, until) SELECT $1, unnest($2::text[]), $3, $4
           ON CONFLICT (task, partner) DO UPDATE SET until = EXCLUDED.until, since = EXCLUDED.since, told = NULL
           WHERE o.until IS DISTINCT FROM EXCLUDED.until""",
        task, list(partners), now, until,
    )  # fmt: skip


async def offered(connection: Any, task: str, partner: str) -> bool:
    """May this partner claim the Task?"""
    sql = "SELECT 1 FROM offer WHERE task = $1 AND partner = $2"
    return await connection.fetchrow(sql, task, partner) is not None


async def claimed(unit: Unit, task: str, partner: str) -> None:
    """The Task is this partner's: the offers end, and the others know nothing by it any more."""
    await unit.execute("DELETE FROM share WHERE loop = $1 AND party <> $2", task, partner)
    await unit.execute("DELETE FROM offer WHERE task = $1", task)


async def unclaimed(unit: Unit, now: datetime, since: datetime) -> list[Unclaimed]:
    """Open referrals of which every offer is past its term (without one: made before `since`) and of which nobody
    has been told yet; they are now."""
    found = await unit.fetch(
        """WITH late AS (
             UPDATE offer SET told = $1 WHERE told IS NULL AND task IN (
               SELECT task FROM offer GROUP BY task
               HAVING bool_and(CASE WHEN until IS NULL THEN since < $2 ELSE until <= $1 END)) RETURNING task)
           SELECT o.task, array_agg(p.name ORDER BY p.name), min(o.since)
           FROM offer o JOIN partner p ON p.client_id = o.partner
           WHERE o.task IN (SELECT task FROM late) GROUP BY o.task ORDER BY o.task""",
        now, since,
    )  # fmt: skip
    return [Unclaimed(*each) for each in found]
