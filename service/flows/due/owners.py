"""Who owes what is due: who stands in or leads; where that one works no longer, who must name another."""

from dataclasses import dataclass
from datetime import datetime

from service.casework.records.case_manager import CaseManager
from service.coordination.leading import Worker
from service.flows.due import gather
from service.flows.due.gather import Known
from service.flows.lead.who import supervisor_of, works
from service.store import partners, records
from service.store.leads import Case
from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Owners:
    """Who owes it, and who supervises them: a record's id, or a reference where there is none; None where nobody is
    known. `organization` owes the rest. `alone`: who leads the open case works no longer."""

    organization: str
    lead: str | None = None
    supervisor: str | None = None
    alone: bool = False


async def owners(unit: Unit, known: Known, case: Case | None, now: datetime) -> Owners:
    """Who stands in, or leads; of a closed case, who led it last. After the time, the supervisor of that one."""
    home = (await partners.find(unit, known.source)).organization
    if case is None or not case.course.leads:
        return Owners(home)
    cover = case.course.cover_at(now) if case.course.lead else None
    if cover and await works(unit, cover.worker):
        return await _of(unit, known, home, cover.worker)
    lead = case.course.leads[-1].worker
    if case.course.lead is None or await works(unit, lead):
        return await _of(unit, known, home, lead)
    names = await _who_names_another(unit, known, home, case)
    return Owners(home, names, names, alone=True)


async def _of(unit: Unit, known: Known, home: str, worker: Worker) -> Owners:
    if not worker.record:
        return Owners(home, worker.reference, await supervisor_of(unit, worker))
    return Owners(home, worker.record, await _supervisor(unit, known, worker))


async def _who_names_another(unit: Unit, known: Known, home: str, case: Case) -> str | None:
    """The supervisor of whoever led last at home; None: the home agency itself."""
    for lead in reversed(case.course.leads):
        if lead.worker.agency == home and lead.worker.record:
            return await _supervisor(unit, known, lead.worker)
    return None


async def _supervisor(unit: Unit, known: Known, worker: Worker) -> str | None:
    kept = await records.find(unit, known.source, "case-managers", worker.record)
    filed = gather.readable(kept, kept.updated) if kept and not kept.deleted else None
    return filed.record.supervisor if filed and isinstance(filed.record, CaseManager) else None
