"""What is due, by case manager and by client: what a person has to do next."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

from service.coordination.timers import rows as timers
from service.fhir.json import decode_object
from service.flows.console.clients import expect_patient
from service.flows.console.telling import content, noticed
from service.flows.console.visit import PAGE, View, Visit, mark
from service.kernel.failures import Refused
from service.mapping.saying import name_of
from service.store.console import due as store
from service.store.console.due import OPEN, Owed, Wanted
from service.store.trail import current

AGENCY = "agency"
"""The word for what no case manager owes."""


async def show(visit: Visit) -> View:
    """The longest overdue first; who owes how much where nobody is asked about."""
    wanted = _wanted(visit)
    async with visit.context.database.reading() as connection:
        found = await store.page(connection, wanted, visit.place("after"), PAGE + 1)
        loads = await store.loads(connection)
    rows = found[:PAGE]
    patients = [each.patient for each in rows if each.patient]
    current().show(patients)
    return {
        "notice": noticed(patients, visit.caller.client_id),
        "rows": [_told(each, visit.context.settings.zone) for each in rows],
        "next": mark(rows[-1].due, rows[-1].id) if len(found) > PAGE else None,
        "loads": [
            {
                "owner": owner or AGENCY,
                "name": worker_name(owner, body, name),
                "counts": dict(zip(reversed(OPEN), counts, strict=True)),
            }
            for owner, body, name, *counts in loads
        ],
        "stages": OPEN,
        "timers": [(each.id, f"{each.id} {each.rule}") for each in timers.values() if each.shape != "none"],
    }


def worker_name(owner: str, body: bytes | None, name: str | None) -> str:
    """What a case manager is called, by the record or the directory; else the id; empty for the agency."""
    said = decode_object(body).get("name") if body else None
    return name_of({"name": [said]}) if isinstance(said, dict) else name or owner


def _told(owed: Owed, zone: ZoneInfo) -> View:
    """`day`: the last day on which it is in time, where it is due by days and not by the clock."""
    row = timers.get(owed.timer)
    there = owed.due.astimezone(zone)
    whole = (there - timedelta(days=1)).date() if there.time() == time() else None
    return {
        "owed": owed, "day": whole, "what": row.rule if row else owed.timer,
        "owner": worker_name(owed.owner, owed.worker, owed.name),
        "client": name_of(content(owed.patient)), "client_id": owed.patient.id if owed.patient else "",
    }  # fmt: skip


def _wanted(visit: Visit) -> Wanted:
    stage, timer, owner = visit.word("stage"), visit.word("timer"), visit.asked.get("owner")
    if stage not in (None, *OPEN) or (timer is not None and timer not in timers):
        raise Refused("malformed", "choose a state and a timer that there are")
    client = visit.word("client")
    return Wanted("" if owner == AGENCY else owner, stage, timer, expect_patient(client) if client else None)
