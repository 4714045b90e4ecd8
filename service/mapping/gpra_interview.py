"""GPRA interview ⇄ QuestionnaireResponse with its key and its labels (GPRA.md §1.9; 42 CFR Part 2)."""

from typing import Any, Final

from service.casework.records.gpra_interview import GpraInterview
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.mapping import parts
from service.mapping.answers import answers, fhir_items
from service.mapping.context import Mapped, MappingContext, Told, one
from service.mapping.identity import identifier, own_organization, refer, referred, resource_id
from service.mapping.names import ACT_CODE, CANONICAL, GPRA_INTERVIEW, identifier_system, profile

_TYPES: Final = {"intake": "1", "six-month": "2", "three-month": "4", "discharge": "5", "post-discharge": "6"}
_NAMES: Final = {code: name for name, code in _TYPES.items()}
_KEY: Final = identifier_system("gpra-key")
_LABELS: Final = (
    {"system": ACT_CODE, "code": "42CFRPart2"},
    {"system": ACT_CODE, "code": "SUD"},
    {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"},
)


def to_fhir(interview: GpraInterview, context: MappingContext) -> Mapped:
    """One QuestionnaireResponse; its identifier is grant|client|type|sequence, which the export reads."""
    number = _TYPES[interview.type]
    key = f"{interview.grant}|{interview.gpra_client}|{number}|{interview.sequence}"
    response = build(
        "QuestionnaireResponse",
        id=resource_id(context, "gpra-interviews", interview.id, "QuestionnaireResponse"),
        meta={"profile": [profile("casebridge-gpra-response")], "security": list(_LABELS)},
        extension=[_key(interview, number), _own_id(interview, context)],
        identifier={"system": _KEY, "value": key},
        questionnaire=f"{CANONICAL}/Questionnaire/{interview.tool}|{interview.version}",
        status=interview.status,
        subject=refer(context, "clients", interview.client),
        encounter=refer(context, "encounters", interview.encounter) if interview.encounter else None,
        authored=interview.date,
        author=refer(context, "case-managers", interview.by) if interview.by else own_organization(context),
        item=fhir_items(interview.answers),
    )
    return Mapped((response,))


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[GpraInterview]:
    """From a GPRA QuestionnaireResponse."""
    held = one(resources, "QuestionnaireResponse")
    if held is None:
        raise LookupError("no QuestionnaireResponse among the resources")
    key: JsonObject = next((e for e in held.get("extension", []) if e.get("url") == GPRA_INTERVIEW), {})
    canonical, _, version = str(held.get("questionnaire", "")).partition("|")
    own = parts.extension(held, _RECORD, "valueIdentifier")
    person = "Practitioner" in str(held.get("author", {}).get("reference", ""))
    kind: Any = _NAMES.get(parts.extension(key, "type", "valueCode"), "intake")
    interview = GpraInterview(
        id=str(own["value"]).split("/", 1)[1] if own else held["id"],
        client=referred(context, "clients", held.get("subject")) or "unknown",
        tool=canonical.rsplit("/", 1)[-1],
        version=version or "unknown",
        grant=parts.extension(key, "grant", "valueString"),
        gpra_client=parts.extension(key, "clientId", "valueString"),
        type=kind,
        sequence=parts.extension(key, "sequence", "valuePositiveInt"),
        conducted=parts.extension(key, "conducted", "valueBoolean"),
        date=str(held.get("authored", "1900"))[:10],
        follow_up=parts.extension(key, "status", "valueCode"),
        by=referred(context, "case-managers", held.get("author")) if person else None,
        encounter=referred(context, "encounters", held.get("encounter")),
        status=held["status"],
        answers=tuple(answers(held.get("item", []))),
    )
    return Told(interview)


_RECORD: Final = profile("record-identifier")


def _own_id(interview: GpraInterview, context: MappingContext) -> JsonObject:
    """QuestionnaireResponse has one identifier, and the key of the interview is it."""
    return {"url": _RECORD, "valueIdentifier": identifier(context, "gpra-interview", interview.id)}


def _key(interview: GpraInterview, number: str) -> JsonObject:
    held: list[JsonObject | None] = [
        {"url": "grant", "valueString": interview.grant},
        {"url": "clientId", "valueString": interview.gpra_client},
        {"url": "type", "valueCode": number},
        {"url": "sequence", "valuePositiveInt": interview.sequence},
        {"url": "conducted", "valueBoolean": interview.conducted},
        parts.fhir_extension("status", "valueCode", interview.follow_up),
    ]
    return {"url": GPRA_INTERVIEW, "extension": held}
