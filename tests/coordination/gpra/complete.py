"""Complete synthetic interviews: every question that is asked has an answer, and every edit holds."""

from typing import Any

from service.coordination.gpra.edits import MANAGED, Interview, asked, expected
from service.coordination.gpra.tool import Question, read_tool

TOOL = read_tool("csat-gpra", "2019.1")
assert TOOL is not None
CHOSEN: dict[str, str] = {
    "ClientType": "1", "ICD10CodeOne": "F10.20", "ICD10CodeOneCategory": "1", "ICD10CodeTwo": "F11.20",
    "ICD10CodeTwoCategory": "2", "ICD10CodeThree": "F33", "ICD10CodeThreeCategory": "3", "OpioidDisorder": "1",
    "AlcoholDisorder": "1", "GenderCode": "2", "HispanicLatino": "1", "BirthMonth": "7", "BirthYear": "1991",
    "MilitaryServed": "1", "ActiveDuty": "0", "NeverDeployed": "0", "FamilyActiveDuty": "2", "DAUseAlcoholDays": "20",
    "DAUseAlcoholIntox5Days": "8", "DAUseAlcoholIntox4Days": "6", "DAUseIllegDrugsDays": "15", "DAUseBothDays": "10",
    "InjectedDrugs": "1", "ParaphenaliaUsedOthers": "5", "LivingWhere": "4", "LivingHoused": "6", "Pregnant": "0",
    "Children": "1", "ChildrenNr": "2", "ChildrenCustody": "1", "ChildrenCustodyNr": "1", "ChildrenCustodyLost": "0",
    "TrainingProgram": "4", "EmployStatus": "0", "IncomeOther": "120", "ArrestedDays": "2", "ArrestedDrugDays": "1",
    "ArrestedConfineDays": "3", "NrCrimes": "15", "SexActivity": "1", "SexContacts": "6", "SexUnprot": "4",
    "SexUnprotHIVAids": "1", "SexUnprotInjDrugUser": "1", "SexUnprotHigh": "2", "WhomInTrouble": "5", "GenderOtherSpecify": "",
    "DischargeDate": "2027-03-09", "DischargeStatusCompl": "02", "DischargeStatusTermReason": "13", "jHIVTest": "0",
    "FLWPStatusSpec": "", "fHIVTest": "1",
}  # fmt: skip
DETOX = ("SvcFreeStandingRes", "SvcAmbulatoryDetox")


def value(question: Question) -> str:
    """An answer that fits the question and no edit minds."""
    if question.link in CHOSEN:
        return CHOSEN[question.link]
    if question.column in DETOX:
        return "0"
    if question.options:
        return question.options[0][0]
    match question.type:
        case "boolean":
            return "1"
        case "integer":
            low, high = question.low or 0, question.high or 0
            return str(min(max(low, 5), high))
        case "string":
            return f"said: {question.no}"[:40]
    raise AssertionError(question)


def interview(
    type_: str = "intake", day: str = "2026-03-03", conducted: bool = True, **other: str
) -> Interview:
    """All of it; `other` are answers instead, an empty one for none."""
    status = {"six-month": "11" if conducted else "31", "three-month": "11"}.get(type_, "")
    status = other.pop("FLWPStatus", status)
    bare = Interview("TI-026543", "HRS-000412", type_, 1, day, conducted, status, {})
    values: dict[str, str] = {}
    for question in TOOL.questions if TOOL else ():
        if question.link in MANAGED or question.optional or not expected(question, bare):
            continue
        if asked(question, {**bare.all, **values}):
            given = other.get(question.link, value(question))
            if given:
                values[question.link] = given
    extra = {link: given for link, given in other.items() if given and link not in values}
    return Interview("TI-026543", "HRS-000412", type_, 1, day, conducted, status, {**values, **extra})


def record(held: Interview, id_: str, **more: Any) -> dict[str, Any]:
    """The casework record of an interview."""
    made: dict[str, Any] = {
        "id": id_, "client": "leslie-moreno", "tool": "csat-gpra", "version": "2019.1", "grant": held.grant,
        "gpraClient": held.client, "type": held.type, "sequence": held.sequence, "conducted": held.conducted,
        "date": held.day, "by": "victoria-chen", "status": "completed",
        "answers": [answer(link, given) for link, given in held.values.items()],
    }  # fmt: skip
    if held.follow_up:
        made["followUp"] = held.follow_up
    return {**made, **more}


REASONS = {"-7": "refused", "-8": "unknown", "-9": "not-asked", "-1": "not-applicable"}


def answer(link: str, given: str) -> dict[str, Any]:
    """As a case-management system would say it."""
    question = TOOL.by_link[link] if TOOL and link in TOOL.by_link else None
    codes = [code for code, _ in question.options] if question else []
    if given in REASONS and given not in codes:
        return {"question": link, "missing": REASONS[given]}
    kind = question.type if question else "string"
    if kind == "choice" and codes:
        return {"question": link, "choices": [{"code": given}]}
    if kind == "boolean":
        return {"question": link, "yes": given == "1"}
    if kind == "integer" and given.lstrip("-").isdecimal():
        return {"question": link, "number": int(given)}
    if kind == "date":
        return {"question": link, "day": given}
    return {"question": link, "words": given}
