"""What is due, when, to whom, and what closes it: the table of timers (T1 to T19: CASEWORK.md §4.1; T20 to T26:
GPRA.md §1.2 and §1.8), and one function.

The same facts give the same items with the same keys, whatever was computed before: a revised date moves an item, a
late fact closes it, and nothing is ever due twice. Days count in the agency's calendar and end with the day; hours
count on the clock.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

from service.coordination.calendar import Calendar, months, working_days
from service.coordination.facts import Case, Fact
from service.coordination.gpra.windows import WINDOWS

Clock = Literal[
    "working-days", "working-days-before", "days", "months", "hours", "same-day", "month-end", "none"
]
Owner = Literal["lead", "supervisor"]
Shape = Literal["once", "again", "yearly", "monthly", "sampled", "none"]
"""once: each trigger is due once. again: each closing starts the next. yearly: each anniversary. monthly: each
calendar month. sampled: every `due`-th trigger. none: no Task; a report or a person sees to it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One timer. `due`: how much of `clock`. `soon`: how many working days before it is told. `escalate`: how many
    working days (of hours: hours) after it the supervisor has it. `closes`: what does; `drops`: what makes it moot."""

    id: str
    requirement: int
    code: str
    rule: str
    starts: str
    clock: Clock
    due: int
    closes: tuple[str, ...]
    shape: Shape = "once"
    drops: tuple[str, ...] = ()
    owner: Owner = "lead"
    priority: Literal["routine", "urgent", "asap", "stat"] = "routine"
    soon: int = 2
    escalate: int = 2
    tier: str | None = None
    opens: int | None = None
    """After how many months it may be done at the earliest."""
    outlives: bool = False
    """True for what is owed even when the case is closed."""
    around: int = 0
    """How many days before and after its day it may be done."""


_GPRA_OPENS, _, _GPRA_CLOSES = WINDOWS["six-month"]

_ROWS = (
    Row("T1", 53, "confirm-initiation", "Confirm that the service started as scheduled",
        "scheduled", "working-days", 2, ("started",), drops=("dropped", "called-off"), soon=1),
    Row("T2", 53, "verify-service", "Verify that the service is appropriate and satisfactory",
        "started", "working-days", 15, ("verified",), drops=("dropped", "called-off"), soon=3, escalate=5),
    Row("T3", 53, "monitor", "Follow up on the service",
        "started", "months", 3, ("followed-up",), shape="again", drops=("dropped", "called-off", "finished"), soon=10,
        escalate=5),
    Row("T4", 54, "case-review", "Review the case with the supervisor or a team",
        "planned", "months", 3, ("reviewed",), shape="again", soon=10, escalate=5),
    Row("T5", 54, "sample-review", "Sample a review that was done on the worker's own case",
        "reviewed", "working-days", 10, (), shape="sampled", owner="supervisor", escalate=10),
    Row("T6", 49, "reassess", "Reassess once a year",
        "assessed", "months", 12, ("assessed",), shape="again", soon=20, escalate=10),
    Row("T7", 49, "reassess", "Reassess after a precipitating event (crisis, admission)",
        "crisis", "working-days", 5, ("assessed",), priority="urgent"),
    Row("T8", 49, "reassess", "Reassess after a change of status (a service ended early)",
        "setback", "working-days", 10, ("assessed",)),
    Row("T9", 49, "reassess", "Reassess before the client leaves a hospital or institution",
        "discharge-notice", "hours", 48, ("assessed",), priority="asap", escalate=0),
    Row("T10", 31, "contact-client", "Have four direct contacts in the month",
        "opened", "month-end", 4, ("contact",), shape="monthly", tier="intensive", soon=5, escalate=1),
    Row("T11", 30, "caseload", "Keep caseloads of intensive case managers between 10 and 15",
        "opened", "none", 15, (), shape="none"),
    Row("T12", 45, "waiting-list", "Look again at who waits for a place with us",
        "waitlisted", "months", 1, ("served",), soon=5, escalate=5),
    Row("T13", 53, "answer-complaint", "Answer a complaint at once",
        "complained", "same-day", 0, ("answered",), drops=("dropped",), priority="stat", escalate=0, soon=0,
        outlives=True),
    Row("T14", 45, "expedite-plan", "See an urgent case first",
        "urgent", "working-days", 1, ("contact", "planned"), priority="urgent", soon=1, escalate=0),
    Row("T15", 59, "plan-aftercare", "Plan aftercare well before closing",
        "leaves", "working-days-before", 20, ("aftercare",), soon=10, escalate=5),
    Row("T16", 56, "plan-closing", "Begin to plan the closing at intake",
        "opened", "working-days", 10, ("closing-planned",), escalate=5),
    Row("T17", 24, "gpra-followup", "GPRA follow-up interview, five to eight months after intake",
        "gpra-intake", "months", _GPRA_CLOSES, ("gpra-follow-up",), drops=("gpra-ended",), opens=_GPRA_OPENS, soon=30,
        escalate=0, outlives=True),
    Row("T18a", 47, "complete-assessment", "Assess within the established time",
        "opened", "working-days", 10, ("assessed",), soon=3, escalate=3),
    Row("T18b", 50, "complete-plan", "Make the service plan within the established time",
        "opened", "working-days", 20, ("planned",), soon=5, escalate=3),
    Row("T18c", 55, "complete-plan", "Have the plan signed by client and worker",
        "planned", "working-days", 5, ("signed",), drops=("replaced",), escalate=5),
    Row("T19", 54, "review-plan", "Review as often as needed", "opened", "none", 0, (), shape="none"),
    Row("T20", 24, "gpra-discharge", "GPRA discharge interview, on the day of the discharge",
        "gpra-left", "days", 0, ("gpra-discharge",), soon=0, escalate=2, outlives=True),
    Row("T21", 24, "gpra-discharge", "Administrative GPRA discharge (sections J and K) of a client who is lost",
        "gpra-lost", "days", 14, ("gpra-discharge",), soon=5, escalate=2, outlives=True),
    Row("T22", 24, "gpra-entry", "Enter the GPRA interview",
        "gpra-held", "working-days", 7, ("gpra-entered",), soon=2, escalate=2, outlives=True),
    Row("T23", 24, "suprt", "SUPRT baseline, within 30 days of intake",
        "suprt-opened", "days", 30, ("suprt-baseline",), soon=10, escalate=2),
    Row("T24", 24, "suprt", "SUPRT reassessment on day 180, 30 days before or after",
        "suprt-baseline", "days", 180, ("suprt-reassessment",), soon=20, escalate=2, around=30),
    Row("T25", 24, "suprt", "SUPRT assessment every year, 30 days before or after",
        "suprt-baseline", "months", 12, ("suprt-annual",), shape="yearly", soon=20, escalate=2, around=30),
    Row("T26", 24, "suprt", "SUPRT closeout, within 30 days after the episode",
        "suprt-left", "days", 30, ("suprt-closeout",), soon=10, escalate=2, outlives=True),
)  # fmt: skip

rows: Final = MappingProxyType({row.id: row for row in _ROWS})


@dataclass(frozen=True, slots=True)
class Choice:
    """What an operator chose for a timer: other amounts, another tier, or off."""

    due: int | None = None
    soon: int | None = None
    escalate: int | None = None
    tier: str | None = None
    off: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """The operator's choices by timer; by tier, and by grant, and timer: the client's tier counts before the first, the
    grant of what is due before both."""

    timers: Mapping[str, Choice] = field(default_factory=dict)
    tiers: Mapping[str, Mapping[str, Choice]] = field(default_factory=dict)
    grants: Mapping[str, Mapping[str, Choice]] = field(default_factory=dict)

    def of(self, row: Row, tier: str | None, grant: str = "") -> Row | None:
        """The row as it counts for a client of this tier, under a grant; None if it does not."""
        named = (self.tiers.get(tier or "", {}), self.grants.get(grant, {}))
        for choice in (self.timers.get(row.id), *(each.get(row.id) for each in named)):
            if choice is None:
                continue
            if choice.off:
                return None
            row = replace(
                row,
                due=row.due if choice.due is None else choice.due,
                soon=row.soon if choice.soon is None else choice.soon,
                escalate=row.escalate if choice.escalate is None else choice.escalate,
                tier=row.tier if choice.tier is None else choice.tier or None,
            )
        return row if row.tier in (None, tier) else None


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that is or was due. `timer` and `subject` name it for ever within the client's case.

    `since`: the event from which time was counted, standing at `record`. `due`: it is overdue from this instant on.
    `closed`: the instant by which it was done, by what stands at `by`; `moot`: from when nobody owes it any more.
    """

    timer: str
    subject: str
    record: str
    since: datetime
    opens: datetime
    soon: datetime
    last: datetime
    due: datetime
    escalates: datetime
    closed: datetime | None = None
    by: str = ""
    moot: datetime | None = None
    known: datetime | None = None
    """From when its end is known: what was done on a day is known from that day's first instant."""
    counted: int | None = None
    """Of contacts: how many there were."""

    @property
    def ended(self) -> datetime | None:
        """When it stopped being open: done, or moot before it was done."""
        return min((moment for moment in (self.closed, self.moot) if moment), default=None)


