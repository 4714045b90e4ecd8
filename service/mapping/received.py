"""What a partner files beside referrals, in the words of a record: care plans, encounters, answers, services given,
results. Pure.

A record is read from the resource together with those it names or that name it. What the record has no place for is
noted; the resource keeps it.
"""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from service.casework.records import Record
from service.fhir.json import Json, JsonObject
from service.fhir.references import texts
from service.mapping.context import MappingContext, Told
from service.mapping.identity import local
from service.mapping.inbound import flattened, names
from service.mapping.table import table

KINDS: Final = MappingProxyType(
    {
        "CarePlan": "care-plans",
        "Encounter": "encounters",
        "QuestionnaireResponse": "assessments",
        "Procedure": "service-outcomes",
    }
)
"""Type → the kind of record that says it."""
FACES: Final = MappingProxyType({kind: type_ for type_, kind in KINDS.items()})
NEWS: Final = MappingProxyType(
    {
        "CarePlan": "care-plan-received",
        "Encounter": "encounter-received",
        "QuestionnaireResponse": "assessment-received",
        "Procedure": "service-outcome-received",
        "Observation": "result-received",
    }
)
"""Type → the event that tells of it."""


def told(resource: JsonObject, beside: Iterable[JsonObject], context: MappingContext) -> Told[Record]:
    """The record a resource says, of one of the KINDS. LookupError when no record can say it; quotes nothing."""
    whole = flattened([_ours(each, context) for each in (resource, *beside)])
    near = [each for each in whole[1:] if _belongs(each, whole[0], context)]
    needs = [each for each in near if each["resourceType"] == "Condition"]
    goals = [
        each
        for each in whole[1:]
        if each["resourceType"] == "Goal"
        and each not in near
        and any(_belongs(each, need, context) for need in needs)
    ]
    about = (whole[0], *near, *goals)
    said: Told[Record] = table[KINDS[resource["resourceType"]]].to_record(about, context)
    return said


def _ours(value: Json, context: MappingContext) -> Json:
    """References to us as we write them: without our base and without a version."""
    if isinstance(value, dict):
        return {
            key: local(context, each)
            if key == "reference" and isinstance(each, str)
            else _ours(each, context)
            for key, each in value.items()
        }
    return [_ours(each, context) for each in value] if isinstance(value, list) else value


def _belongs(other: JsonObject, resource: JsonObject, context: MappingContext) -> bool:
    """Is it named by the resource, or does it name it? Another of the same type is another record."""
    if other["resourceType"] == resource["resourceType"]:
        return False
    return any(names({"reference": text}, other, context) for text in texts(resource)) or any(
        names({"reference": text}, resource, context) for text in texts(other)
    )


def result(observation: JsonObject) -> JsonObject | None:
    """An Observation for people: what, its value and when; None for an answer, which its response tells."""
    if any(
        "QuestionnaireResponse/" in text
        for text in texts({"derivedFrom": observation.get("derivedFrom", [])})
    ):
        return None
    said = {
        "what": _words(observation.get("code", {})),
        "value": _value(observation),
        "on": str(observation.get("effectiveDateTime") or observation.get("issued") or "")[:10],
    }
    return {key: text for key, text in said.items() if text}


def _value(observation: JsonObject) -> str:
    quantity = observation.get("valueQuantity")
    if isinstance(quantity, dict):
        return " ".join(str(quantity[key]) for key in ("comparator", "value", "unit") if key in quantity)
    concept = observation.get("valueCodeableConcept") or observation.get("dataAbsentReason")
    if isinstance(concept, dict):
        return _words(concept)
    plain = next((value for key, value in observation.items() if key.startswith("value")), "")
    return {True: "yes", False: "no"}[plain] if isinstance(plain, bool) else str(plain or "")


def _words(concept: JsonObject) -> str:
    codings = [coding.get("display") or coding.get("code") for coding in concept.get("coding", [])]
    return str(concept.get("text") or next(filter(None, codings), ""))
