"""How partners can be reached: a row for each partner that fails or that is paced; none means all is well."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.delivery.breaker import Breaker
from service.delivery.plan import Reach
from service.delivery.terms import Terms
from service.store.partners import terms_of
from service.store.unit import Unit

_COLUMNS = "r.state, r.failures, r.trips, r.until, r.since, r.sent"


@dataclass(frozen=True, slots=True)
class Watched:
    """A partner that has a row, with its terms."""

    partner: str
    reach: Reach
    terms: Terms
    base: str


def _reach(record: Any) -> Reach:
    state, failures, trips, until, since, sent = record
    return Reach(Breaker(state, failures, trips, until), since, sent)


async def watched(unit: Unit) -> list[Watched]:
    """The partners that have a row, each locked until commit; not those another worker has locked."""
    found = await unit.fetch(
        f"""SELECT r.partner, p.terms::text AS terms, COALESCE(p.fhir_base, '') AS base, {_COLUMNS} FROM reach r
            JOIN partner p ON p.client_id = r.partner ORDER BY r.partner FOR UPDATE OF r SKIP LOCKED"""  # noqa: S608
    )
    return [
        Watched(row["partner"], _reach(tuple(row)[3:]), terms_of(row["terms"], row["partner"]), row["base"])
        for row in found
    ]


async def held(unit: Unit, partner: str) -> Reach:
    """The partner's reach, locked until commit. One statement makes it or locks it, whoever removes it meanwhile."""
    sql = f"""INSERT INTO reach AS r (partner) VALUES ($1)
              ON CONFLICT (partner) DO UPDATE SET partner = r.partner RETURNING {_COLUMNS}"""  # noqa: S608
    return _reach(tuple(await unit.fetchrow(sql, partner)))


async def keep(unit: Unit, partner: str, reach: Reach) -> None:
    """Write it back."""
    await unit.execute(
        """UPDATE reach SET state = $2, failures = $3, trips = $4, until = $5, since = $6, sent = $7
           WHERE partner = $1""",
        partner, reach.breaker.state, reach.breaker.failures, reach.breaker.trips, reach.breaker.until,
        reach.since, reach.sent,
    )  # fmt: skip


async def pace(unit: Unit, partner: str, paced: bool) -> None:
    """A paced partner has a row from now on; one that is not paced any more loses it if nothing fails."""
    if paced:
        await unit.execute("INSERT INTO reach (partner) VALUES ($1) ON CONFLICT DO NOTHING", partner)
    else:
        sql = "DELETE FROM reach WHERE partner = $1 AND state = 'closed' AND failures = 0"
        await unit.execute(sql, partner)


async def released(unit: Unit, partner: str, now: datetime) -> int:
    """The partner is back: what waits for a later try is due now, spread over ten seconds. Returns how many
    deliveries."""
    await unit.execute(
        """UPDATE subscription SET due = $2::timestamptz + random() * interval '10 seconds' WHERE id IN (
             SELECT id FROM subscription WHERE partner = $1 AND status = 'active' AND attempts > 0
               AND lease IS NULL AND due > $2 FOR UPDATE SKIP LOCKED)""",
        partner, now,
    )  # fmt: skip
    done = await unit.execute(
        """UPDATE delivery SET due = $2::timestamptz + random() * interval '10 seconds' WHERE id IN (
             SELECT id FROM delivery WHERE partner = $1 AND settled IS NULL AND state = 'failing'
               AND lease IS NULL AND due > $2 FOR UPDATE SKIP LOCKED)""",
        partner, now,
    )  # fmt: skip
    return int(done.split()[-1])
