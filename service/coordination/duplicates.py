"""Is the same need served twice for one client, by different agencies? (000 §6b4; CASEWORK.md row 26 and §4.3.)

`RULES` is the table: the first rule that holds of two services decides. A person decides what comes of it: grades say
how sure the table is, never what to do.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations, product
from typing import Final, Literal

from service.coordination.dose import UNSAID, Dose

Grade = Literal["none", "possible", "certain"]
State = Literal["open", "withdrawn", "done"]
"""withdrawn: revoked, cancelled, refused, taken back; done: completed, or its time is over."""
Relation = Literal["", "same", "either", "wider", "category"]


@dataclass(frozen=True, slots=True)
class Need:
    """What a service is for, as our maps know it.

    `services`: codes of our service list that it may be, one where the code is exact. `wider`: services that include
    one of these. `areas` and `categories`: service areas and SDOH categories. `other`: codes that no map knows.
    """

    services: frozenset[str] = frozenset()
    wider: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    other: frozenset[str] = frozenset()
    words: str = ""

    @property
    def vague(self) -> bool:
        """Is nothing said but an area or a category?"""
        return not self.services and not self.other


@dataclass(frozen=True, slots=True)
class Served:
    """A service that an agency asks for, plans or gives. `asker` and `provider`: `Organization/…`, '' where not said.

    `id`: its resource, or its place in a plan (`CarePlan/1#group`). `links`: the requests it comes from or answers;
    `plan`: the plan it belongs to by its own word.
    """

    id: str
    asker: str
    need: Need
    provider: str = ""
    start: date | None = None
    end: date | None = None
    dose: Dose = UNSAID
    state: State = "open"
    links: frozenset[str] = frozenset()
    plan: str = ""


EACH_ITS_OWN: Final = frozenset({
    "transportation", "medical-transportation", "transport-voucher",  # a ride there is not the ride back
    "crisis-intervention", "mobile-crisis",  # whoever is called in a crisis comes
    "alcohol-drug-testing",  # a test is repeated on purpose
    "support-group", "self-help-group",  # one may go to many meetings
    "case-management", "care-coordination", "advocacy",  # who leads is settled elsewhere (leading.py)
})  # fmt: skip
"""Services of which a client may have several at a time, each for itself."""
AREAS_OF_THEIR_OWN: Final = frozenset({"transportation", "crisis", "case-management", "advocacy"})
ONE_PLACE: Final = frozenset({"transitional-housing", "supportive-housing"})
"""Different services of which a person can use one: one lives in one place."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rule` of the table, its grade, and its sentence."""

    grade: Grade
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of the table."""

    id: str
    grade: Grade
    text: str
    holds: Callable[[Served, Served], bool]


def relation(one: Need, two: Need) -> Relation:
    """How two needs are related: by code, by what includes the other, by area or category where one says no more."""
    if one.services and two.services:
        exact = len(one.services) == len(two.services) == 1
        if one.services & two.services:
            return "same" if exact else "either"
        if one.services & two.wider or two.services & one.wider:
            return "wider"
        return "either" if (one.services | two.services) <= ONE_PLACE else ""
    if one.other & two.other:
        return "same"
    if not (one.vague or two.vague):
        return ""
    if one.areas & two.areas or one.categories & two.categories:
        return "category"
    nothing = not (one.areas or one.categories or two.areas or two.categories)
    return "category" if nothing and one.vague and two.vague and one.words and one.words == two.words else ""


def _over(one: Served, two: Served) -> bool:
    return one.state != "open" or two.state != "open"


def _linked(one: Served, two: Served) -> bool:
    return _handed_on(one, two) or _planned(one, two) or _planned(two, one)


def _handed_on(one: Served, two: Served) -> bool:
    return one.id in two.links or two.id in one.links or bool(one.links & two.links)


def _planned(one: Served, two: Served) -> bool:
    """Does one carry out what stands in the plan?"""
    return bool(one.plan) and two.id.startswith(f"{one.plan}#") and _related(one, two)


def _answers(one: Served, two: Served) -> bool:
    """Is one what the agency that the other asks does about it?"""
    same = one.provider == two.provider != ""
    return same and one.asker != two.asker and one.provider in (one.asker, two.asker) and _related(one, two)


def _renewal(one: Served, two: Served) -> bool:
    providers = {one.provider, two.provider} - {""}
    return one.asker == two.asker and len(providers) < 2


def _each_its_own(one: Served, two: Served) -> bool:
    return any(
        each.need.services <= EACH_ITS_OWN
        if each.need.services
        else bool(each.need.areas & AREAS_OF_THEIR_OWN)
        for each in (one, two)
    )


def _related(one: Served, two: Served) -> bool:
    return relation(one.need, two.need) != ""


def _apart(one: Served, two: Served) -> bool:
    """Does one begin when the other has ended? A service of one day is within another on its first and last day too."""
    (early, low), (late, high) = _span(one), _span(two)
    day = early == low or late == high
    return (low < late or high < early) if day else (low <= late or high <= early)


def _span(one: Served) -> tuple[date, date]:
    start = one.start or date.min
    return start, max(start, one.end or date.max)


def _when_unknown(one: Served, two: Served) -> bool:
    return one.start is None or two.start is None


RULES: Final = (
    Rule("over", "none", "one of them is over, refused or taken back", _over),
    Rule("one-thing", "none", "one is part of the other, or came of it", _linked),
    Rule("answer", "none", "one is what the other's agency does about what it was asked", _answers),
    Rule("renewal", "none", "the same agency goes on with its own service", _renewal),
    Rule("each-its-own", "none", "a client may have several of these at a time", _each_its_own),
    Rule("another-need", "none", "they serve different needs", lambda a, b: not _related(a, b)),
    Rule("follow-on", "none", "one begins when the other has ended", _apart),
    Rule("asked-two", "possible", "one agency has asked two others for it", lambda a, b: a.asker == b.asker),
    Rule("one-of-two", "possible", "the codes leave open whether it is the same service, or one excludes the other",
         lambda a, b: relation(a.need, b.need) == "either"),
    Rule("includes", "possible", "one service includes the other",
         lambda a, b: relation(a.need, b.need) == "wider"),
    Rule("category", "possible", "both are for the same area of need, and one does not say which service",
         lambda a, b: relation(a.need, b.need) == "category"),
    Rule("when", "possible", "the same service, but one does not say when", _when_unknown),
    Rule("dose", "possible", "the same service at the same time, but not equally often: they may complement each other",
         lambda a, b: a.dose.differs(b.dose)),
    Rule("same", "certain", "the same service at the same time", lambda a, b: True),
)  # fmt: skip
"""First that holds decides."""
TEXTS: Final[Mapping[str, str]] = {rule.id: rule.text for rule in RULES}


def judge(one: Served, two: Served) -> Verdict:
    """Two services of one client."""
    for rule in RULES:
        if rule.holds(one, two):
            return Verdict(rule.grade, rule.id, rule.text)
    raise AssertionError("the last rule holds always")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two services that are, or may be, one too many; `one` sorts before `two`."""

    one: Served
    two: Served
    verdict: Verdict

    @property
    def until(self) -> date | None:
        """The last day on which both run, if one of them is known to end."""
        ends = [each.end for each in (self.one, self.two) if each.end]
        return min(ends) if ends else None


