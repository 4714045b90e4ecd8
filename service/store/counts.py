"""Counts for the metrics page; their labels name no client and no partner."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric as it stands now: rows of (label values, number)."""

    name: str
    about: str
    labels: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], float], ...]


_ONE = """SELECT
  (SELECT coalesce(extract(epoch FROM now() - min(due)), 0)::float8 FROM delivery
     WHERE settled IS NULL AND due <= now() AND (lease_until IS NULL OR lease_until < now())) AS lag,
  (SELECT count(*) FROM audit_unsealed) AS unsealed,
  (SELECT coalesce(extract(epoch FROM now() - min(a.at)), 0)::float8
     FROM audit_unsealed u JOIN audit a USING (id)) AS unsealed_age,
  (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND granted
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS workers"""


async def counts(connection: Any, workers: int) -> list[Gauge]:
    """How things stand. `workers`: the class of the advisory locks that living workers hold."""
    deliveries = await connection.fetch("SELECT state, count(*) FROM delivery GROUP BY 1 ORDER BY 1")
    referrals = await connection.fetch(
        "SELECT direction, status, count(*) FROM loop GROUP BY 1, 2 ORDER BY 1, 2"
    )
    used = await connection.fetch(
        """SELECT coalesce(state, 'unknown'), count(*) FROM pg_stat_activity
           WHERE application_name = 'casebridge' AND datname = current_database() GROUP BY 1 ORDER BY 1"""
    )
    one = await connection.fetchrow(_ONE, workers)
    return [
        _gauge("deliveries", "Deliveries in the outbox by state", ("state",), deliveries),
        _gauge("referrals", "Referrals by direction and status", ("direction", "status"), referrals),
        _gauge("database_connections", "Connections of all our processes by state", ("state",), used),
        _alone("delivery_lag_seconds", "How long the oldest delivery that is due has waited", one["lag"]),
        _alone("workers", "Delivery workers alive", one["workers"]),
        _alone("audit_unsealed", "Audit rows not yet in the chain", one["unsealed"]),
        _alone("audit_unsealed_seconds", "Age of the oldest of them", one["unsealed_age"]),
    ]


def _gauge(name: str, about: str, labels: tuple[str, ...], found: list[Any]) -> Gauge:
    return Gauge(f"casebridge_{name}", about, labels, tuple((tuple(row)[:-1], row["count"]) for row in found))


def _alone(name: str, about: str, number: float) -> Gauge:
    return Gauge(f"casebridge_{name}", about, (), (((), number),))