STANDARD: Final = Chosen()
"""As the table says."""


def due(case: Case, calendar: Calendar, now: datetime, chosen: Chosen = STANDARD) -> list[Due]:
    """Everything that was ever due in this case, done or not, in the order of the table and of time. `calendar`: the
    home agency's; what begins while another leads is counted in that one's (Case.turns)."""
    found: list[Due] = []
    for row in _ROWS:
        if row.shape == "monthly":
            found += _monthly(row, case, calendar, now, chosen)
            continue
        for grant, part in _by_grant(row, case):
            counted = chosen.of(row, case.tier, grant)
            if counted is not None:
                found += sorted(
                    _SHAPES[row.shape](counted, part, calendar, now), key=lambda d: (d.due, d.subject)
                )
    return found


GRANT: Final = "gpra/"
"""What the `about` of facts about interviews begins with; the grant follows."""


def _by_grant(row: Row, case: Case) -> list[tuple[str, Case]]:
    """The case as each grant sees it, for what is owed to grants; else the case as it is."""
    grants = {fact.about.split("/")[1] for fact in case.of(row.starts) if fact.about.startswith(GRANT)}
    if not grants:
        return [("", case)]
    return [
        (grant, replace(case, facts=tuple(fact for fact in case.facts if _under(fact, grant))))
        for grant in sorted(grants)
    ]


