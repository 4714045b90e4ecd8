"""The table of record kinds: the name in the URL, the model, an example. A new kind is one row."""

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from service.casework.records import (
    agency,
    assessment,
    care_plan,
    case_manager,
    client,
    client_task,
    closing,
    complaint,
    consent,
    encounter,
    gpra_interview,
    referral,
    satisfaction,
    service_outcome,
)

Record: TypeAlias = (
    client.Client
    | case_manager.CaseManager
    | agency.Agency
    | consent.ConsentRecord
    | assessment.Assessment
    | care_plan.CarePlan
    | referral.Referral
    | encounter.Encounter
    | gpra_interview.GpraInterview
    | service_outcome.ServiceOutcome
    | complaint.Complaint
    | satisfaction.Satisfaction
    | closing.Closing
    | client_task.ClientTask
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: its name in `/casework/v1/{name}/{id}`, its model and an example as JSON."""

    name: str
    model: type[Record]
    example: dict[str, Any]


_ROWS = (
    Kind("clients", client.Client, client.EXAMPLE),
    Kind("case-managers", case_manager.CaseManager, case_manager.EXAMPLE),
    Kind("agencies", agency.Agency, agency.EXAMPLE),
    Kind("consents", consent.ConsentRecord, consent.EXAMPLE),
    Kind("assessments", assessment.Assessment, assessment.EXAMPLE),
    Kind("care-plans", care_plan.CarePlan, care_plan.EXAMPLE),
    Kind("encounters", encounter.Encounter, encounter.EXAMPLE),
    Kind("gpra-interviews", gpra_interview.GpraInterview, gpra_interview.EXAMPLE),
    Kind("service-outcomes", service_outcome.ServiceOutcome, service_outcome.EXAMPLE),
    Kind("complaints", complaint.Complaint, complaint.EXAMPLE),
    Kind("satisfactions", satisfaction.Satisfaction, satisfaction.EXAMPLE),
    Kind("closings", closing.Closing, closing.EXAMPLE),
    Kind("client-tasks", client_task.ClientTask, client_task.EXAMPLE),
    Kind("referrals", referral.Referral, referral.EXAMPLE),
)

kinds: Final = MappingProxyType({row.name: row for row in _ROWS})


@cache
def example(kind: str) -> Record:
    """A record of this kind from the story of Leslie Moreno."""
    return kinds[kind].model.model_validate(kinds[kind].example, by_alias=True, by_name=False)


@cache
def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of this kind, with its example. Do not change the returned value."""
    row = kinds[kind]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **row.model.model_json_schema(by_alias=True),
        "examples": [row.example],
    }
