"""What a resource becomes when its record no longer says it: entered in error, or inactive. Never removed."""

from typing import Final

from service.fhir.json import JsonObject

_STATUS: Final = {
    "Consent": "entered-in-error",
    "ServiceRequest": "entered-in-error",
    "Task": "entered-in-error",
    "Flag": "entered-in-error",
    "CareTeam": "entered-in-error",
    "EpisodeOfCare": "entered-in-error",
    "CarePlan": "entered-in-error",
    "Encounter": "entered-in-error",
    "Procedure": "entered-in-error",
    "Observation": "entered-in-error",
    "QuestionnaireResponse": "entered-in-error",
    "Communication": "entered-in-error",
    "CommunicationRequest": "entered-in-error",
    "DocumentReference": "entered-in-error",
    "Endpoint": "entered-in-error",
    "Location": "inactive",
}

DATA_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
"""A Provenance has no status: a signature taken back is gone from it, and its activity says so."""


def withdrawn(resource: JsonObject) -> JsonObject:
    """The same resource, saying that it does not hold. Part of no permission, plan or worklist from then
    on."""
    kind = resource["resourceType"]
    if kind in _STATUS:
        return {**resource, "status": _STATUS[kind]}
    if kind == "Goal":
        return {**resource, "lifecycleStatus": "entered-in-error"}
    if kind == "Condition":
        said = {k: v for k, v in resource.items() if k != "clinicalStatus"}
        system = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
        return {**said, "verificationStatus": {"coding": [{"system": system, "code": "entered-in-error"}]}}
    if kind == "Provenance":
        said = {k: v for k, v in resource.items() if k != "signature"}
        return {**said, "activity": {"coding": [{"system": DATA_OPERATION, "code": "NULLIFY"}]}}
    return {**resource, "active": False}
