"""Open referrals: who may claim them. The first that does has it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.store.unit import Unit


async def offer(unit: Unit, task: str, partners: Sequence[str], now: datetime) -> None:
    """These partners, and no others, may claim the Task; what others knew by the offer alone they know no more."""
    await unit.execute(
        """WITH gone AS (DELETE FROM offer WHERE task = $1 AND NOT partner = ANY($2::text[]) RETURNING partner)
           DELETE FROM share WHERE loop = $1 AND party IN (SELECT partner FROM gone)""",
        task, list(partners),
    )  # fmt: skip
    await unit.execute(
        "INSERT INTO offer (task, partner, since) SELECT $1, unnest($2::text[]), $3 ON CONFLICT DO NOTHING",
        task, list(partners), now,
    )  # fmt: skip


async def offered(connection: Any, task: str, partner: str) -> bool:
    """May this partner claim the Task?"""
    sql = "SELECT 1 FROM offer WHERE task = $1 AND partner = $2"
    return await connection.fetchrow(sql, task, partner) is not None


async def claimed(unit: Unit, task: str, partner: str) -> None:
    """The Task is this partner's: the offers end, and the others know nothing by it any more."""
    await unit.execute("DELETE FROM share WHERE loop = $1 AND party <> $2", task, partner)
    await unit.execute("DELETE FROM offer WHERE task = $1", task)
