"""A client's record says who stands in. One more than before, or one fewer, is a wish; what it says still is none."""

from datetime import datetime
from typing import Any

from service.casework.records import write
from service.casework.records.client import Client, StandIn
from service.coordination.leading import Cover, EndCover
from service.coordination.leading import StandIn as Wish
from service.fhir.json import JsonObject
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.lead.steer import steer
from service.flows.lead.who import moment, speaks_for, worker_of_record
from service.kernel.clock import instant
from service.store import leads
from service.store.leads import Case
from service.store.unit import Unit


async def follow_covers(
    context: Context, unit: Unit, caller: Caller, record: Client, before: Client | None, case: Case, now: datetime
) -> Case:  # fmt: skip
    """The case with the covers that the record adds or takes away. Refused where one may not be."""
    said, filed = _said(record), _said(before)
    lead = case.course.leads[-1].worker
    by = lead.agency if await speaks_for(unit, caller.organization, lead.agency) else caller.organization
    for gone in (each for each in filed if each not in said):
        known = _known(case, await _cover(context, unit, caller, gone))
        if known is not None and now < known.ends:
            case = (await steer(context, unit, case, EndCover(known, by), now)).case
    for fresh in (each for each in said if each not in filed):
        cover = await _cover(context, unit, caller, fresh)
        if _known(case, cover) is None:
            case = (await steer(context, unit, case, Wish(cover, by), now)).case
    return case


def _said(record: Client | None) -> tuple[StandIn, ...]:
    return record.episode.covers if record and record.episode else ()


async def _cover(context: Context, unit: Unit, caller: Caller, said: StandIn) -> Cover:
    worker = await worker_of_record(unit, said.case_manager, caller.client_id, caller.organization)
    starts, ends = moment(said.start, context), moment(said.end, context)
    assert starts is not None
    assert ends is not None
    return Cover(worker, starts, ends)


def _known(case: Case, cover: Cover) -> Cover | None:
    """The cover of the course that a record means: a record says moments to the millisecond."""
    meant = (cover.worker, instant(cover.starts), instant(cover.ends))
    return next(
        (c for c in case.course.covers if (c.worker, instant(c.starts), instant(c.ends)) == meant), None
    )


async def with_covers(connection: Any, source: str, record: JsonObject, patient: str) -> JsonObject:
    """The client's record with who stands in, as it is: those of whom there is a record here."""
    case = await leads.last_of(connection, patient)
    if case is None or case.source != source or not isinstance(record.get("episode"), dict):
        return record
    episode = {key: value for key, value in record["episode"].items() if key != "covers"}
    covers = [
        write(StandIn(case_manager=each.worker.record, start=instant(each.starts), end=instant(each.ends)))
        for each in case.course.covers if each.worker.record and each.starts < each.ends
    ]  # fmt: skip
    return {**record, "episode": {**episode, **({"covers": covers} if covers else {})}}