AGAIN: Final = 2
"""What is asked of the same agency in the same words more often than this is told no more often."""


def find(services: Iterable[Served]) -> list[Pair]:
    """Every pair of a client's services that is none too few to tell of, in the order of their ids. What came of one
    request, however many hands it went through, is one thing. Only services with something in common are compared,
    and never what one agency asks of one other, again and again (`renewal`)."""
    running = sorted((each for each in services if each.state == "open"), key=lambda each: each.id)
    near: dict[str, dict[tuple[str, str], list[Served]]] = defaultdict(lambda: defaultdict(list))
    asked: Counter[tuple[object, ...]] = Counter()
    for each in running:
        alike = (each.asker, each.provider, each.need, each.start, each.end, each.dose, each.plan)
        asked[alike] += 1
        if each.links or asked[alike] <= AGAIN:
            for key in _marks(each.need):
                near[key][each.asker, each.provider].append(each)
    seen = {
        (a.id, b.id): (a, b)
        for group in near.values()
        for ours, theirs in combinations(group.values(), 2)
        for a, b in (sorted(pair, key=lambda each: each.id) for pair in product(ours, theirs))
    }
    chain = _chains(running, seen.values())
    found = [
        Pair(a, b, verdict)
        for a, b in seen.values()
        if chain[a.id] != chain[b.id] and (verdict := judge(a, b)).grade != "none"
    ]
    return sorted(found, key=lambda each: (each.one.id, each.two.id))


def _marks(need: Need) -> Iterator[str]:
    for kind in ("services", "wider", "areas", "categories", "other"):
        yield from (f"{kind if kind != 'wider' else 'services'} {each}" for each in getattr(need, kind))
    if need.services & ONE_PLACE:
        yield "one place"
    if need.vague and need.words:
        yield f"words {need.words}"


def _chains(running: Iterable[Served], pairs: Iterable[tuple[Served, Served]]) -> Mapping[str, str]:
    """Id → the id that stands for everything that came of one request."""
    known = {each.id: each for each in running}
    parent = {id_: id_ for id_ in known}

    def root(id_: str) -> str:
        while parent[id_] != id_:
            parent[id_] = parent[parent[id_]]
            id_ = parent[id_]
        return id_

    def join(one: str, two: str) -> None:
        low, high = sorted((root(one), root(two)))
        parent[high] = low

    holders: dict[str, str] = {}
    for each in known.values():
        for link in each.links:
            join(each.id, holders.setdefault(link, link if link in known else each.id))
    for one, two in pairs:
        if _answers(one, two):
            join(one.id, two.id)
    return {id_: root(id_) for id_ in known}


def avoided(withdrawn: Served, kept: Served, on: date) -> tuple[float | None, float | None]:
    """What is not given twice since one was withdrawn on this day: sessions until the end of the time both would have
    run, where that is known; else sessions a week."""
    begins = max(on, withdrawn.start or on, kept.start or on)
    ends = [each.end for each in (withdrawn, kept) if each.end]
    units = withdrawn.dose.units(begins, min(ends) if ends else None)
    if units is not None:
        return round(float(units), 1), None
    weekly = withdrawn.dose.weekly
    return None, (round(float(weekly), 2) if weekly is not None else None)
