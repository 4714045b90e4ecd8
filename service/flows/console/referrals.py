"""Every referral loop in a list, narrowed by what a case manager or an engineer looks for."""

from datetime import timedelta

from service.fhir.references import local
from service.flows.console.telling import content, first
from service.flows.console.visit import PAGE, View, Visit, mark
from service.kernel.failures import Refused
from service.mapping.saying import name_of
from service.store import partners
from service.store.console import referrals as store
from service.store.console.referrals import Listed, Wanted
from service.store.trail import current

STATUSES = (
    "draft", "requested", "received", "accepted", "in-progress", "on-hold", "completed", "rejected", "cancelled",
    "failed", "entered-in-error",
)  # fmt: skip
STATES = ("open", "stalled", "closed")


async def show(visit: Visit) -> View:
    """Newest first. Engineers see the loops without the clients in them."""
    wanted = _wanted(visit)
    async with visit.context.database.reading() as connection:
        found = await store.page(connection, wanted, visit.place(), PAGE + 1)
        everyone = await partners.everyone(connection)
    rows = found[:PAGE]
    if visit.person.sees_clients:
        current().show(each.patient for each in rows if each.patient)
    return {
        "rows": [told(each, names=visit.person.sees_clients) for each in rows],
        "next": mark(rows[-1].opened, rows[-1].id) if len(found) > PAGE else None,
        "partners": [(each.client_id, each.name) for each in everyone],
        "statuses": STATUSES,
        "states": STATES,
    }


def told(loop: Listed, *, names: bool) -> View:
    """A loop for the list."""
    return {
        "loop": loop,
        "client": name_of(content(loop.patient)) if names else "",
        "client_id": loop.patient.id if loop.patient and names else "",
        "what": first(content(loop.request), ("code", "category")) if names else "",
    }


def _wanted(visit: Visit) -> Wanted:
    state = visit.word("state")
    if state not in (None, *STATES):
        raise Refused("malformed", "state is open, stalled or closed")
    client = visit.word("client")
    if client is not None and not visit.person.sees_clients:
        raise Refused("forbidden", "your role does not look for clients")
    if client is not None and local(f"Patient/{client}") is None:
        raise Refused("malformed", "client is the id of a client here")
    return Wanted(
        status=visit.word("status"),
        direction=visit.word("direction"),
        partner=visit.word("partner"),
        patient=f"Patient/{client}" if client else None,
        closed={"open": False, "closed": True}.get(state or ""),
        stalled=visit.now - timedelta(days=visit.context.settings.stalled_days)
        if state == "stalled"
        else None,
    )
