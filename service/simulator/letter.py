"""A referral that the agency sends to Casebridge: Patient, ServiceRequest and Task in one transaction.

The agency files its own copies first; what it sends are the same resources under its own identifiers, each a
conditional create, so that sending again makes nothing twice.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from service.fhir.json import JsonObject
from service.kernel.clock import instant, system_clock

TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
SNOMED = "http://snomed.info/sct"


def resources(agency: str, number: str, wish: JsonObject) -> list[JsonObject]:
    """Patient, ServiceRequest, Task. `agency`: the system of its identifiers; `number`: of this referral.

    `wish`: `patient` (name, birthDate, …), `service` and `reason` as texts, `priority`, `requester` and
    `owner` as references on Casebridge.
    """
    now = instant(system_clock())
    asked: dict[str, Any] = {
        "status": "active",
        "intent": "order",
        "priority": wish.get("priority", "routine"),
    }
    sides = {"requester": wish["requester"]} | ({"owner": wish["owner"]} if "owner" in wish else {})
    patient = {
        **wish["patient"],
        "resourceType": "Patient",
        "identifier": [_identifier(agency, "client", number)],
    }
    request = {
        "resourceType": "ServiceRequest",
        "identifier": [_identifier(agency, "request", number)],
        **asked,
        "category": [
            {"coding": [{"system": SNOMED, "code": "410606002", "display": "Social service procedure"}]}
        ],
        "code": {"text": wish["service"]},
        "subject": {"reference": _url(number, "patient")},
        "authoredOn": now,
        "requester": wish["requester"],
        "reasonCode": [{"text": wish["reason"]}],
    }
    task = {
        "resourceType": "Task",
        "identifier": [_identifier(agency, "referral", number)],
        **asked,
        "status": "requested",
        "code": {"coding": [{"system": TASK_CODE, "code": "fulfill"}]},
        "description": wish["service"],
        "focus": {"reference": _url(number, "request")},
        "for": {"reference": _url(number, "patient")},
        "authoredOn": now,
        "lastModified": now,
        **sides,
    }
    return [patient, request, task]


def abort(agency: str, number: str, task: JsonObject, step: JsonObject) -> JsonObject:
    """COW: the Task that asks for the cancellation of this one, for the reason in `step`."""
    shared: JsonObject = {name: task[name] for name in ("for", "requester", "owner") if name in task}
    return {
        "resourceType": "Task", "identifier": [_identifier(agency, "abort", number)], "status": "requested",
        "intent": "order", "code": {"coding": [{"system": TASK_CODE, "code": "abort"}]},
        "focus": {"reference": f"Task/{task['id']}"}, "authoredOn": step["lastModified"], **step, **shared,
    }  # fmt: skip


def bundle(number: str, made: Sequence[JsonObject]) -> JsonObject:
    """The transaction that files them, here or at Casebridge."""
    names = {"Patient": "patient", "ServiceRequest": "request", "Task": "task"}
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": _url(number, names[each["resourceType"]]),
                "resource": each,
                "request": {
                    "method": "POST",
                    "url": each["resourceType"],
                    "ifNoneExist": _condition(each["identifier"][0]),
                },
            }
            for each in made
        ],
    }


def _identifier(agency: str, kind: str, number: str) -> JsonObject:
    return {"system": f"{agency}/{kind}", "value": number}


def _condition(identifier: JsonObject) -> str:
    return f"identifier={quote(identifier['system'], safe=':/.')}%7C{quote(identifier['value'], safe='')}"


def _url(number: str, name: str) -> str:
    """A `urn:uuid:` that the entries of one Bundle share."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'{number}/{name}')}"
