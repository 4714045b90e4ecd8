"""A tool of the shared outcome data, as its table says: which questions, at which interviews, with which answers.

A new version of the tool is a folder of `fhir_profiles/gpra`, written by `scripts/build_gpra.py`; nothing here names a
question.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from service.fhir.shelf import data_folder

NAMES: Final = (
    "place", "section", "link", "column", "no", "type", "text", "options", "low", "high", "skip", "interviews",
    "groups", "xml", "evidence",
)  # fmt: skip
REFUSED, UNKNOWN, MISSING, SKIPPED = "-7", "-8", "-9", "-1"
"""The codes of an answer that is none: refused, do not know, missing, not applicable."""
CODES: Final = frozenset((REFUSED, UNKNOWN, MISSING, SKIPPED))
STAFF: Final = frozenset("AIJK")
"""Sections that staff answer from the record; the others are asked only of a client who is there."""
SERVICES: Final = ("planned", "received")
_GROUPS: Final = {
    "Modality": "modality", "ModalityDetoxification": "modality", "Treatment": "treatment",
    "CaseManagement": "case-management", "Medical": "medical", "AfterCare": "after-care", "Education": "education",
    "PeerToPeer": "peer",
}  # fmt: skip
"""Groups of services in the batch → in the code system gpra-service."""
_SERVICE: Final = re.compile(
    rf"(?P<group>{'|'.join(_GROUPS)})(?P<number>\d+(?:(?!AIDS)[ABC](?=[A-Z]))?)[A-Z]\w*"
)
_TEST: Final = re.compile(r"(?P<link>\w+)(?P<sign>[=>?])(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Question:
    """`link` names it here and in a Questionnaire; `column` in the download, empty if it has none; `place` from 1.

    `interviews`: I intake, F follow-up, D discharge. `skip`: asked only when this holds, empty for always.
    """

    place: int
    section: str
    link: str
    column: str
    no: str
    type: str
    text: str
    options: tuple[tuple[str, str], ...]
    low: int | None
    high: int | None
    skip: str
    interviews: frozenset[str]
    groups: tuple[str, ...]
    xml: str
    evidence: str

    @property
    def service(self) -> str:
        """The code of gpra-service that a service is, planned or received; empty for other questions."""
        found = _SERVICE.fullmatch(self.xml.rsplit("/", 1)[-1])
        return f"{_GROUPS[found['group']]}-{found['number']}" if found and self.type != "string" else ""

    @property
    def optional(self) -> bool:
        """Asked by SBIRT grants only (their codes are not public), or of as many persons as there are."""
        return "SBIRT" in self.no or self.section == "H" or "optional" in self.groups


@dataclass(frozen=True, slots=True)
class Edit:
    """What must hold between answers: a FHIRPath expression over `%question` and `%group`, true or empty when it does.

    `when`: `save` (an interview that breaks it is not taken) or `export` (it is taken, and does not leave).
    """

    key: str
    interviews: frozenset[str]
    when: str
    at: str
    expression: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is better when it holds: a FHIRPath expression over `%question`, empty where answers do not tell."""

    key: str
    title: str
    holds: str

    @property
    def names(self) -> frozenset[str]:
        """The questions it needs."""
        return frozenset(re.findall(r"%(\w+)", self.holds))


@dataclass(frozen=True)
class Tool:
    """One version of one tool."""

    name: str
    version: str
    questions: tuple[Question, ...]
    edits: tuple[Edit, ...]
    outcomes: tuple[Outcome, ...] = ()

    @cached_property
    def by_link(self) -> Mapping[str, Question]:
        """Questions by their name here."""
        return {each.link: each for each in self.questions}

    @cached_property
    def groups(self) -> Mapping[str, tuple[Question, ...]]:
        """Groups of questions that edits speak of."""
        names = dict.fromkeys(name for each in self.questions for name in each.groups)
        return {name: tuple(each for each in self.questions if name in each.groups) for name in names}

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the download, in their order."""
        by_place = {each.place: each.column for each in self.questions if each.column}
        return tuple(by_place[place] for place in sorted(by_place))

    def of_column(self, column: str, moment: str) -> Question | None:
        """The question a column holds at an interview (I, F, D); planned and received services share theirs."""
        held = [each for each in self.questions if each.column == column]
        return next((each for each in held if moment in each.interviews), None)


@cache
def read_tool(name: str, version: str) -> Tool | None:
    """The tool of this name and version; None for one without a table here (SUPRT, or an agency's own)."""
    folder = data_folder() / "gpra" / f"{name}-{version}"
    if not re.fullmatch(r"[0-9a-z.-]+", f"{name}-{version}") or not (folder / "asked.csv").is_file():
        return None
    asked = _rows((folder / "asked.csv").read_text(encoding="utf-8"))
    edits = _rows((folder / "edits.csv").read_text(encoding="utf-8"))
    outcomes = _rows((folder / "outcomes.csv").read_text(encoding="utf-8"))
    told = tuple(Outcome(row["key"], row["title"], row["holds"]) for row in outcomes)
    return Tool(name, version, tuple(map(_question, asked)), tuple(map(_edit, edits)), told)


def _rows(text: str) -> Iterable[dict[str, str]]:
    return csv.DictReader(text.splitlines())


def _question(row: Mapping[str, str]) -> Question:
    options = tuple(
        (code, text) for code, _, text in (each.partition("=") for each in row["options"].split("|") if each)
    )
    return Question(
        int(row["place"] or 0), row["section"], row["link"], row["column"], row["no"], row["type"], row["text"],
        options, _number(row["low"]), _number(row["high"]), row["skip"], frozenset(row["interviews"]),
        tuple(row["groups"].split()), row["xml"], row["evidence"],
    )  # fmt: skip


def _edit(row: Mapping[str, str]) -> Edit:
    return Edit(
        row["key"], frozenset(row["interviews"]), row["when"], row["at"], row["expression"], row["sentence"]
    )


def _number(text: str) -> int | None:
    return int(text) if text else None


def tests(skip: str) -> tuple[str, list[tuple[str, str, str]]]:
    """A skip as `all` or `any` of (question, sign, value): signs are `=`, `>` and `?` (answered)."""
    way = "any" if " or " in skip else "all"
    found = (_TEST.fullmatch(each) for each in re.split(r" or | and ", skip) if each)
    return way, [(each["link"], each["sign"], each["value"]) for each in found if each]


def asked(question: Question, values: Mapping[str, str]) -> bool:
    """Does what was answered before lead to this question?"""
    way, conditions = tests(question.skip)
    if not conditions:
        return True
    held = [_holds(values.get(link, ""), sign, value) for link, sign, value in conditions]
    return all(held) if way == "all" else any(held)


def _holds(given: str, sign: str, value: str) -> bool:
    if sign == "?":
        return given not in ("", *CODES)
    if sign == "=":
        return given == value
    return given.isdecimal() and int(given) > int(value)
