"""A partner's referral in whatever conformant shape → the records a case manager reads.

The patient may be contained in the request, named by identifier only, or an entry of its own; the request
may be contained in the Task or come without one (COW). What the records cannot carry is named in the
notes, element by element; the stored resources keep it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from service.casework.records.client import Client
from service.casework.records.referral import Referral
from service.fhir.json import Json, JsonObject
from service.fhir.outcome import Issue
from service.mapping import client as clients
from service.mapping import parts
from service.mapping import referral_record as referrals
from service.mapping.context import MappingContext, Told, note
from service.mapping.identity import local
from service.mapping.names import GOAL_SERVED

_ALWAYS: Final = frozenset(("resourceType", "id", "meta", "text", "implicitRules", "language", "contained"))
_REQUEST: Final = _ALWAYS | frozenset((
    "extension", "identifier", "status", "intent", "category", "priority", "code", "orderDetail", "subject",
    "occurrencePeriod", "occurrenceDateTime", "occurrenceTiming", "authoredOn", "requester", "performer",
    "locationCode", "reasonCode", "reasonReference", "supportingInfo", "note", "patientInstruction",
    "basedOn",
))  # fmt: skip
_TASK: Final = _ALWAYS | frozenset((
    "identifier", "status", "statusReason", "intent", "priority", "code", "description", "focus", "for",
    "authoredOn", "lastModified", "requester", "owner", "reasonCode", "restriction", "output", "note",
))  # fmt: skip
_REFERRED: Final = frozenset(
    ("Patient", "Organization", "PractitionerRole", "Practitioner", "ServiceRequest")
)


@dataclass(frozen=True)
class Inbound:
    """One referral of a partner: `task` and `request` are the ids of the stored resources, "" where there
    is none; `client` is None when the Patient is not among the resources (then it is one already known)."""

    referral: Told[Referral]
    client: Told[Client] | None
    task: str
    request: str


def read(resources: Iterable[JsonObject], context: MappingContext) -> tuple[Inbound, ...]:
    """Every referral among the resources of a Bundle, in the order of their Tasks; requests without Task
    last."""
    everything = flattened(resources)
    tasks = [r for r in everything if r["resourceType"] == "Task"]
    requests = [r for r in everything if r["resourceType"] == "ServiceRequest"]
    pairs = [(task, _target(task.get("focus"), "ServiceRequest", everything, context)) for task in tasks]
    asked = [request for _, request in pairs]
    alone: list[tuple[JsonObject, JsonObject | None]] = [
        ({}, request) for request in requests if not any(request is one for one in asked)
    ]
    return tuple(_one(t, r, everything, context) for t, r in (*pairs, *alone) if r is not None)


def told(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[Referral]:
    """The first referral among the resources, ours or a partner's."""
    found = read(resources, context)
    if not found:
        raise LookupError("no ServiceRequest among the resources")
    return found[0].referral


def flattened(resources: Iterable[JsonObject]) -> tuple[JsonObject, ...]:
    """The resources with those they contain beside them, `#id` references made ordinary ones."""
    made: list[JsonObject] = []
    for resource in resources:
        inner = {c["id"]: c for c in resource.get("contained", []) if "id" in c}
        names = {f"#{k}": f"{c['resourceType']}/{_lifted(resource, k)}" for k, c in inner.items()}
        made.append(_renamed(resource, names) if inner else resource)
        made.extend({**_renamed(c, names), "id": _lifted(resource, key)} for key, c in inner.items())
    return tuple(made)


def _lifted(holder: JsonObject, inner_id: str) -> str:
    return f"{holder.get('id', '')}.{inner_id}"


def _renamed(value: Json, names: dict[str, str]) -> Json:
    if isinstance(value, dict):
        kept = {k: _renamed(v, names) for k, v in value.items() if k != "contained"}
        if isinstance(text := kept.get("reference"), str) and text in names:
            kept["reference"] = names[text]
        return kept
    return [_renamed(v, names) for v in value] if isinstance(value, list) else value


