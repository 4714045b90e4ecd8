"""What goes out, what does not, why, and trying again."""

from urllib.parse import urlencode

from service.flows.console.visit import PAGE, View, Visit
from service.flows.keep import absent
from service.flows.outbox_view import STATES, replay
from service.kernel.failures import Refused
from service.store import partners
from service.store.console import deliveries as store
from service.store.outbox import State, Wanted
from service.store.trail import current

AGAIN: tuple[State, ...] = ("failing", "dead", "withheld")
"""States from which a delivery can be tried again."""


async def listing(visit: Visit) -> View:
    """Newest first."""
    state = visit.word("state")
    if state not in (None, *STATES):
        raise Refused("malformed", f"state is one of {', '.join(STATES)}")
    partner = visit.word("partner")
    async with visit.context.database.reading() as connection:
        found = await store.page(connection, partner, state, visit.number("before"), PAGE + 1)
        everyone = await partners.everyone(connection)
    rows = found[:PAGE]
    return {
        "rows": rows,
        "next": str(rows[-1].seq) if len(found) > PAGE else None,
        "partners": [(each.client_id, each.name) for each in everyone],
        "states": STATES,
        "again": AGAIN,
        "done": visit.number("done"),
    }


async def one(visit: Visit) -> View:
    """A delivery with every attempt. Refused: absent."""
    id_ = visit.parts["id"]
    async with visit.context.database.reading() as connection:
        found = await store.one(connection, id_)
        if found is None:
            raise absent("delivery", id_)
        tried = await store.attempts(connection, [id_], 200)
    if found.patient:
        current().resource = found.patient
    return {"delivery": found, "attempts": tried, "again": found.state in AGAIN, "done": visit.number("done")}


async def again(visit: Visit) -> str:
    """Make one due now; consent is asked anew. Answers the page to go to."""
    id_ = visit.parts["id"]
    async with visit.context.database.reading() as connection:
        if await store.one(connection, id_) is None:
            raise absent("delivery", id_)
    opened = await replay(visit.context, Wanted(ids=[id_]))
    return f"/console/deliveries/{id_}?done={len(opened)}"


async def many(visit: Visit) -> View:
    """What trying again all of a partner's deliveries in a state would do: nothing is written."""
    partner, state = await _chosen(visit)
    there = await replay(visit.context, Wanted(partner=partner.name, state=state), dry=True)
    return {"partner": partner, "state": state, "number": len(there)}


async def again_many(visit: Visit) -> str:
    """As the page before said it."""
    partner, state = await _chosen(visit)
    opened = await replay(visit.context, Wanted(partner=partner.name, state=state))
    query = urlencode({"partner": partner.client_id, "done": len(opened)})
    return f"/console/deliveries?{query}"


async def _chosen(visit: Visit) -> tuple[partners.Partner, State]:
    partner = visit.word("partner")
    state = next((each for each in AGAIN if each == visit.word("state")), None)
    if not partner or state is None:
        raise Refused("malformed", "choose a partner, and one of the states failing, dead and withheld")
    async with visit.context.database.reading() as connection:
        return await partners.find(connection, partner), state
