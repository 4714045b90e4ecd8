"""How many clients each case manager has, and how often and where they meet (COA CM 5.03 and 5.04; T10, T11)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from service.coordination.calendar import months
from service.coordination.facts import Case

LEAST, MOST = 10, 15
CONTACTS: Final = 4
INTENSIVE: Final = "intensive"


@dataclass(frozen=True, slots=True)
class Load:
    """One case manager in one calendar month. `standing` compares a caseload that is all intensive with 10 to 15; a
    mixed or general one is `mixed` or `general`: the standards only ask that it be small enough. `contacts`: direct
    ones with the clients led, whoever had them. `below`: clients with fewer than four, of `expected` whose case was
    open and intensive all month. `places`: how many contacts where."""

    worker: str
    clients: int
    intensive: int
    standing: str
    contacts: int
    expected: int
    below: int
    places: dict[str, int]


def caseload(cases: Iterable[Case], month: date) -> list[Load]:
    """By worker; `month` is any day of it. Cases without a lead are under an empty name."""
    first = month.replace(day=1)
    by_worker: dict[str, list[Case]] = {}
    for case in cases:
        if _during(case, first):
            by_worker.setdefault(case.lead or "", []).append(case)
    return [_load(worker, by_worker[worker], first) for worker in sorted(by_worker)]


def _during(case: Case, first: date) -> bool:
    """Was the case open on any day of the month?"""
    opened, ended = case.first("opened"), case.first("ended")
    return opened is not None and opened.on < months(first, 1) and (ended is None or ended.on >= first)


def _whole(case: Case, first: date) -> bool:
    """Was it open all month? Only then four contacts are asked."""
    opened, ended = case.first("opened"), case.first("ended")
    return opened is not None and opened.on < first and (ended is None or ended.on >= months(first, 1))


def _load(worker: str, cases: list[Case], first: date) -> Load:
    met = {case.client: [f for f in case.of("contact") if first <= f.on < months(first, 1)] for case in cases}
    last = months(first, 1) - timedelta(days=1)
    intensive = [case for case in cases if case.tier_on(last) == INTENSIVE]
    asked = [case for case in intensive if _whole(case, first) and case.tier_on(first) == INTENSIVE]
    places = Counter(fact.mode or "" for facts in met.values() for fact in facts)
    return Load(
        worker=worker,
        clients=len(cases),
        intensive=len(intensive),
        standing=_standing(len(cases), len(intensive)),
        contacts=sum(map(len, met.values())),
        expected=len(asked),
        below=sum(len(met[case.client]) < CONTACTS for case in asked),
        places=dict(sorted(places.items())),
    )


def _standing(clients: int, intensive: int) -> str:
    if intensive == 0:
        return "general"
    if intensive < clients:
        return "above 15" if intensive > MOST else "mixed"
    return "below 10" if clients < LEAST else "above 15" if clients > MOST else "10 to 15"
