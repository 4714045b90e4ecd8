"""How many follow-ups were held, and how clients fared from intake to follow-up: rates, by stratum, small cells hidden.

Follow-up rate: of the conducted intakes whose six-month window has closed, those with a conducted interview of status
11 inside the window (80 % is asked for). Outcomes: of the clients with both interviews and an answer at both, those for
whom it held at intake and at follow-up. Which answers an outcome needs is the table `outcomes.csv` of the tool.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from service.coordination.gpra.edits import Episode, Interview, variables
from service.coordination.gpra.tool import Outcome, Tool
from service.coordination.gpra.windows import span
from service.coordination.measures.rates import ALL, SMALL, Rate, hidden
from service.fhir import fhirpath

RATE: Final = "follow-up-rate"
GOAL: Final = 0.8
INSIDE: Final = "11"
SIX: Final = "six-month"
GENDER: Final = "gender"


@dataclass(frozen=True, slots=True)
class _Case:
    """An episode: its intake, and the six-month interview if one is on record."""

    intake: Interview
    follow_up: Interview | None
    stratum: str

    def inside(self) -> bool:
        """Was the follow-up held inside the window?"""
        held = self.follow_up
        if held is None or not held.conducted or held.follow_up != INSIDE:
            return False
        opens, _, closes = span(date.fromisoformat(self.intake.day), SIX)
        return opens <= date.fromisoformat(held.day) <= closes


def rates(tool: Tool, interviews: Sequence[Interview], today: date, *, small: int = SMALL) -> list[Rate]:
    """The follow-up rate, then for every outcome its rate at intake and at follow-up; `all` first, then the strata."""
    cases = _cases(tool, interviews)
    closed = [each for each in cases if span(date.fromisoformat(each.intake.day), SIX)[2] < today]
    found = _strata(RATE, closed, _Case.inside, small)
    pairs = [each for each in cases if each.inside()]
    for outcome in tool.outcomes:
        told = {id(each): _held(tool, outcome, each) for each in pairs}
        both = [each for each in pairs if None not in told[id(each)]]
        for place, name in enumerate(("intake", "follow-up")):
            found += _strata(f"{outcome.key}-{name}", both, _at(told, place), small)
    return found


def _at(told: Mapping[int, tuple[bool | None, ...]], place: int) -> Callable[[_Case], bool]:
    return lambda case: bool(told[id(case)][place])


def _cases(tool: Tool, interviews: Iterable[Interview]) -> list[_Case]:
    held = {(each.grant, each.client, each.sequence, each.type): each for each in interviews}
    names = dict(tool.by_link["GenderCode"].options)
    return [
        _Case(
            each,
            held.get((grant, client, number, SIX)),
            names.get(each.values.get("GenderCode", ""), "not known"),
        )
        for (grant, client, number, type_), each in held.items()
        if type_ == "intake" and each.conducted
    ]


def _held(tool: Tool, outcome: Outcome, case: _Case) -> tuple[bool | None, bool | None]:
    return _holds(tool, outcome, case.intake), _holds(tool, outcome, case.follow_up)


def _holds(tool: Tool, outcome: Outcome, interview: Interview | None) -> bool | None:
    """None where the answers do not tell."""
    if interview is None:
        return None
    scope = fhirpath.Scope(variables=variables(tool, interview, Episode(interview.day), outcome.names))
    found = fhirpath.compile(outcome.holds).evaluate({}, scope)
    return bool(found[0]) if found else None


def _strata(measure: str, cases: Sequence[_Case], counts: Callable[[_Case], bool], small: int) -> list[Rate]:
    names = sorted({each.stratum for each in cases})
    parts = [_rate(measure, name, [each for each in cases if each.stratum == name], counts) for name in names]
    return hidden([_rate(measure, ALL, cases, counts), *parts], small)


def _rate(measure: str, stratum: str, cases: Sequence[_Case], counts: Callable[[_Case], bool]) -> Rate:
    stratifier = "" if stratum == ALL else GENDER
    return Rate(measure, stratum, sum(map(counts, cases)), len(cases), stratifier)
