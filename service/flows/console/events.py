"""What the case-management system was told, newest first."""

from service.fhir.json import decode_object
from service.flows.console.visit import PAGE, View, Visit
from service.store.console import referrals as store
from service.store.events import parse_cursor

_OPEN = ("referral", "direction", "partner", "status")
"""What an engineer sees of an event: nothing of the client."""


async def show(visit: Visit) -> View:
    """The feed from its end. Engineers see that something was told, not about whom."""
    before = visit.word("before")
    place = parse_cursor(before) if before else None
    async with visit.context.database.reading() as connection:
        found = await store.events_before(
            connection, visit.caller.client_id, place, visit.word("kind"), PAGE + 1
        )
    rows = []
    for each in found[:PAGE]:
        body = decode_object(each.body)
        kept = body if visit.person.sees_clients else {name: body[name] for name in _OPEN if name in body}
        rows.append({"at": each.at, "kind": each.kind, "cursor": each.cursor, "body": kept})
    return {"rows": rows, "next": found[PAGE - 1].cursor if len(found) > PAGE else None}