def _under(fact: Fact, grant: str) -> bool:
    return not fact.about.startswith(GRANT) or fact.about.split("/")[1] == grant


def _moment(fact: Fact, calendar: Calendar) -> datetime:
    """The instant of a fact; of one that only has a day, the day's end."""
    return fact.at or calendar.end_of(fact.on)


def _item(row: Row, subject: str, trigger: Fact, calendar: Calendar, day: date | None = None) -> Due:
    """An open item; `day`: the last day on which it is in time, where the row's own clock does not say it."""
    if row.clock == "hours":
        since = trigger.at or calendar.start_of(trigger.on)
        end = since + timedelta(hours=row.due)
        last, escalates = max(since, end - timedelta(hours=24)), end + timedelta(hours=row.escalate)
        return Due(row.id, subject, trigger.record, since, since, since, last, end, escalates)
    day = day or _day(row, trigger.on, calendar)
    begun = trigger.at or calendar.start_of(trigger.on)
    soon = calendar.start_of(working_days(day, -row.soon, calendar) if row.soon else day)
    if row.clock == "same-day":
        soon = begun  # "immediate": also on a day not worked somebody is told at once
    opens = soon if row.clock == "working-days-before" else begun
    if row.opens:
        opens = calendar.start_of(months(trigger.on, row.opens))
    if row.around:
        opens = calendar.start_of(day - timedelta(days=2 * row.around))
    end = calendar.end_of(day)
    late = working_days(day, row.escalate, calendar) if row.escalate else day
    return Due(row.id, subject, trigger.record, begun, opens, max(soon, opens), calendar.start_of(day), end,
               calendar.end_of(late))  # fmt: skip


