"""What the benchmark sends: a ServiceRequest of about 1.5 kB with a dozen index values, and a referral Bundle."""

from service.fhir.json import JsonObject, encode

PATIENT = encode(
    {
        "resourceType": "Patient",
        "active": True,
        "name": [{"family": "Crowd", "given": ["One"]}],
        "gender": "other",
    }
)

_SDOHCC = "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"

REQUEST: JsonObject = {
    "resourceType": "ServiceRequest",
    "identifier": [{"system": "http://bench.example/id", "value": "bench-1"}],
    "status": "active",
    "intent": "order",
    "category": [
        {"coding": [{"system": _SDOHCC, "code": "housing-instability", "display": "Housing Instability"}]},
        {
            "coding": [
                {
                    "system": "http://snomed.info/sct",
                    "code": "410606002",
                    "display": "Social service procedure",
                }
            ]
        },
    ],
    "priority": "urgent",
    "code": {
        "coding": [
            {
                "system": "http://snomed.info/sct",
                "code": "710911006",
                "display": "Referral to housing service",
            }
        ],
        "text": "Transitional housing for an adult with two children",
    },
    "occurrencePeriod": {"start": "2026-03-11", "end": "2026-09-11"},
    "authoredOn": "2026-03-09T16:30:00-05:00",
    "requester": {"reference": "Organization/harbor", "display": "Harbor Recovery Services"},
    "performer": [{"reference": "Organization/northside", "display": "Northside Housing Partnership"}],
    "locationCode": [{"text": "Harborview, near the children's school"}],
    "reasonCode": [{"text": "The household loses its place on 31 March and has nowhere to go after that."}],
    "supportingInfo": [{"reference": "Consent/leslie-consent-2026"}],
    "note": [
        {
            "text": "Please call the case manager, not the client. Rooms are shown on Wednesdays in the afternoon."
        }
    ],
    "patientInstruction": "Bring a proof of income and the children's school papers when you visit.",
}


def request_for(patient: str) -> bytes:
    """The ServiceRequest for a patient."""
    return encode({**REQUEST, "subject": {"reference": f"Patient/{patient}"}})


def referral_bundle(number: int) -> bytes:
    """A transaction of Patient, ServiceRequest and Task."""
    patient, request = (
        "urn:uuid:11111111-1111-4111-8111-111111111111",
        "urn:uuid:21111111-1111-4111-8111-111111111111",
    )
    task = {
        "resourceType": "Task", "status": "draft", "intent": "order", "focus": {"reference": request},
        "for": {"reference": patient}, "authoredOn": "2026-03-09T16:30:00-05:00",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
    }  # fmt: skip
    person = {"resourceType": "Patient", "name": [{"family": "Crowd", "given": [f"Number {number}"]}]}
    rows = [
        {"fullUrl": patient, "resource": person, "request": {"method": "POST", "url": "Patient"}},
        {
            "fullUrl": request,
            "resource": {**REQUEST, "subject": {"reference": patient}},
            "request": {"method": "POST", "url": "ServiceRequest"},
        },
        {"resource": task, "request": {"method": "POST", "url": "Task"}},
    ]
    return encode({"resourceType": "Bundle", "type": "transaction", "entry": rows})
