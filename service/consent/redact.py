"""Element-level redaction by table: what may be masked so that the rest of a resource can still go.

An element listed here explains or qualifies the resource; what a resource *is* (`Condition.code`) is not
listed, so a resource that is sensitive in itself is withheld as a whole. Masked elements carry
`data-absent-reason` `masked` and the text REDACTED where the element allows a text
(https://hl7.org/fhir/R4/extension-data-absent-reason.html, DS4P redaction).
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from service.consent.label import labels
from service.consent.request import Labelled, Path
from service.fhir.json import Json, JsonObject

REDACTED = "REDACTED"
_ABSENT: JsonObject = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "masked",
}

How = Literal["mask", "remove"]

MASKABLE: Mapping[str, Mapping[str, How]] = MappingProxyType(
    {
        "Patient": {"generalPractitioner": "remove", "extension": "remove"},
        "ServiceRequest": {
            "reasonCode": "remove",
            "orderDetail": "remove",
            "supportingInfo": "remove",
            "bodySite": "remove",
        },
        "Task": {"reasonCode": "mask", "input": "remove", "output": "remove", "businessStatus": "mask"},
        "CarePlan": {"activity": "remove", "addresses": "remove", "category": "remove"},
        "Goal": {"addresses": "remove", "category": "remove", "outcomeCode": "remove"},
        "Encounter": {"reasonCode": "remove", "diagnosis": "remove", "type": "remove"},
        "Procedure": {"reasonCode": "remove", "complication": "remove", "usedCode": "remove"},
        "Appointment": {"reasonCode": "remove", "specialty": "remove"},
        "CareTeam": {"reasonCode": "remove", "category": "remove"},
    }
)
"""Type → top-level element → remove it (optional elements), or mask it in place (a concept that stays)."""

FREE_TEXT = ("text", "note", "comment", "description", "patientInstruction")
"""Prose that may repeat what was masked: removed together with it, at the top level."""


def maskable(
    item: Labelled, table: Mapping[str, Mapping[str, How]] = MASKABLE
) -> tuple[Labelled, tuple[Path, ...]] | None:
    """The item as it would be without its sensitive elements, and those elements; None if it cannot be.

    Sensitivities and confidentiality that were received as labels stay: only what we found by code goes.
    """
    rows = table.get(item.type, {})
    if not item.sensitive or any(one.path[0] not in rows for one in item.sensitive):
        return None
    meta = item.resource.get("meta")
    security = meta.get("security", []) if isinstance(meta, dict) else []
    received = [(str(one.get("system", "")), str(one.get("code", ""))) for one in security]
    masks = tuple(dict.fromkeys((one.path[0],) for one in item.sensitive))
    rest = redacted(item.resource, masks, table)
    return (
        replace(
            item,
            labels=labels(received, item.labels.part2),
            sensitive=(),
            codes=frozenset(_codes(rest)),
        ),
        masks,
    )


def redacted(
    resource: JsonObject, masks: Sequence[Path], table: Mapping[str, Mapping[str, How]] = MASKABLE
) -> JsonObject:
    """A copy of the resource without the masked elements and without prose that may repeat them."""
    if not masks:
        return resource
    rows = table.get(str(resource.get("resourceType")), {})
    result = {key: copy.deepcopy(value) for key, value in resource.items()}
    for element, *_ in masks:
        _apply(result, str(element), rows.get(str(element), "remove"))
    for element in FREE_TEXT:
        result.pop(element, None)
        result.pop(f"_{element}", None)
    return result


def without_references(value: Json, withheld: frozenset[str]) -> Json:
    """A copy in which references to what is withheld say no more than that something is masked.

    Within lists they vanish, so that not even their number remains.
    """
    if isinstance(value, dict):
        if _points(value, withheld):
            return {"extension": [_ABSENT], "display": REDACTED}
        return {
            key: kept for key, member in value.items() if (kept := without_references(member, withheld)) != []
        }
    if isinstance(value, list):
        return [
            without_references(member, withheld)
            for member in value
            if not (isinstance(member, dict) and _points(member, withheld))
        ]
    return value


def _points(member: JsonObject, withheld: frozenset[str]) -> bool:
    target = member.get("reference")
    if not isinstance(target, str):
        return False
    plain = target.split("/_history/")[0]
    return plain in withheld or "/".join(plain.split("/")[-2:]) in withheld


def _apply(resource: JsonObject, element: str, how: How) -> None:
    if how == "remove":
        resource.pop(element, None)
        resource.pop(f"_{element}", None)
    else:
        resource[element] = {"extension": [_ABSENT], "text": REDACTED}


def _codes(value: Json) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        own = [(value["system"], value["code"])] if _coded(value) else []
        return own + [token for member in value.values() for token in _codes(member)]
    if isinstance(value, list):
        return [token for member in value for token in _codes(member)]
    return []


def _coded(value: JsonObject) -> bool:
    return isinstance(value.get("code"), str) and isinstance(value.get("system"), str)
