"""Nobody: the client of a self-test. Her referral is written here, word for word, and by nothing else.

Consent has nothing to say about a person who does not exist, so what is written here may go to any partner on the
ground `synthetic`. That ground clears only what this module itself wrote: a resource from the store, or one with a
word of somebody else's in it, cannot be given to it. Each resource says twice that it is a test: HTEST (v3 ActReason,
test health data) as tag, and its own words.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.fhir.json import JsonObject
from service.kernel.clock import instant
from service.kernel.ids import derived_id

Stage = Literal["asked", "withdrawn"]

HTEST: JsonObject = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}
IDENTIFIER = "https://casebridge.example/fhir/identifier/self-test"
WORDS = (
    "TEST by Casebridge: no person stands behind this. Please leave it alone; it is withdrawn in a moment."
)
_WITHDRAWN = "The self-test is over."
_TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
_SNOMED = "http://snomed.info/sct"
_NUMBER = re.compile(r"[0-9a-f-]{36}")
_PARTY = re.compile(r"https?://[^\s]{1,500}/Organization/[A-Za-z0-9.-]{1,64}")
_STATUS = re.compile(r"[a-z-]{1,20}")
_BUSINESS = re.compile(r"[0-9.]{0,6}")


@dataclass(frozen=True, slots=True)
class SelfTest:
    """One test referral. `number`: a UUID; `requester` and `owner`: absolute URLs of Organizations; `first`: the
    status and business status in which a referral first stands in the partner's dialect.

    ValueError for anything that could carry other words than these.
    """

    number: str
    requester: str
    owner: str
    at: datetime
    first: tuple[str, str] = ("requested", "")
    stage: Stage = "asked"

    def __post_init__(self) -> None:
        """Nothing of anybody's hides in a number, a reference or a status."""
        fits = (
            _NUMBER.fullmatch(self.number),
            _PARTY.fullmatch(self.requester),
            _PARTY.fullmatch(self.owner),
            _STATUS.fullmatch(self.first[0]),
            _BUSINESS.fullmatch(self.first[1]),
        )
        if not all(fits):
            raise ValueError("a self-test is made of a UUID, two Organizations and a first status")

    def resources(self) -> tuple[JsonObject, JsonObject, JsonObject]:
        """Patient, ServiceRequest, Task, as they travel: references among them by `urn:uuid:`."""
        return _patient(self), _request(self), _task(self)

    def id_of(self, type_: str) -> str:
        """The id (of ours, kept nowhere) of its Patient, ServiceRequest or Task."""
        return derived_id("self-test", self.number, type_)

    def identifier(self, type_: str) -> JsonObject:
        """By which the partner's copy of that resource is found."""
        return {"system": IDENTIFIER, "value": f"{self.number}-{type_.lower()}"}


def _base(test: SelfTest, type_: str) -> JsonObject:
    return {
        "resourceType": type_,
        "id": test.id_of(type_),
        "meta": {"tag": [HTEST]},
        "identifier": [test.identifier(type_)],
    }


def _to(test: SelfTest, type_: str) -> JsonObject:
    """As flows.outgoing has it: a `urn:uuid:` that is always the same for the same resource."""
    return {"reference": f"urn:uuid:{derived_id('full-url', f'{type_}/{test.id_of(type_)}')}"}


def _patient(test: SelfTest) -> JsonObject:
    name = {"use": "official", "family": "Test", "given": ["Casebridge"]}
    rest = {"name": [name], "gender": "unknown", "birthDate": "1900-01-01"}
    return {**_base(test, "Patient"), "active": test.stage == "asked", **rest}


def _request(test: SelfTest) -> JsonObject:
    social = {"system": _SNOMED, "code": "410606002", "display": "Social service procedure"}
    return {
        **_base(test, "ServiceRequest"),
        "status": "active" if test.stage == "asked" else "entered-in-error",
        "intent": "order",
        "category": [{"coding": [social]}],
        "code": {"coding": [social], "text": WORDS},
        "subject": _to(test, "Patient"),
        "authoredOn": instant(test.at),
        "requester": {"reference": test.requester},
        "performer": [{"reference": test.owner}],
        "reasonCode": [{"text": WORDS}],
    }


def _task(test: SelfTest) -> JsonObject:
    status, business = test.first
    stands: JsonObject = {"status": status}
    if business:
        stands["businessStatus"] = {"coding": [{"code": business}]}
    if test.stage == "withdrawn":
        stands = {"status": "entered-in-error", "statusReason": {"text": _WITHDRAWN}}
    return {
        **_base(test, "Task"),
        **stands,
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [{"system": _TASK_CODE, "code": "fulfill"}]},
        "description": WORDS,
        "focus": _to(test, "ServiceRequest"),
        "for": _to(test, "Patient"),
        "authoredOn": instant(test.at),
        "lastModified": instant(test.at),
        "requester": {"reference": test.requester},
        "owner": {"reference": test.owner},
    }