def _day(row: Row, on: date, calendar: Calendar) -> date:
    match row.clock:
        case "working-days":
            return working_days(on, row.due, calendar)
        case "working-days-before":
            return working_days(on, -row.due, calendar)
        case "days":
            return on + timedelta(days=row.due + row.around)
        case "months":
            return months(on, row.due) + timedelta(days=row.around)
        case "same-day":
            return working_days(on, 0, calendar)
        case "hours" | "month-end" | "none":
            raise ValueError(f"{row.id} has no day")


def _reaches(trigger: Fact, closer: Fact) -> bool:
    """Did the closing happen at or after the trigger? Where one only has its day, the days are compared."""
    if trigger.at and closer.at:
        return closer.at >= trigger.at
    return closer.on >= trigger.on


def _closed(row: Row, item: Due, trigger: Fact, case: Case, calendar: Calendar, closer: Fact | None) -> Due:
    """With what closed it, and with what made it moot."""
    drops = case.of(*row.drops, about=trigger.about) if row.drops else []
    drops = [f for f in drops if f.what == "called-off" or _reaches(trigger, f)]
    planned = row.starts in ("scheduled", "leaves")  # over also when the end comes before the day
    ends = [] if row.outlives else [f for f in case.of("ended") if planned or _reaches(trigger, f)]
    over = min((*drops, *ends), key=lambda f: _moment(f, calendar), default=None)
    moot = _moment(over, calendar) if over else None
    closed = _done(closer, calendar) if closer else None
    last = closer if closed and (moot is None or closed <= moot) else over
    known = (last.at or calendar.start_of(last.on)) if last else None
    return replace(item, closed=closed, by=closer.record if closer else "", moot=moot, known=known)


def _done(closer: Fact, calendar: Calendar) -> datetime:
    """What was done on a day was done before the day was over."""
    return closer.at or calendar.end_of(closer.on) - timedelta(seconds=1)


def _about(closer: Fact, trigger: Fact) -> bool:
    """Facts about one service close what is due for that service; facts about the client close anything."""
    return not closer.about or not trigger.about or closer.about == trigger.about


def _once(row: Row, case: Case, calendar: Calendar, _: datetime) -> Iterator[Due]:
    starts = ("crisis", "admitted") if row.id == "T7" else (row.starts,)
    seen: set[str] = set()
    for trigger in case.of(*starts):
        subject = trigger.about or trigger.record
        if subject in seen or _too_late(row, trigger, case):
            continue
        seen.add(subject)
        closers = (f for f in case.of(*row.closes) if _about(f, trigger))
        before = row.clock == "working-days-before" or row.id in (
            "T1",
            "T16",
            "T18a",
            "T18b",
            "T20",
            "T21",
            "T23",
        )
        closer = next((f for f in closers if before or _reaches(trigger, f)), None)
        days = case.calendar(trigger.on, calendar)
        yield _closed(row, _item(row, subject, trigger, days), trigger, case, days, closer)


def _again(row: Row, case: Case, calendar: Calendar, _: datetime) -> Iterator[Due]:
    for subject in sorted({f.about for f in case.of(row.starts)}) if row.id == "T3" else ("",):
        first = next(iter(case.of(row.starts, about=subject or None)), None)
        if first is None or _too_late(row, first, case):
            continue
        yield from _chain(row, case, calendar, first, subject)


def _chain(row: Row, case: Case, calendar: Calendar, first: Fact, subject: str) -> Iterator[Due]:
    """Each closing starts the next; several on one day are one."""
    trigger, number = first, 1
    closers = [f for f in case.of(*row.closes) if f.on > first.on and _about(f, first)]
    for closer in (*_days(closers), None):
        if _too_late(row, trigger, case):
            return
        days = case.calendar(trigger.on, calendar)
        day = _day(row, trigger.on, days)
        if closer is None and row.id == "T4" and case.next_review and trigger.on < case.next_review < day:
            day = case.next_review
        item = _item(row, f"{subject or row.starts}#{number}", trigger, days, day)
        item = _closed(row, item, _same(trigger, first), case, days, closer)
        yield item
        if item.closed != item.ended:
            return  # the service was over before: who is asked afterwards starts nothing
        trigger, number = closer or trigger, number + 1


