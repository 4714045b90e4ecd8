"""What must hold in an interview: each answer against its question, and the edits between them.

The same is asked when an interview is saved and again before it leaves (GPRA.md §1.3). An answer that is refused or not
known says nothing, and an edit that needs it is not broken by it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from service.coordination.gpra.tool import CODES, STAFF, Question, Tool, asked
from service.fhir import fhirpath

MOMENTS: Final = {
    "intake": "I",
    "six-month": "F",
    "three-month": "F",
    "annual": "F",
    "post-discharge": "F",
    "discharge": "D",
}
TYPES: Final = {
    "intake": "1",
    "six-month": "2",
    "annual": "3",
    "three-month": "4",
    "discharge": "5",
    "post-discharge": "6",
}
MANAGED: Final = (
    "ClientID", "GrantNo", "InterviewTypeCode", "ConductedInterview", "InterviewDate", "IntakeSeqNum", "FLWPStatus",
)  # fmt: skip
"""Questions that the record answers by its own members."""


@dataclass(frozen=True, slots=True)
class Interview:
    """One interview. `day` is ISO 8601; `values` by question: export codes and words, those of the record included."""

    grant: str
    client: str
    type: str
    sequence: int
    day: str
    conducted: bool
    follow_up: str
    values: Mapping[str, str]
    complete: bool = True

    @property
    def moment(self) -> str:
        """I intake, F follow-up, D discharge."""
        return MOMENTS[self.type]

    @property
    def all(self) -> dict[str, str]:
        """Every value, with those the record says by its own members."""
        own = (
            self.client, self.grant, TYPES[self.type], str(int(self.conducted)), self.day, str(self.sequence),
            self.follow_up,
        )  # fmt: skip
        return {**self.values, **{link: value for link, value in zip(MANAGED, own, strict=True) if value}}


@dataclass(frozen=True, slots=True)
class Episode:
    """What is known around an interview: today, its intake, the window, the next sequence number. Empty: not known."""

    today: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """`when`: `save` or `export`, as for an edit; `at`: the question."""

    key: str
    when: str
    at: str
    sentence: str


def findings(tool: Tool, interview: Interview, episode: Episode) -> list[Finding]:
    """Everything that does not hold, answers first, edits in the order of their table."""
    return [*_answers(tool, interview), *_edits(tool, interview, episode)]


def unanswered(tool: Tool, interview: Interview) -> list[Question]:
    """Questions of this interview that are asked and have no answer, not even why there is none."""
    values = interview.all
    return [
        each
        for each in tool.questions
        if each.link not in values and not each.optional and expected(each, interview) and asked(each, values)
    ]


def expected(question: Question, interview: Interview) -> bool:
    """Is it a question of this interview at all? Not conducted: only what staff answer from the record."""
    if interview.moment not in question.interviews:
        return False
    if interview.conducted:
        return True
    return question.section in STAFF and (question.section != "A" or question.link in MANAGED)


def _answers(tool: Tool, interview: Interview) -> Iterator[Finding]:
    values = interview.all
    for link in interview.values:
        if link in MANAGED:
            yield Finding(
                "own-member", "save", link, f"{link} is said by the record itself, not by an answer."
            )
        elif link not in tool.by_link:
            yield Finding(
                "unknown-question", "save", link, f"{link} is not a question of {tool.name} {tool.version}."
            )
    for question in tool.questions:
        given = values.get(question.link)
        if given is not None:
            yield from _answer(question, given, interview, values)


def _answer(
    question: Question, given: str, interview: Interview, values: Mapping[str, str]
) -> Iterator[Finding]:
    link = question.link
    if interview.moment not in question.interviews:
        yield Finding("not-asked-here", "save", link, f"{link} is not asked at this interview.")
    elif not expected(question, interview):
        yield Finding("not-conducted", "save", link, f"{link} is asked only when the interview is conducted.")
    elif given != "-1" and not asked(question, values):
        yield Finding("skipped", "save", link, f"{link} is not asked: it would need {question.skip}.")
    if trouble := _wrong(question, given):
        yield Finding("answer", "save", link, f"{link} {trouble}.")


def _wrong(question: Question, given: str) -> str:
    if question.options:
        codes = [code for code, _ in question.options]
        return "" if given in (*codes, *CODES) else f"is one of the {len(codes)} answers of the form"
    if given in CODES:
        return ""
    match question.type:
        case "boolean":
            return "" if given in ("0", "1") else "is yes or no"
        case "integer":
            low, high = question.low or 0, question.high if question.high is not None else 999
            fits = given.isdecimal() and low <= int(given) <= high
            return "" if fits else f"is a whole number from {low} to {high}"
        case _:
            return ""


def _edits(tool: Tool, interview: Interview, episode: Episode) -> Iterator[Finding]:
    known = variables(tool, interview, episode)
    for edit in tool.edits:
        if interview.moment in edit.interviews:
            scope = fhirpath.Scope(variables=known)
            if fhirpath.compile(edit.expression).evaluate({}, scope) == [False]:
                yield Finding(edit.key, edit.when, edit.at, edit.sentence)


SERIES: Final = (
    "day",
    "today",
    "thisYear",
    "intakeDate",
    "opens",
    "closes",
    "nextSequence",
    "gender",
    "deceased",
)
"""What edits may ask beyond this interview's answers."""


def variables(
    tool: Tool, interview: Interview, episode: Episode, names: frozenset[str] = frozenset()
) -> dict[str, object]:
    """What an expression may name: answers by question, lists of them by group, what is known around the interview.

    An answer that is none is an empty list. `names`: only these questions, for expressions that need no more.
    """
    values = interview.all
    asked_for = [tool.by_link[each] for each in names] if names else tool.questions
    said = {each.link: _said(each, values.get(each.link)) for each in asked_for}
    known: dict[str, object] = {link: [] if value is None else value for link, value in said.items()}
    if names:
        return known
    for name, group in tool.groups.items():
        known[name] = [said[each.link] for each in group if said[each.link] is not None]
    known |= {name: [] for name in SERIES}
    known |= {"day": interview.day, "today": episode.today, "thisYear": int(episode.today[:4])}
    known |= {"gender": said["GenderCode"]} if said.get("GenderCode") else {}
    return {**known, **episode.facts}


def _said(question: Question, given: str | None) -> str | int | None:
    if given is None or (given in CODES and given not in (code for code, _ in question.options)):
        return None
    coded = question.options and all(code == "0" or not code.startswith("0") for code, _ in question.options)
    number = question.type in ("integer", "boolean") or (question.type == "choice" and coded)
    return int(given) if number and given.isdecimal() else given
