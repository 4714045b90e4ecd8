"""Counts for the metrics page; their labels name no client."""

from typing import Any

Count = tuple[str, dict[str, str], int]


async def counts(connection: Any) -> list[Count]:
    """(metric, labels, number) rows: deliveries by state, referrals by direction and status."""
    deliveries = await connection.fetch("SELECT state, count(*) AS n FROM delivery GROUP BY 1 ORDER BY 1")
    referrals = await connection.fetch(
        "SELECT direction, status, count(*) AS n FROM loop GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [("casebridge_deliveries", {"state": row["state"]}, row["n"]) for row in deliveries] + [
        ("casebridge_referrals", {"direction": row["direction"], "status": row["status"]}, row["n"])
        for row in referrals
    ]
