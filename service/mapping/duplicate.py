"""A duplicate found, in FHIR: DetectedIssue (profile casebridge-duplicate) and the Task to the primary case manager.

Both name the two services in the versions that were compared, so that neither keeps them from being deleted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service.coordination.duplicates import Pair
from service.fhir.json import JsonObject
from service.kernel.clock import instant
from service.mapping.names import (
    ACT_CODE,
    DUE_TASK,
    RSS_SERVICE,
    SDOHCC_CODES,
    SERVICE_AREA,
    TASK_DETAIL,
    identifier_system,
    profile,
)
from service.mapping.terms import terms

OVER: Final = frozenset({"completed", "rejected", "cancelled", "failed", "entered-in-error"})
_MITIGATION: Final = {
    "withdrawn": ("13", "Stopped Concurrent Therapy"),
    "agreed": ("13", "Stopped Concurrent Therapy"),
    "kept": ("1", "Therapy Appropriate"),
    "over": ("7", "Interacting Therapy No Longer Active/Planned"),
}
"""Resolution → v3-ActCode (detectedissue-mitigation-action)."""
_ASK: Final = (
    "Possible duplicate; discuss. completed: settled, one is or will be withdrawn; "
    "rejected, with a reason: both are kept."
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of it: `how` is withdrawn, agreed, kept or over; `withdrawn` names the version that says so."""

    how: str
    at: datetime
    reason: str = ""
    withdrawn: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A pair with what is said of it. `versions`: the two services, each in its version; `agencies`: who asks, by name;
    `service` is its code or words; `labels`: security labels of the two."""

    id: str
    patient: str
    pair: Pair
    service: str
    versions: tuple[str, str]
    agencies: tuple[str, str]
    labels: tuple[JsonObject, ...]
    at: datetime


def named(pair: Pair) -> str:
    """The service of a pair: its code in our list, or its area, else its words."""
    needs = (pair.one.need, pair.two.need)
    for kinds in (
        tuple(n.services for n in needs),
        tuple(n.areas for n in needs),
        tuple(n.categories for n in needs),
    ):
        both = kinds[0] & kinds[1] or kinds[0] | kinds[1]
        if both:
            return min(both)
    return min((word for need in needs for word in (*need.other, need.words) if word), default="service")


def in_words(service: str) -> str:
    """What people call it."""
    return terms().display(RSS_SERVICE, service) or terms().display(SERVICE_AREA, service) or service


def sentence(pair: Pair) -> str:
    """Why it was found."""
    return f"{pair.verdict.grade}: {pair.verdict.text}"


def issue_of(found: Found, settled: Settled | None, since: str) -> JsonObject:
    """The DetectedIssue as it stands. `since`: when it was first found."""
    made: JsonObject = {
        "resourceType": "DetectedIssue",
        "meta": {"profile": [profile("casebridge-duplicate")], "security": list(found.labels)},
        "identifier": [{"system": identifier_system("duplicate"), "value": found.id}],
        "status": "final" if settled else "preliminary",
        "code": {"coding": [{"system": ACT_CODE, "code": "DUPTHPY", "display": "Duplicate Therapy Alert"}]},
        "severity": "moderate" if found.pair.verdict.grade == "certain" else "low",
        "patient": {"reference": found.patient},
        "identifiedDateTime": since,
        "implicated": [
            {"reference": version, "display": f"{in_words(found.service)}: {agency}"}
            for version, agency in zip(found.versions, found.agencies, strict=True)
        ],
        "evidence": [{"code": [{"coding": list(_served(found.pair))}]}],
        "detail": f"{in_words(found.service)}: {sentence(found.pair)}",
    }
    if not made["evidence"][0]["code"][0]["coding"]:
        del made["evidence"]
    if not made["meta"]["security"]:
        del made["meta"]["security"]
    if settled:
        made["mitigation"] = [mitigation(settled)]
    return made


def _served(pair: Pair) -> Iterator[JsonObject]:
    """Which needs it is about: a consent for housing lets what is found about housing be told, and nothing else."""
    needs = (pair.one.need, pair.two.need)
    for system, kind in ((SERVICE_AREA, "areas"), (SDOHCC_CODES, "categories")):
        for code in sorted(frozenset().union(*(getattr(need, kind) for need in needs))):
            yield terms().coding(system, code)


def mitigation(settled: Settled) -> JsonObject:
    """What was done about it, in v3-ActCode and in words."""
    code, display = _MITIGATION[settled.how]
    words = f"{settled.how}: {settled.reason}" if settled.reason else settled.how
    return {
        "action": {"coding": [{"system": ACT_CODE, "code": code, "display": display}], "text": words},
        "date": instant(settled.at),
    }


def task_of(
    found: Found, owner: str, hidden: Sequence[str], settled: Settled | None, held: JsonObject | None
) -> JsonObject:
    """The Task as it stands. `hidden`: agencies that may not be told. `held`: as it stood; what people said stays."""
    said: JsonObject = {
        name: held[name]
        for name in ("note", "statusReason", "lastModified", "identifier")
        if held and name in held
    }
    made: JsonObject = {
        **said,
        "resourceType": "Task",
        "status": _status(settled, held),
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [{"system": DUE_TASK, "code": "possible-duplicate"}]},
        "description": f"{in_words(found.service)}: {_ASK}",
        "focus": {"reference": f"DetectedIssue/{found.id}/_history/1"},
        "for": {"reference": found.patient},
        "authoredOn": held["authoredOn"] if held else instant(found.at),
        "owner": {"reference": owner},
        "reasonCode": {"coding": list(_served(found.pair)), "text": sentence(found.pair)},
        "input": [
            *(
                {
                    "type": _detail("possible-duplicate"),
                    "valueReference": {"reference": version, "display": agency},
                }
                for version, agency in zip(found.versions, found.agencies, strict=True)
            ),
            *({"type": _detail("hidden-from"), "valueReference": {"reference": each}} for each in hidden),
        ],
    }
    if not made["reasonCode"]["coding"]:
        del made["reasonCode"]["coding"]
    if found.labels:
        made["meta"] = {"security": list(found.labels)}
    return closed(made, settled) if settled else made


def closed(task: JsonObject, settled: Settled) -> JsonObject:
    """The Task with what came of it; what a person said in it is not said over."""
    made = dict(task)
    if settled.how in ("withdrawn", "over") and made["status"] not in OVER:
        made["status"] = "completed" if settled.how == "withdrawn" else "cancelled"
        made["statusReason"] = {"text": settled.reason or settled.how}
    if settled.withdrawn:
        made["output"] = [{"type": _detail("withdrawn"), "valueReference": {"reference": settled.withdrawn}}]
    return made


def _status(settled: Settled | None, held: JsonObject | None) -> str:
    if held is None:
        return "requested"
    return str(held["status"]) if settled or held["status"] not in OVER else "requested"


def _detail(code: str) -> JsonObject:
    return {"coding": [{"system": TASK_DETAIL, "code": code}]}
