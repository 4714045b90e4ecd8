"""A tool as a FHIR Questionnaire: sections as groups, skips as enableWhen, options, limits, edits as constraints.

https://hl7.org/fhir/R4/questionnaire.html; questionnaire-constraint and variable as SDC uses them. An edit that speaks
of other interviews or of today cannot be said there; it is checked all the same (`edits`).
"""

import re
from typing import Any, Final

from service.coordination.gpra.tool import STAFF, Edit, Question, Tool, tests
from service.fhir.json import JsonObject

BASE: Final = "https://casebridge.example/fhir"
HL7: Final = "http://hl7.org/fhir/StructureDefinition/"
SECTIONS: Final = {
    "A": "Record management, diagnoses, planned services, demographics, military service",
    "B": "Drug and alcohol use",
    "C": "Family and living conditions",
    "D": "Education, employment, and income",
    "E": "Crime and criminal justice status",
    "F": "Mental and physical health problems and treatment/recovery",
    "G": "Social connectedness",
    "H": "Programme-specific questions (SBIRT)",
    "I": "Follow-up status",
    "J": "Discharge status",
    "K": "Services received",
}
INITIAL: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-initialExpression"
KNOWN: Final = {
    "GenderCode": "iif(%patient.gender = 'male', '1', iif(%patient.gender = 'female', '2', {}))",
    "BirthMonth": "%patient.birthDate.toString().substring(5, 2).toInteger()",
    "BirthYear": "%patient.birthDate.toString().substring(0, 4).toInteger()",
}
"""Question → what the client's own entry says of it."""
TYPES: Final = {"I": ("1",), "F": ("2", "3", "4", "6"), "D": ("5",)}
"""Interview → its type codes."""
_NAMED: Final = re.compile(r"%(\w+)")


def form(tool: Tool) -> JsonObject:
    """The Questionnaire of this tool. The same table gives the same bytes."""
    edits = [each for each in tool.edits if _sayable(tool, each)]
    names = sorted({name for each in edits for name in _NAMED.findall(each.expression)})
    return {
        "resourceType": "Questionnaire",
        "id": tool.name,
        "extension": [*(_variable(tool, name) for name in names), *map(_constraint, edits)],
        "url": f"{BASE}/Questionnaire/{tool.name}",
        "version": tool.version,
        "name": "CsatGpra",
        "title": "CSAT GPRA Client Outcome Measures (2019)",
        "status": "active",
        "experimental": False,
        "subjectType": ["Patient"],
        "publisher": "Casebridge",
        "purpose": "The shared outcome data of CSAT discretionary grants, interviews from 2019 to 20 January 2023.",
        "copyright": "The form is a work of the United States Government (OMB 0930-0208), in the public domain.",
        "item": [_section(tool, letter) for letter in SECTIONS],
    }


def _section(tool: Tool, letter: str) -> JsonObject:
    inside = [each for each in tool.questions if each.section == letter]
    made: JsonObject = {"linkId": letter, "prefix": letter, "text": SECTIONS[letter], "type": "group"}
    if letter not in STAFF:
        made["enableWhen"] = [
            {"question": "ConductedInterview", "operator": "=", "answerCoding": {"code": "1"}}
        ]
    elif letter != "A":
        moments = {moment for each in inside for moment in each.interviews}
        made |= _any([_type(code) for moment in sorted(moments) for code in TYPES[moment]])
    return {**made, "item": [_item(tool, each) for each in inside]}


def _item(tool: Tool, question: Question) -> JsonObject:
    kind = "string" if question.type == "choice" and not question.options else question.type
    made: JsonObject = {"linkId": question.link}
    if question.low is not None:
        made["extension"] = [
            {"url": f"{HL7}minValue", "valueInteger": question.low},
            {"url": f"{HL7}maxValue", "valueInteger": question.high},
        ]
    if known := _known(question):
        told = {"language": "text/fhirpath", "expression": known}
        made["extension"] = [*made.get("extension", []), {"url": INITIAL, "valueExpression": told}]
    if question.column:
        made["code"] = [{"system": f"{BASE}/CodeSystem/gpra-item", "code": question.column}]
    made |= {"prefix": question.no, "text": question.text, "type": kind, **_enabled(tool, question)}
    if kind == "choice":
        made["answerOption"] = [
            {"valueCoding": {"code": code, "display": text}} for code, text in question.options
        ]
    return made


