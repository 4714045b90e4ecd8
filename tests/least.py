"""The least of each type that R4 allows."""

from typing import Any

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
_subject = {"reference": "Patient/leslie"}
_text = {"text": "x"}
_ask = {"subject": _subject, "intent": "order", "status": "active"}
LEAST: dict[str, dict[str, Any]] = {
    "RelatedPerson": {"patient": _subject}, "EpisodeOfCare": {"status": "active", "patient": _subject},
    "CareTeam": {"subject": _subject}, "CarePlan": {"status": "active", "intent": "plan", "subject": _subject},
    "Goal": {"lifecycleStatus": "active", "description": _text, "subject": _subject},
    "Condition": {"subject": _subject}, "ServiceRequest": {**_ask, "code": _text},
    "Task": {"status": "draft", "intent": "proposal"},
    "Encounter": {"status": "planned", "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}},
    "Procedure": {"status": "completed", "subject": _subject}, "Communication": {"status": "completed"},
    "CommunicationRequest": {"status": "active"},
    "Appointment": {"status": "proposed", "participant": [{"actor": _subject, "status": "accepted"}]},
    "DocumentReference": {"status": "current", "content": [{"attachment": {"title": "x"}}]},
    "Binary": {"contentType": "text/plain"}, "Flag": {"status": "active", "code": _text, "subject": _subject},
    "DetectedIssue": {"status": "final"}, "Group": {"type": "person", "actual": True},
    "List": {"status": "current", "mode": "working"}, "Questionnaire": {"status": "draft"},
    "QuestionnaireResponse": {"status": "completed"}, "Observation": {"status": "final", "code": _text},
    "Measure": {"status": "draft"},
    "MeasureReport": {"status": "complete", "type": "summary", "measure": "http://x.example/m", "period": {"start": "2026"}},
    "Consent": {"status": "active", "scope": _text, "category": [_text], "patient": _subject, "policyRule": _text},
    "Provenance": {"target": [_subject], "recorded": "2026-03-02T09:00:00Z", "agent": [{"who": {"display": "x"}}]},
    "Organization": {"name": "x"},
    "Subscription": {
        "status": "requested", "reason": "x", "criteria": "https://casebridge.example/fhir/SubscriptionTopic/task",
        "channel": {
            "type": "rest-hook", "endpoint": "https://x.example", "payload": "application/fhir+json",
            "_payload": {"extension": [{"url": f"{_BACKPORT}/backport-payload-content", "valueCode": "empty"}]},
        },
    },
    "Endpoint": {"status": "active", "payloadType": [_text], "address": "https://x.example",
                 "connectionType": {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "hl7-fhir-rest"}},
}  # fmt: skip
"""By type, what it needs more than its name; `Patient/leslie` is there."""
