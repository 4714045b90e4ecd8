"""Shared outcome data at the console: follow-up rates by grant, and who owes which interview until when."""

from service.coordination.gpra.standing import standing
from service.coordination.gpra.windows import windows
from service.flows.console.telling import content, noticed
from service.flows.console.visit import PAGE, View, Visit
from service.flows.gpra.report import owners, today_of
from service.kernel.failures import Refused
from service.mapping.saying import name_of
from service.store import gpra, resources
from service.store.trail import current

STATES = ("overdue", "open", "waiting", "conducted", "not-conducted", "ended")
NEEDED = ("overdue", "open")
"""What somebody has to do now."""


async def show(visit: Visit) -> View:
    """The window that closes first stands first; those that nobody can do anything about only when asked for."""
    today = today_of(visit.context)
    grant, state, start = visit.asked.get("grant"), visit.asked.get("state"), visit.number("from") or 0
    if state not in (None, *STATES):
        raise Refused("malformed", "choose a state that there is")
    async with visit.context.database.reading() as connection:
        interviews = await gpra.of_grant(connection, None)
        wanted = (state,) if state else NEEDED
        dues = [
            each
            for each in windows(interviews)
            if each.state(today) in wanted and grant in (None, each.grant)
        ]
        dues.sort(key=lambda each: (each.closes, each.grant, each.client))
        shown = dues[start : start + PAGE]
        rows = await resources.known(
            connection, [("Patient", each.patient.rpartition("/")[2]) for each in shown], None
        )
        leads = await owners(connection, [each.patient for each in shown])
    current().show(rows)
    clients = {row.reference: name_of(content(row)) for row in rows}
    return {
        "notice": noticed(rows, visit.caller.client_id),
        "grants": standing(interviews, today),
        "rows": [
            {
                "due": each,
                "state": each.state(today),
                "client": clients.get(each.patient),
                "owner": leads.get(each.patient, ""),
                "client_id": each.patient.rpartition("/")[2],
            }
            for each in shown
        ],
        "next": str(start + PAGE) if len(dues) > start + PAGE else None,
        "total": len(dues),
        "states": STATES,
        "goal": 80,
    }