def _one(
    task: JsonObject, request: JsonObject, everything: tuple[JsonObject, ...], context: MappingContext
) -> Inbound:
    patient = _target(request.get("subject") or task.get("for"), "Patient", everything, context)
    whole = [_resolved(r, everything, context) for r in (request, task) if r]
    told = referrals.to_record(tuple(whole), context)
    about = [r for r in everything if r is patient or r["resourceType"] == "RelatedPerson"]
    return Inbound(
        referral=Told(told.record, (*told.notes, *_unread(whole[0], whole[-1] if task else {}))),
        client=clients.to_record(tuple(about), context) if patient else None,
        task=str(task.get("id", "")),
        request=str(request.get("id", "")),
    )


def _resolved(
    resource: JsonObject, everything: tuple[JsonObject, ...], context: MappingContext
) -> JsonObject:
    """Top-level references by identifier alone, or to a role, said as a plain reference with a display."""
    made = dict(resource)
    for element in ("subject", "for", "requester", "owner"):
        if isinstance(reference := made.get(element), dict):
            made[element] = _plain(reference, everything, context)
    if "reasonReference" in made:
        made["reasonReference"] = [_plain(r, everything, context) for r in made["reasonReference"]]
    if "output" in made:
        made["output"] = [_delivered(output, everything, context) for output in made["output"]]
    return made


def _delivered(output: JsonObject, everything: tuple[JsonObject, ...], context: MappingContext) -> JsonObject:
    """An output that refers to a Procedure or Observation, with what that says as its display."""
    held = output.get("valueReference")
    return {**output, "valueReference": _plain(held, everything, context)} if held else output


def _plain(reference: JsonObject, everything: tuple[JsonObject, ...], context: MappingContext) -> JsonObject:
    found = next((r for r in everything if names(reference, r, context)), None)
    if found is None:
        return reference
    if found["resourceType"] == "PractitionerRole" and "organization" in found:
        return _plain(found["organization"], everything, context)
    plain = {**reference, "reference": f"{found['resourceType']}/{found['id']}"}
    display = reference.get("display") or found.get("name") or parts.concept_text(found.get("code"))
    return {**plain, "display": display} if isinstance(display, str) else plain


def _target(
    reference: JsonObject | None, kind: str, everything: tuple[JsonObject, ...], context: MappingContext
) -> JsonObject | None:
    """The resource of this type that is meant; the only one of its type when nothing says which."""
    of_kind = [r for r in everything if r["resourceType"] == kind]
    named = [r for r in of_kind if reference and names(reference, r, context)]
    if named:
        return named[0]
    says = (reference or {}).get("reference") or (reference or {}).get("identifier")
    return of_kind[0] if len(of_kind) == 1 and not says else None


def names(reference: JsonObject, resource: JsonObject, context: MappingContext) -> bool:
    """Does the reference mean the resource: by type and id, by URL, or by an identifier it has?"""
    literal = local(context, str(reference.get("reference", "")))
    if literal:
        whole = f"{resource['resourceType']}/{resource.get('id', '')}"
        return literal == whole or literal.endswith("/" + whole)
    wanted = reference.get("identifier")
    held = resource.get("identifier", [])
    if not wanted or resource["resourceType"] not in _REFERRED:
        return False
    key = (wanted.get("system"), wanted.get("value"))
    return any((i.get("system"), i.get("value")) == key for i in (held if isinstance(held, list) else [held]))


def _unread(request: JsonObject, task: JsonObject) -> Iterator[Issue]:
    for resource, known in ((request, _REQUEST), (task, _TASK)):
        for element in resource:
            if element.removeprefix("_") not in known:
                path = f"{resource['resourceType']}.{element}"
                yield note(f"the referral record has no place for {path}", path)
    for held in request.get("extension", []):
        if held.get("url") != GOAL_SERVED:
            yield note(f"the referral record has no place for the extension {held.get('url')}")
    for plan in request.get("basedOn", []):
        if "CarePlan/" not in str(plan.get("reference", "")):
            yield note("the referral record names no other request it is based on", "ServiceRequest.basedOn")
    for output in task.get("output", []):
        if "display" not in output.get("valueReference", {"display": ""}):
            yield note("what the Task reports as output is not among the resources", "Task.output")
    if len(request.get("locationCode", [])) > 1:
        yield note("the referral record holds one place", "ServiceRequest.locationCode[1]")
