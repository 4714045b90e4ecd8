"""A resource says who leads. Ours may not say otherwise than it is; a partner's is a claim, for people to settle."""

from collections.abc import Sequence
from datetime import datetime

from service.coordination.leading import Claim, Worker
from service.fhir.json import JsonObject, decode_object
from service.fhir.outcome import Issue
from service.fhir.references import local
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.lead.steer import steer
from service.flows.lead.who import ROLE, worker_of
from service.kernel.failures import Refused
from service.mapping.claim import EPISODE, PLAN, SAYS, is_primary, said_to_lead, untrue
from service.store import leads, resources
from service.store.leads import Case
from service.store.unit import Unit


async def heed_claims(
    context: Context, unit: Unit, caller: Caller, filed: Sequence[Row], now: datetime
) -> None:
    """Look at what was kept in this unit. Refused("unprocessable") where the home agency's own word would make two
    leads of one, or none; a partner's word changes nothing and becomes a question to both supervisors."""
    saying = [row for row in filed if row.type in SAYS and row.body]
    if caller.custodian:
        saying = [row for row in saying if row.author == caller.client_id and row.type != PLAN]
        await _expect_in_place(unit, saying)
    for patient in sorted({row.patient for row in saying if row.patient}):
        case = await leads.lock(unit, patient)
        for row in saying if case is not None else ():
            ours = case is not None and (case.patient == patient or not caller.custodian)
            if row.patient == patient and case is not None and ours:
                await _heed(context, unit, caller, case, row, now)


async def expect_not_leading(unit: Unit, row: Row) -> None:
    """Refused("unprocessable"): the EpisodeOfCare of an open case is not deleted."""
    case = await leads.last_of_episode(unit, row.id) if row.type == EPISODE else None
    if case is not None and case.course.lead is not None:
        raise _refused("the EpisodeOfCare of an open case is not deleted; its client's record closes it", row)


async def _expect_in_place(unit: Unit, saying: Sequence[Row]) -> None:
    for row in saying:
        case = await leads.last_of_episode(unit, row.id) if row.type == EPISODE else None
        if case is not None and case.course.lead is not None and case.patient != row.patient:
            raise _refused("the EpisodeOfCare of an open case stays its client's", row)


async def _heed(context: Context, unit: Unit, caller: Caller, case: Case, row: Row, now: datetime) -> None:
    resource = decode_object(row.body or b"{}")
    lead = case.course.lead
    named = [await _worker(context, unit, caller, case, each) for each in said_to_lead(resource)]
    if lead is None:
        return
    if caller.custodian:
        text = untrue(resource, named, lead.worker, ours=row.reference == f"{EPISODE}/{case.episode}")
        if text:
            raise _refused(text, row)
        return
    for worker in named:
        if row.type != PLAN or await _is_primary(unit, worker):
            await steer(context, unit, case, Claim(worker), now)


async def _worker(context: Context, unit: Unit, caller: Caller, case: Case, reference: JsonObject) -> Worker:
    """Who is named, the lead also as a person; where it is nobody here, the agency that names them."""
    literal = reference.get("reference")
    key = local(literal, context.base) if isinstance(literal, str) else None
    if key is None:
        return Worker(caller.organization, caller.organization)
    found = await worker_of(unit, "/".join(key), case.source, caller.organization)
    lead = case.course.leads[-1].worker
    same = {found.reference, found.person} & {lead.reference, lead.person} - {""}
    return lead if same else found


async def _is_primary(unit: Unit, worker: Worker) -> bool:
    type_, _, id_ = worker.reference.partition("/")
    row = await resources.read(unit, type_, id_, None) if type_ == ROLE else None
    return row is not None and row.body is not None and is_primary(decode_object(row.body))


def _refused(text: str, row: Row) -> Refused:
    return Refused("unprocessable", text, [Issue("error", "business-rule", text, row.type, "lead-move")])
