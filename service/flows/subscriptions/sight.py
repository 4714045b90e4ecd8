"""What a subscriber may see now, of given versions: what it knows of, as consent lets it be seen at this moment.

Asked twice of each event: when it is numbered, and again whenever it is sent.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.fhir.row import Row
from service.flows.access.scopes import parse_all
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.permit import visible
from service.store import subscriptions
from service.store.partners import Partner
from service.store.trail import Ground, Trail, begin

Key = tuple[str, str, int]
"""(type, id, version)."""


@dataclass(frozen=True, slots=True)
class Sight:
    """`rows` as the subscriber sees them; why it sees some (`grounds`) and not others (`withheld`), by reference."""

    rows: Mapping[Key, Row]
    grounds: Mapping[str, Ground]
    withheld: Mapping[str, Ground]


async def sight(context: Context, connection: Any, partner: Partner, wanted: Sequence[Key]) -> Sight:
    """Nothing for a partner that is disabled or whose registration no longer covers the type."""
    caller = Caller(
        partner.client_id,
        partner.name,
        partner.organization,
        frozenset(partner.roles),
        parse_all(partner.scopes),
    )
    asked = [key for key in wanted if partner.disabled_at is None and caller.allows(key[0], "r")]
    if not asked:
        return Sight({}, {}, {})
    return await asyncio.create_task(_sight(context, connection, caller, asked))  # a trail of its own


async def _sight(context: Context, connection: Any, caller: Caller, wanted: Sequence[Key]) -> Sight:
    trail = begin(Trail())
    known = await subscriptions.versions(connection, wanted, caller.viewer)
    seen = await visible(context, connection, caller, [row for row in known if not row.deleted])
    return Sight({(row.type, row.id, row.version): row for row in seen}, trail.grounds, trail.withheld)
