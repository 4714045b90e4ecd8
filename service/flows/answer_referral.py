"""The case manager answers a referral that came in, or withdraws one that went out."""

from dataclasses import replace

from service.casework.records.referral import ReferralAnswer
from service.fhir.json import Json
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.flows.advance_referral import legal, our_part, side_of, task_of
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.keep import Wish, keep, lock_names
from service.kernel.failures import Refused
from service.mapping.answer import answered
from service.mapping.context import MappingContext, Source
from service.referral import lifecycle
from service.referral import loop as referral
from service.store import loops, partners, resources


def is_answer(value: Json) -> bool:
    """An answer says a status and names no client: `{"status": "accepted"}`."""
    return isinstance(value, dict) and "status" in value and "client" not in value


async def answer_referral(context: Context, caller: Caller, record: str, answer: ReferralAnswer) -> Row:
    """Move the referral's Task as our side; returns its new version.

    Refused: absent (no such referral), unprocessable (not a legal move: the legal ones are listed).
    """
    caller.require_casework("referrals", "update")
    async with context.database.reading() as connection:
        found = await loops.find_record(connection, caller.client_id, record)
    if found is None:
        raise Refused("absent", "there is no such referral here")
    async with context.database.unit(*lock_names([("Task", found.id)])) as unit:
        held = await resources.lock(unit, [("Task", found.id)])
        task = task_of(held["Task", found.id])
        now = context.clock()
        source = Source(caller.client_id, caller.organization, name=caller.name)
        try:
            side = side_of(await partners.find(unit, found.partner))
            state = referral.state(task)
            move = legal(lifecycle.wished(side.dialect, state, answer.status, our_part(found)))
            moved = answered(task, answer, MappingContext(context.base, now, source))
            moved = referral.standing(moved, side.dialect, move.after)
            if {**moved, "lastModified": task.get("lastModified")} == task:
                return held["Task", found.id]  # said before
            [kept] = await keep(context, unit, caller, [Wish(moved, found.id)], now)
        except Refused as refused:
            raise in_the_answer(refused) from None
    return kept.row


_PLACES = {"Task.status": "/status", "Task.statusReason": "/reason", "Task.statusReason.text": "/reason"}


def in_the_answer(refused: Refused) -> Refused:
    """Findings about a Task, as findings about the record or the answer that moves it: JSON Pointers, not FHIRPath."""
    issues = [
        replace(each, expression=_PLACES.get(each.expression, "/status")) if isinstance(each, Issue) else each
        for each in refused.issues
    ]
    return Refused(refused.reason, refused.text, issues, **refused.facts)
