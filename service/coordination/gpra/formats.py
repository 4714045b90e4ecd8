"""Interviews as the files the grants' systems take: the SPARS download's columns as CSV, the SAIS batch as XML.

Pure: the same interviews give the same bytes. Every column has a value; one that is none says why (GPRA.md §1.2):
−1 not applicable or skipped, −7 refused, −8 do not know, −9 missing.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Final, TypeAlias

from service.coordination.gpra.edits import Interview, expected
from service.coordination.gpra.tool import MISSING, SKIPPED, Question, Tool, asked

NEVER: Final = "1869-07-01"
"""The date that the batch format wants of an interview that was not conducted."""
ANSWERED: Final = "answered"
SAIS: Final = "http://SAISEDIService.org/SAISDocument"
_MANAGEMENT: Final = ("ClientID", "GrantID", "InterviewTypeCode", "ClientType", "InterviewDate")
_ALWAYS: Final = ("RecordMgmt",)
_ASKED: Final = (
    "DrugandAlcohol", "FamilyandLiving", "EducationEmploymentIncome", "CrimeandCriminalJusticeStatus",
    "MentalandPhysicalHealth", "SocialConnectedness",
)  # fmt: skip
_OWN: Final = {"I": ("SectionA",), "F": ("FollowUpStatus",), "D": ("DischargeStatus", "ServicesReceived")}
_FIXED: Final[Mapping[str, Callable[[Interview], str]]] = {
    "Veteran": lambda _: "-99",
    "ConductedInterview": lambda interview: str(int(interview.conducted)),
}
"""Elements that no question of this tool answers: an item of an older form, and what the record says."""
Tree: TypeAlias = "dict[str, str | Tree]"


def values(tool: Tool, interview: Interview) -> dict[str, str]:
    """Every column of the download, in its order, with this interview's value; dates as YYYY-MM-DD."""
    said = interview.all
    return {
        column: _value(tool.of_column(column, interview.moment), interview, said) for column in tool.columns
    }


def _value(question: Question | None, interview: Interview, said: Mapping[str, str]) -> str:
    if question is None or not expected(question, interview):
        return SKIPPED
    if question.link == "InterviewDate" and not interview.conducted:
        return SKIPPED
    if question.link in said:
        return said[question.link]
    return MISSING if not question.optional and asked(question, said) else SKIPPED


def explanation(tool: Tool, interview: Interview, column: str) -> str:
    """Why this column says what it says, in words that hold no answer."""
    question = tool.of_column(column, interview.moment)
    if question is None:
        return "not asked at this interview"
    if not expected(question, interview) or (column == "InterviewDate" and not interview.conducted):
        return "the interview was not conducted"
    if question.link in interview.all:
        return {"-7": "refused", "-8": "not known", "-9": "not asked", "-1": "not applicable"}.get(
            interview.all[question.link] if not question.options else "", ANSWERED
        )
    if question.optional:
        return "asked by some grants, or of further persons, only"
    return "not answered" if asked(question, interview.all) else f"skipped: it needs {question.skip}"


def spars(tool: Tool, interviews: Sequence[Interview]) -> str:
    """CSV with the columns of the download in their order, a row an interview; dates as MM/DD/YYYY."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(tool.columns)
    for each in interviews:
        found = values(tool, each)
        writer.writerow([_american(tool, column, each, text) for column, text in found.items()])
    return out.getvalue()


def _american(tool: Tool, column: str, interview: Interview, text: str) -> str:
    question = tool.of_column(column, interview.moment)
    if question is None or question.type != "date" or len(text) != len(NEVER):
        return _harmless(text)
    year, month, day = text.split("-")
    return f"{month}/{day}/{year}"


def _harmless(text: str) -> str:
    """A person's words never begin a formula where the file is opened as a table."""
    return f"'{text}" if text[:1] in ("=", "+", "@", "\t") else text


def sais(tool: Tool, interviews: Sequence[Interview]) -> str:
    """The SAIS batch document, version 1.0: a Record an interview, with the sections its kind has."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>', f'<document xmlns="{SAIS}">', "  <ProcessControl>",
        "    <SCHEMA_VERSION>1.0</SCHEMA_VERSION>", f"    <RECORD_COUNT>{len(interviews)}</RECORD_COUNT>",
        "    <PROCESS_STATUS>0</PROCESS_STATUS>", "  </ProcessControl>",
    ]  # fmt: skip
    for number, each in enumerate(interviews, 1):
        kind = each.all["InterviewTypeCode"]
        head: Tree = {
            "RecordType": "A", "RecordSeqNo": str(number), "GranteeSourceID": f"{each.client}-{kind}-{each.sequence}"
        }  # fmt: skip
        lines += _lines({"Record": {**head, **_record(tool, each)}}, 1)
    return "\n".join([*lines, "</document>", ""])


def _record(tool: Tool, interview: Interview) -> Tree:
    found: Tree = {}
    for question in tool.questions:
        for path in _paths(question, interview):
            fixed = _FIXED.get(path.rsplit("/", 1)[-1])
            text = fixed(interview) if fixed else _text(question, interview)
            _put(found, path.split("/"), text)
    own, between = _OWN[interview.moment], _ASKED if interview.conducted else ()
    names = (*_ALWAYS, *own, *between) if interview.moment == "I" else (*_ALWAYS, *between, *own)
    held: Tree = {name: found[name] for name in names if name in found}
    management = held["RecordMgmt"]
    if isinstance(management, dict):
        held["RecordMgmt"] = {name: management[name] for name in _MANAGEMENT if name in management}
    return held


def _paths(question: Question, interview: Interview) -> Iterator[str]:
    """Where the batch has a question: most have one place, a few share one or stand at either status."""
    path = question.xml
    if interview.moment not in question.interviews and not path.startswith("RecordMgmt/"):
        return
    match question.link:
        case "BirthYear" | "BirthMonth" if path:
            if question.link == "BirthYear":
                yield "SectionA/BirthDate"
                yield "SectionA/Veteran"
        case "ConductedInterview":
            return
        case "ReceivingServices":
            yield path
            yield "FollowUpStatus/ConductedInterview"
        case "OtherDischargeStatTermRsnSpec":
            yield path
            yield "DischargeStatus/ConductedInterview"
        case _ if "/*" in path:
            yield _relative(question)
        case _ if path:
            yield path


def _relative(question: Question) -> str:
    name = question.link.removeprefix("ServiceMem").rstrip("123456")
    inside = {"Relationship": "TypeCode", "ExpOther": "TypeOtherSpecify"}.get(name, name.removeprefix("Exp"))
    return f"SectionA/SerMemRelationshipList/SerMemRelationship{question.link[-1]}/{inside}"


def _text(question: Question, interview: Interview) -> str:
    said = interview.all
    if question.link == "BirthYear":
        return f"{said.get('BirthYear', MISSING)}{said.get('BirthMonth', '').zfill(2)}"
    if question.link == "InterviewDate" and not interview.conducted:
        return NEVER
    return _value(question, interview, said)


def _put(tree: Tree, path: list[str], text: str) -> None:
    for name in path[:-1]:
        inner = tree.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree[path[-1]] = text


def _lines(tree: Tree, depth: int) -> Iterator[str]:
    pad = "  " * depth
    for name, inner in tree.items():
        if isinstance(inner, dict):
            yield f"{pad}<{name}>"
            yield from _lines(inner, depth + 1)
            yield f"{pad}</{name}>"
        else:
            yield f"{pad}<{name}>{escape(inner, quote=False)}</{name}>"
