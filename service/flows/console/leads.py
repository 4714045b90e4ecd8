"""Who leads: open cases with their primary case manager, transfers that wait for an answer, conflicts."""

from service.flows.console.telling import content, noticed
from service.flows.console.visit import PAGE, View, Visit, mark
from service.kernel.failures import Refused
from service.mapping.saying import name_of
from service.store.console import leads as store
from service.store.console.leads import Led
from service.store.trail import current

MOST = 50
"""Transfers and conflicts on the page; more are a matter of minutes with the partner, not of a list."""


async def show(visit: Visit) -> View:
    """The newest lead first; what waits and what is in conflict stand above."""
    worker = visit.asked.get("worker")
    if worker is not None and len(worker) > 200:
        raise Refused("malformed", "choose a case manager that there is")
    async with visit.context.database.reading() as connection:
        found = await store.page(connection, worker, visit.now, visit.place(), PAGE + 1)
        waiting = await store.page(connection, None, visit.now, None, MOST, transfers=True)
        conflicts = await store.conflicts(connection, "resolve-lead-conflict", "requested", MOST)
        workers = await store.workers(connection)
    rows = found[:PAGE]
    patients = [each.patient for each in (*rows, *waiting) if each.patient]
    patients += [patient for *_, patient in conflicts if patient]
    current().show({row.reference: row for row in patients}.values())
    return {
        "notice": noticed(patients, visit.caller.client_id),
        "rows": [_told(each) for each in rows],
        "waiting": [_told(each) for each in waiting],
        "conflicts": [
            {
                "to": to,
                "task": task,
                "since": since,
                "client": name_of(content(patient)),
                "client_id": patient.id if patient else "",
            }
            for to, task, since, patient in conflicts
        ],
        "workers": workers,
        "next": mark(rows[-1].since, rows[-1].id) if len(found) > PAGE else None,
    }


def _told(led: Led) -> View:
    return {
        "led": led,
        "client": name_of(content(led.patient)),
        "client_id": led.patient.id if led.patient else "",
    }
