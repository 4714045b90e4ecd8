"""When partners were last heard of, and what waits for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Contact:
    """`called`: its last request here. `reached`: our last delivery there that it took. `reach`: the circuit
    breaker's state, open until `until`."""

    partner: str
    called: datetime | None
    reached: datetime | None
    waiting: int
    failing: int
    dead: int
    reach: str
    until: datetime | None


_CONTACTS = """
SELECT p.client_id,
  (SELECT a.at FROM audit a WHERE a.organization = p.organization AND a.client = p.client_id
     AND a.kind IN ('access', 'token') ORDER BY a.at DESC LIMIT 1),
  (SELECT d.settled FROM delivery d WHERE d.partner = p.client_id AND d.state = 'delivered'
     ORDER BY d.seq DESC LIMIT 1),
  coalesce(c.waiting, 0), coalesce(c.failing, 0), coalesce(c.dead, 0),
  coalesce(r.state, 'closed'), r.until
FROM partner p LEFT JOIN (
  SELECT partner, count(*) FILTER (WHERE state = 'pending') AS waiting,
         count(*) FILTER (WHERE state = 'failing') AS failing, count(*) FILTER (WHERE state = 'dead') AS dead
  FROM delivery WHERE settled IS NULL OR state IN ('failing', 'dead', 'withheld') GROUP BY partner
) c ON c.partner = p.client_id LEFT JOIN reach r ON r.partner = p.client_id
WHERE $1::text IS NULL OR p.client_id = $1"""


async def contacts(connection: Any, partner: str | None = None) -> dict[str, Contact]:
    """Of every partner, or of one, by client_id."""
    return {each[0]: Contact(*each) for each in await connection.fetch(_CONTACTS, partner)}
