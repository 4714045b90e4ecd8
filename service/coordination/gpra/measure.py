"""How many follow-ups were held, and how clients fared from intake to follow-up: rates, by stratum, small cells hidden.

Follow-up rate: of the conducted intakes whose six-month window has closed, those with a conducted interview of status
11 inside the window (80 % is asked for). Outcomes: of the clients with both interviews and an answer at both, those for
whom it held at intake and at follow-up. Which answers an outcome needs is the table `outcomes.csv` of the tool.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from service.coordination.gpra.edits import Episode, Interview, variables
from service.coordination.gpra.tool import Outcome, Tool
from service.coordination.gpra.windows import span
from service.fhir import fhirpath

RATE: Final = "follow-up-rate"
GOAL: Final = 0.8
SMALL: Final = 11
"""Counts below this are hidden, 0 apart."""
ALL: Final = "all"
INSIDE: Final = "11"
SIX: Final = "six-month"


@dataclass(frozen=True, slots=True)
class Rate:
    """`stratum` is `all` or a value of `GenderCode` in words. Hidden counts are None, and so is their rate."""

    measure: str
    stratum: str
    numerator: int | None
    denominator: int | None

    @property
    def rate(self) -> float | None:
        """Rounded to four places; None where there is nothing to divide, or nothing to show."""
        if not self.denominator or self.numerator is None:
            return None
        return round(self.numerator / self.denominator, 4)


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
    return Rate(measure, stratum, sum(map(counts, cases)), len(cases))


def hidden(rows: Sequence[Rate], small: int = SMALL) -> list[Rate]:
    """The whole and its parts, small counts hidden: a row is, when its count, its rest or their sum is below `small`
    and not 0. One hidden part alone could be told from the others, so the smallest other part is hidden with it; the
    whole is hidden only for itself."""
    whole, *parts = rows
    shown = [each for each in parts if not _small(each, small)]
    if len(parts) - len(shown) == 1 and shown:
        shown.remove(min(shown, key=lambda each: each.denominator or 0))
    kept = [each if each in shown else _masked(each) for each in parts]
    return [_masked(whole) if _small(whole, small) else whole, *kept]


def _small(row: Rate, small: int) -> bool:
    count, of = row.numerator or 0, row.denominator or 0
    return any(0 < each < small for each in (count, of - count, of))


def _masked(row: Rate) -> Rate:
    return replace(row, numerator=None, denominator=None)
