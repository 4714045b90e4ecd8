"""What is counted for a measure, and its rates. What is known of a case counts for timeliness, linkage and contacts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import median
from typing import Final

from service.coordination.calendar import Calendar
from service.coordination.caseload import INTENSIVE, LEAST, MOST
from service.coordination.facts import Case
from service.coordination.measures.rates import ALL, Rate, hidden
from service.coordination.measures.table import INSIDE, WORKER, Measure
from service.coordination.stages import outcome
from service.coordination.timers import Due

LINKED: Final = ("started", "finished", "verified", "followed-up")
REMOTE: Final = frozenset({"phone", "video", "text"})
OWED: Final = ("on time", "late", "overdue", "missed")


@dataclass(frozen=True, slots=True)
class Counted:
    """One thing of a measure's population. `held`: it counts for the numerator. `on`: the day by which it falls into a
    period. `what`: which thing, in the records' words; `client`: whose, by record id. `value`: of a measure with a
    unit. `strata`: by stratifier, in words."""

    held: bool
    on: date
    what: str
    client: str = ""
    strata: Mapping[str, str] = field(default_factory=dict)
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of measures: things from `since` to `until` (both included), about these clients only (None: all).
    `small`: counts below it are hidden. `outside`: for others' eyes, without who works here."""

    since: date | None = None
    until: date | None = None
    clients: frozenset[str] | None = None
    small: int = 1
    outside: bool = False


def within(measure: Measure, counted: Iterable[Counted], asked: Asked) -> list[Counted]:
    """Those that are asked about."""
    return [
        each
        for each in counted
        if (measure.standing or asked.since is None or each.on >= asked.since)
        and (measure.standing or asked.until is None or each.on <= asked.until)
        and (asked.clients is None or each.client in asked.clients)
    ]


def rates(measure: Measure, counted: Iterable[Counted], asked: Asked) -> list[Rate]:
    """The whole, then the strata of each stratifier. Each stratifier's strata hide their small counts by themselves."""
    kept = within(measure, counted, asked)
    small = asked.small if measure.people else 1
    whole = _rate(measure, "", ALL, kept, small)
    found = hidden([whole], small)
    for stratifier in measure.stratifiers:
        if asked.outside and stratifier in INSIDE:
            continue
        parts: dict[str, list[Counted]] = {}
        for each in kept:
            parts.setdefault(each.strata.get(stratifier) or "not known", []).append(each)
        rows = [_rate(measure, stratifier, name, parts[name], small) for name in sorted(parts)]
        found += hidden([whole, *rows], small)[1:]
    return found


def _rate(measure: Measure, stratifier: str, stratum: str, kept: Sequence[Counted], small: int) -> Rate:
    """A median of fewer than `small` is hidden too: it may be one person's own number."""
    told = [each.value for each in kept if each.value is not None]
    typical = round(median(told), 1) if len(told) >= max(1, small) else None
    return Rate(measure.name, stratum, sum(each.held for each in kept), len(kept), stratifier, typical)


def timeliness(case: Case, dues: Iterable[Due], calendar: Calendar, now: datetime) -> Iterator[Counted]:
    """What was due or is overdue; what became moot or is not due yet counts for nothing."""
    for item in dues:
        how = outcome(item, now)
        if how in OWED:
            strata = {"timer": item.timer, **_of(case)}
            what = f"{item.timer} {item.record}"
            yield Counted(how == "on time", calendar.day_of(item.last), what, case.client, strata)


def linked(case: Case, referral: str) -> bool:
    """Is there evidence that the client was linked with the service of this referral (`referrals/…`)?"""
    return bool(case.of(*LINKED, about=referral))


def answered(case: Case, referral: str) -> bool:
    """Is it known what came of it?"""
    return bool(case.of(*LINKED, "dropped", "called-off", about=referral))


def contacts(case: Case, dues: Iterable[Due], calendar: Calendar, now: datetime) -> Iterator[Counted]:
    """Every whole month that asked for contacts and is over: was there the fourth before it was?"""
    for item in dues:
        if item.counted is not None and item.due <= now:
            strata = {"month": item.subject, **_of(case)}
            held, last = item.closed is not None and item.closed < item.due, calendar.day_of(item.last)
            yield Counted(held, last, f"{item.subject}: {item.counted}", case.client, strata)


def places(case: Case) -> Iterator[Counted]:
    """Direct contacts, by where they were."""
    for fact in case.of("contact"):
        place = fact.mode or ""
        held = bool(place) and place != "office" and place not in REMOTE
        strata = {"place": place, WORKER: fact.worker or case.lead or ""}
        yield Counted(held, fact.on, fact.record, case.client, strata)


def caseloads(cases: Iterable[Case], today: date) -> Iterator[Counted]:
    """Case managers with open cases all of which are intensive."""
    led: dict[str, list[Case]] = {}
    for case in cases:
        if case.open and case.lead:
            led.setdefault(case.lead, []).append(case)
    for worker, own in sorted(led.items()):
        if all(case.tier == INTENSIVE for case in own):
            yield Counted(
                LEAST <= len(own) <= MOST, today, worker, strata={WORKER: worker}, value=float(len(own))
            )


def _of(case: Case) -> dict[str, str]:
    return {WORKER: case.lead or "", "intensity": case.tier or ""}
