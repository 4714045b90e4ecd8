"""Where a client stands with a programme, as the agency asked says it: SDOHCC ObservationProgramEnrollmentStatus.

One Observation a referral: on the waiting list, later enrolled. Its versions are the course of it.
"""

from typing import Any, Final, get_args

from service.casework.records.referral import Outcome, ReferralAnswer
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.kernel.clock import instant
from service.kernel.ids import derived_id
from service.mapping import parts
from service.mapping.context import MappingContext
from service.mapping.identity import identifier, own_organization
from service.mapping.names import SDOHCC, SDOHCC_CODES, US_CORE_CATEGORY

PROFILE: Final = f"{SDOHCC}/StructureDefinition/SDOHCC-ObservationProgramEnrollmentStatus"
_STANDS: Final = frozenset(get_args(get_args(Outcome.model_fields["enrolment"].annotation)[0]))


def enrolment_id(task: str, context: MappingContext) -> str:
    """The id of the Observation about this referral's Task."""
    return derived_id(context.source.key, "enrolment", task)


def fhir_enrolment(
    task: JsonObject,
    request: JsonObject,
    answer: ReferralAnswer,
    before: JsonObject | None,
    context: MappingContext,
) -> JsonObject:
    """What the answer says of the client's enrolment, about the Task's client. `before`: what was said until now."""
    waits = waiting(answer)
    areas = [c for category in request.get("category", []) for c in category.get("coding", [])]
    served = [{"coding": [c]} for c in areas if c.get("system") == SDOHCC_CODES]
    return build(
        "Observation",
        id=enrolment_id(task["id"], context),
        meta={"profile": [PROFILE]},
        identifier=[identifier(context, "enrolment", task["id"])],
        basedOn=[task["focus"]] if "focus" in task else None,
        status="amended" if before else "final",
        category=[
            {"coding": [{"system": US_CORE_CATEGORY, "code": "sdoh", "display": "SDOH"}]},
            {"coding": [{"system": SDOHCC_CODES, "code": "program-enrollment"}]},
            *served,
        ],
        code=request.get("code") or {"text": task.get("description") or "the service asked for"},
        subject=task["for"],
        effectiveDateTime=instant(context.now),
        performer=[own_organization(context)],
        valueCodeableConcept={"coding": [{"system": SDOHCC_CODES, "code": answer.enrolment}]},
        note=[{"text": waits}] if waits else None,
    )


def waiting(answer: ReferralAnswer) -> str:
    """The place on the waiting list in words."""
    if answer.waiting is None:
        return ""
    position = f"place {answer.waiting.position} on the waiting list" if answer.waiting.position else ""
    return ", ".join(each for each in (position, answer.waiting.estimate) if each)


def output(observation: str) -> JsonObject:
    """How a Task names it (SDOHCC 3.0, Task.output additional-content)."""
    kind = {"coding": [{"system": SDOHCC_CODES, "code": "additional-content"}]}
    return {"type": kind, "valueReference": {"reference": f"Observation/{observation}"}}


def named(task: JsonObject) -> list[str]:
    """The references to Observations among what a Task names as additional content."""
    found: list[str] = []
    for each in task.get("output", []):
        reference = str(each.get("valueReference", {}).get("reference", ""))
        if (
            parts.code_in(each.get("type"), SDOHCC_CODES) == "additional-content"
            and "Observation/" in reference
        ):
            found.append(reference)
    return found


def said(observation: JsonObject) -> Any:
    """The enrolment that an Observation says; None for another, or one that does not hold."""
    code = parts.code_in(observation.get("valueCodeableConcept"), SDOHCC_CODES)
    holds = observation.get("status") in ("final", "amended", "corrected")
    return code if holds and code in _STANDS else None


def in_words(enrolment: str) -> JsonObject:
    """An enrolment as an output of its own, for whoever cannot read the Observation."""
    kind = {"coding": [{"system": SDOHCC_CODES, "code": "program-enrollment"}]}
    return {"type": kind, "valueCodeableConcept": {"coding": [{"system": SDOHCC_CODES, "code": enrolment}]}}
