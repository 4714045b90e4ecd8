"""A case manager's answer to a referral, as the next version of its Task; and what a new mapping must
keep."""

from typing import Final

from service.casework.records.referral import Referral, ReferralAnswer
from service.fhir.json import JsonObject
from service.fhir.models import check, said
from service.kernel.clock import instant
from service.mapping import enrolment
from service.mapping.context import MappingContext
from service.mapping.identity import refer_person
from service.mapping.names import BUSINESS_STATUS, SDOHCC_CODES
from service.mapping.referral import outputs

_WAITS: Final = {"system": BUSINESS_STATUS, "code": "waitlisted"}
_PROGRESS: Final = (
    "status",
    "statusReason",
    "businessStatus",
    "owner",
    "executionPeriod",
    "output",
    "lastModified",
)
"""What the performer says in a Task; the requester's record does not know it and may not undo it."""


def answered(task: JsonObject, answer: ReferralAnswer, context: MappingContext) -> JsonObject:
    """The Task with this answer. Outputs are added, never replaced; a note is added. The move itself is
    judged by the partner's dialect, not here."""
    author = refer_person(context, answer.case_manager) if answer.case_manager else None
    remark = {"authorReference": author, "time": instant(context.now), "text": answer.note}
    made: JsonObject = {key: value for key, value in task.items() if key != "statusReason"}
    made["status"] = answer.status
    made["lastModified"] = instant(context.now)
    made["statusReason"] = {"text": answer.reason}
    made["note"] = [*task.get("note", []), *([remark] if answer.note else [])]
    made["output"] = [*task.get("output", []), *outputs(answer.outcome)]
    if answer.waiting:
        waits = [{"system": SDOHCC_CODES, "code": "waitlist"}]
        made["statusReason"] = {"coding": waits, "text": answer.reason}
    if answer.enrolment:
        named = enrolment.output(enrolment.enrolment_id(task["id"], context))
        stated = [] if answer.outcome and answer.outcome.enrolment else [enrolment.in_words(answer.enrolment)]
        made["output"] += [each for each in (*stated, named) if each not in made["output"]]
    resource: JsonObject = said(made)
    check(resource)
    return resource


def placed(task: JsonObject, answer: ReferralAnswer) -> JsonObject:
    """The answered Task with the place on the waiting list as its business status, where the answer says one."""
    if answer.waiting is None:
        return task
    return {**task, "businessStatus": {"coding": [_WAITS], "text": enrolment.waiting(answer)}}


def answer_in(record: Referral) -> ReferralAnswer | None:
    """The answer a case manager gave by putting a referral with another status; None if it says none."""
    moves = ("accepted", "rejected", "in-progress", "on-hold", "completed", "cancelled", "failed")
    if record.status not in moves:
        return None
    return ReferralAnswer.model_validate(
        {"status": record.status, "reason": record.status_reason, "outcome": record.outcome}
    )


def keep_progress(made: JsonObject, current: JsonObject) -> JsonObject:
    """A Task mapped anew from its record, with what the performer has said in the current version.

    A record still at `draft`, or withdrawn (`cancelled`, `entered-in-error`), speaks for itself.
    """
    if made["status"] in ("draft", "cancelled", "entered-in-error") or current["status"] == "draft":
        return made
    kept: JsonObject = {key: current[key] for key in _PROGRESS if key in current}
    return {**{key: value for key, value in made.items() if key not in _PROGRESS}, **kept}
