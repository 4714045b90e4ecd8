"""GPRA interview ⇄ QuestionnaireResponse with its key and its labels (GPRA.md §1.9; 42 CFR Part 2)."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from service.casework.records.answers import Answer
from service.casework.records.gpra_interview import GpraInterview
from service.coordination.gpra.edits import MANAGED, TYPES, Interview
from service.coordination.gpra.tool import MISSING, REFUSED, SKIPPED, UNKNOWN, Tool, read_tool
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.mapping import parts
from service.mapping.answers import answers, fhir_items
from service.mapping.context import Mapped, MappingContext, Told, one
from service.mapping.identity import identifier, own_organization, refer, referred, resource_id
from service.mapping.names import ACT_CODE, CANONICAL, GPRA_INTERVIEW, identifier_system, profile

NAMES: Final = {code: name for name, code in TYPES.items()}
"""The code of an interview's type, in words."""
_CODES: Final = {"refused": REFUSED, "unknown": UNKNOWN, "not-asked": MISSING, "not-applicable": SKIPPED}
_KEY: Final = identifier_system("gpra-key")
_LABELS: Final = (
    {"system": ACT_CODE, "code": "42CFRPart2"},
    {"system": ACT_CODE, "code": "SUD"},
    {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"},
)


def to_fhir(interview: GpraInterview, context: MappingContext) -> Mapped:
    """One QuestionnaireResponse; its identifier is grant|client|type|sequence, which the export reads."""
    number = TYPES[interview.type]
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
        item=_items(interview),
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
    kind: Any = NAMES.get(parts.extension(key, "type", "valueCode"), "intake")
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
        answers=tuple(_given(held, canonical.rsplit("/", 1)[-1], version)),
    )
    return Told(interview)


def values(interview: GpraInterview) -> Interview:
    """The interview as the edits and the exports read it: a code or words for each question that has an answer."""
    said = {each.question: text for each in interview.answers if (text := _value(each)) is not None}
    return Interview(
        interview.grant, interview.gpra_client, interview.type, interview.sequence, str(interview.date),
        interview.conducted, interview.follow_up or "", said, interview.status in ("completed", "amended"),
    )  # fmt: skip


def _value(answer: Answer) -> str | None:
    if answer.missing:
        return _CODES[answer.missing]
    if answer.yes is not None:
        return "1" if answer.yes else "0"
    plain = (answer.number, answer.amount, answer.words, answer.day)
    return next(
        (str(each) for each in plain if each is not None), answer.choices[0].code if answer.choices else None
    )


def _items(interview: GpraInterview) -> list[JsonObject]:
    """In the groups of the tool where we know it, with what the record says by its own members; else one after one."""
    tool = read_tool(interview.tool, interview.version)
    if tool is None:
        return fhir_items(interview.answers)
    said = {each["linkId"]: each for each in fhir_items(interview.answers) if each["linkId"] in tool.by_link}
    if len(said) < len(interview.answers):
        return fhir_items(interview.answers)
    said |= {each["linkId"]: each for each in _managed(interview, tool)}
    letters = dict.fromkeys(each.section for each in tool.questions)
    groups = {
        letter: [said[each.link] for each in tool.questions if each.section == letter and each.link in said]
        for letter in letters
    }
    return [{"linkId": letter, "item": inside} for letter, inside in groups.items() if inside]


def _managed(interview: GpraInterview, tool: Tool) -> Iterator[JsonObject]:
    """The record management questions, answered by the record."""
    own = values(interview).all
    for link in MANAGED:
        kind = tool.by_link[link].type
        held: dict[str, Any] = {
            "choice": {"valueCoding": {"code": own.get(link)}},
            "date": {"valueDate": own.get(link)},
            "integer": {"valueInteger": interview.sequence},
        }
        if link in own and (link != "InterviewDate" or interview.conducted):
            yield {"linkId": link, "answer": [held.get(kind, {"valueString": own[link]})]}


def _given(held: JsonObject, tool: str, version: str) -> Iterable[Answer]:
    """The answers, without those that the record gives by its own members."""
    own = MANAGED if read_tool(tool, version) else ()
    return (each for each in answers(held.get("item", [])) if each.question not in own)


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