def _known(question: Question) -> str:
    """What `$populate` proposes: by `%patient`, and `%received`, days or sessions by column of the download."""
    if question.section == "K" and question.service:
        return f"%received.{question.column}"
    return KNOWN.get(question.link, "")


def _enabled(tool: Tool, question: Question) -> JsonObject:
    """One list can only be all or any: a skip of several alternatives stands alone, the section says the rest."""
    way, conditions = tests(question.skip)
    told = [_condition(tool, *each) for each in conditions]
    if way == "any" and len(told) > 1:
        return _any(told)
    moments = question.interviews if question.section in ("A", "H") else frozenset("IFD")
    types = [code for moment in sorted(moments) for code in TYPES[moment]]
    if len(types) == 1:
        told = [_type(types[0]), *told]
    elif len(moments) < len(TYPES) and not told:
        return _any([_type(code) for code in types])
    return {"enableWhen": told, **({"enableBehavior": "all"} if len(told) > 1 else {})} if told else {}


def _any(conditions: list[JsonObject]) -> JsonObject:
    return {"enableWhen": conditions, **({"enableBehavior": "any"} if len(conditions) > 1 else {})}


def _type(code: str) -> JsonObject:
    return {"question": "InterviewTypeCode", "operator": "=", "answerCoding": {"code": code}}


def _condition(tool: Tool, link: str, sign: str, value: str) -> JsonObject:
    kind = tool.by_link[link].type
    if sign == "?":
        return {"question": link, "operator": "exists", "answerBoolean": True}
    if sign == ">" and kind != "choice":
        return {"question": link, "operator": ">", "answerInteger": int(value)}
    if kind == "boolean":
        return {"question": link, "operator": "=", "answerBoolean": value == "1"}
    if sign == ">":
        return {"question": link, "operator": "!=", "answerCoding": {"code": "0"}}
    return {"question": link, "operator": "=", "answerCoding": {"code": value}}


def _sayable(tool: Tool, edit: Edit) -> bool:
    """Does it speak of answers of this one interview only?"""
    return all(name in tool.by_link or name in tool.groups for name in _NAMED.findall(edit.expression))


def _variable(tool: Tool, name: str) -> JsonObject:
    of = tool.groups.get(name) or (tool.by_link[name],)
    links = " | ".join(f"'{each.link}'" for each in of)
    held = f"%resource.descendants().where(linkId in ({links})).answer.value"
    value = {"boolean": f"{held}.select(iif($this, 1, 0))", "choice": f"{held}.code"}.get(of[0].type, held)
    if of[0].type == "choice" and all(re.fullmatch(r"0|[1-9]\d*", code) for code, _ in of[0].options):
        value = f"{value}.toInteger()" if len(of) == 1 else f"{value}.select(toInteger())"
    told: dict[str, Any] = {"name": name, "language": "text/fhirpath", "expression": value}
    return {"url": f"{HL7}variable", "valueExpression": told}


def _constraint(edit: Edit) -> JsonObject:
    moments = [code for moment in "IFD" if moment in edit.interviews for code in TYPES[moment]]
    of = "" if len(edit.interviews) == len(TYPES) else _only(moments)
    parts: list[JsonObject] = [
        {"url": "key", "valueId": edit.key},
        {"url": "severity", "valueCode": "error" if edit.when == "save" else "warning"},
        {"url": "expression", "valueString": f"{of}(({edit.expression}) or ({edit.expression}).empty())"},
        {"url": "human", "valueString": edit.sentence},
    ]
    return {"url": f"{HL7}questionnaire-constraint", "extension": parts}


def _only(codes: list[str]) -> str:
    listed = " | ".join(f"'{code}'" for code in codes)
    here = "%resource.descendants().where(linkId = 'InterviewTypeCode').answer.value.code"
    return f"({here} in ({listed})).not() or "
