"""How things stand: counts for the first page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Counted:
    """`number` things of `what` with these words; `old` of them have not moved since the moment asked about."""

    what: str
    first: str
    second: str
    number: int
    old: int


_STANDING = """
SELECT 'open' AS what, direction AS first, status AS second, count(*) AS number,
       count(*) FILTER (WHERE updated < $1) AS old
FROM loop WHERE NOT closed GROUP BY direction, status
UNION ALL SELECT 'closed', direction, status, count(*), 0 FROM loop WHERE closed AND updated >= $2
GROUP BY direction, status
UNION ALL SELECT 'delivery', d.state, '', count(*), 0 FROM delivery d JOIN loop l ON l.id = d.loop
WHERE d.state IN ('failing', 'dead', 'withheld') AND (d.state = 'failing' OR NOT l.closed) GROUP BY d.state
UNION ALL SELECT 'delivery', state, '', count(*), 0 FROM delivery WHERE settled IS NULL AND state = 'pending'
GROUP BY state
UNION ALL SELECT 'partner', CASE WHEN disabled_at IS NULL THEN 'enabled' ELSE 'disabled' END, '', count(*), 0
FROM partner GROUP BY 2
UNION ALL SELECT 'webhook', 'stopped', '', count(*), 0 FROM webhook WHERE stopped <> ''
"""


async def standing(connection: Any, stalled: datetime, since: datetime) -> list[Counted]:
    """Open loops by direction and status, those closed `since`, deliveries by state, partners, stopped webhooks.

    Dead and withheld deliveries of a closed loop need nobody and are not counted. Old is before `stalled`.
    """
    return [Counted(*each) for each in await connection.fetch(_STANDING, stalled, since)]