def _yearly(row: Row, case: Case, calendar: Calendar, now: datetime) -> Iterator[Due]:
    """Each anniversary of the trigger while the case is open, closed by what was done in its window or later, but
    before the next one opens."""
    ended = case.first("ended")
    until = ended.on if ended else calendar.day_of(now) + timedelta(days=366)
    for trigger in case.of(row.starts):
        for number in range(1, MOST_YEARS):
            opens, after = (
                months(trigger.on, row.due * each) - timedelta(days=row.around)
                for each in (number, number + 1)
            )
            if opens > until:
                break
            closer = next(
                (f for f in case.of(*row.closes) if opens <= f.on < after and _about(f, trigger)), None
            )
            last = opens + timedelta(days=2 * row.around)
            item = _item(row, f"{trigger.about}#{number}", trigger, calendar, last)
            yield _closed(row, item, trigger, case, calendar, closer)


MOST_YEARS: Final = 50


def _same(trigger: Fact, first: Fact) -> Fact:
    return replace(trigger, about=first.about)


def _too_late(row: Row, trigger: Fact, case: Case) -> bool:
    """Nothing new falls due after the case has ended."""
    ended = case.first("ended")
    return not row.outlives and ended is not None and trigger.on > ended.on and row.starts != "leaves"


def _sampled(row: Row, case: Case, calendar: Calendar, now: datetime) -> Iterator[Due]:
    """Every fourth review of a case, from the first, is looked at by the supervisor."""
    for number, trigger in enumerate(_days(case.of(row.starts))):
        if number % SAMPLE == 0 and not _too_late(row, trigger, case):
            days = case.calendar(trigger.on, calendar)
            item = _item(row, f"{trigger.what}#{number + 1}", trigger, days)
            yield _closed(row, item, trigger, case, days, None)


SAMPLE: Final = 4


def _days(facts: Iterable[Fact]) -> list[Fact]:
    """The first fact of each day."""
    return list({fact.on: fact for fact in reversed(list(facts))}.values())[::-1]


def _monthly(asked: Row, case: Case, calendar: Calendar, now: datetime, chosen: Chosen) -> Iterator[Due]:
    """Whole calendar months of an open case, in which its tier was asked for all the time: not the month in which it
    opened or ended, nor the one in which the client stepped up or down."""
    opened, ended, today = case.first("opened"), case.first("ended"), calendar.day_of(now)
    if opened is None:
        return
    month = months(opened.on.replace(day=1), 1)
    until = ended.on.replace(day=1) if ended else today + timedelta(days=1)
    while month < until and (case.open or ended):
        first, last = month, months(month, 1) - timedelta(days=1)
        month = months(month, 1)
        row = chosen.of(asked, case.tier_on(first))
        if row is None or chosen.of(asked, case.tier_on(min(last, today))) is None:
            continue
        contacts = [f for f in case.of(*row.closes) if first <= f.on <= last]
        trigger = Fact("month", first, opened.record)
        closer = contacts[row.due - 1] if len(contacts) >= row.due else None
        days = case.calendar(first, calendar)
        item = _item(row, f"{first:%Y-%m}", trigger, days, last)
        yield replace(_closed(row, item, trigger, case, days, closer), counted=len(contacts))


def _none(row: Row, case: Case, calendar: Calendar, now: datetime) -> Iterator[Due]:
    return iter(())


_SHAPES: Final[Mapping[Shape, Callable[[Row, Case, Calendar, datetime], Iterator[Due]]]] = {
    "once": _once, "again": _again, "yearly": _yearly, "sampled": _sampled, "none": _none,
}  # fmt: skip
