"""Who leads a client's case: exactly one primary case manager at every instant, across agencies (000 6a, 004 2.04).

A course runs from the first assignment to the closing. In it the lead never lapses and is never shared: a move ends one
lead and begins the next at the same instant. Between two agencies both confirm before anything moves; within one agency
its own word is both. Who says that somebody else leads changes nothing: that is a conflict, for people to settle.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, assert_never

Reply = Literal["accepted", "rejected", "completed", "cancelled"]
"""What a side says of a transfer, in the words of Task.status."""
Happened = Literal[
    "lead-assigned", "lead-transfer-requested", "lead-transfer-accepted", "lead-transfer-rejected",
    "lead-transfer-cancelled", "lead-transferred", "cover-planned", "cover-ended", "lead-closed",
]  # fmt: skip

_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Worker:
    """A case manager: `reference` is the PractitionerRole (or Practitioner), `agency` the Organization it acts for.

    `person` is the Practitioner and `record` the casework system's own id, where they are known.
    """

    reference: str
    agency: str
    person: str = field(default="", compare=False)
    record: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Lead:
    """Somebody leads in [`starts`, `ends`); `ends` None: now."""

    worker: Worker
    starts: datetime
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cover:
    """Somebody stands in for the lead in [`starts`, `ends`). The lead stays the lead and returns by itself."""

    worker: Worker
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A transfer that is asked for: `id` of its Task, the agency that asks, who is to lead."""

    id: str
    by: str
    taker: Worker
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """Everything about the lead of one episode. `leads` are in order, without gap or overlap."""

    leads: tuple[Lead, ...] = ()
    covers: tuple[Cover, ...] = ()
    asked: Asked | None = None
    closed: datetime | None = None

    @property
    def lead(self) -> Lead | None:
        """Who leads now; None before the first assignment and after the closing."""
        return self.leads[-1] if self.leads and self.closed is None else None

    def at(self, moment: datetime) -> Worker | None:
        """Who led at this instant."""
        return next((each.worker for each in self.leads if _within(each, moment)), None)

    def cover_at(self, moment: datetime) -> Cover | None:
        """Who stands in at this instant."""
        return next((each for each in self.covers if _within(each, moment)), None)

    @property
    def workers(self) -> int:
        """How many different people have led or stood in: the fewest is best (004 2.04(2))."""
        everybody = [each.worker for each in self.leads] + [each.worker for each in self.covers]
        return len({each.person or each.reference for each in everybody})


@dataclass(frozen=True, slots=True)
class Assign:
    """Somebody is to lead. Where nobody does, from now on; where somebody else does, it is a conflict."""

    worker: Worker


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody is said to lead by who may not assign: a partner, in a resource of its own. It never makes a lead."""

    worker: Worker


@dataclass(frozen=True, slots=True)
class Transfer:
    """The agency `by` asks that `worker` leads from now on; `id` will be the id of its Task.

    `both`: who asks speaks for both agencies, as the casework system does for one that has no system of its own.
    """

    worker: Worker
    by: str
    id: str
    both: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The agency `by` answers the transfer `id`."""

    id: str
    by: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class StandIn:
    """The agency `by` lets somebody stand in for the lead in [`starts`, `ends`)."""

    cover: Cover
    by: str


@dataclass(frozen=True, slots=True)
class EndCover:
    """The lead is back before the end, or the leave does not take place."""

    cover: Cover
    by: str


@dataclass(frozen=True, slots=True)
class Close:
    """The episode ends, and with it the lead."""


Wish = Assign | Claim | Transfer | Answer | StandIn | EndCover | Close


@dataclass(frozen=True, slots=True)
class Moved:
    """The course afterwards, and what has happened."""

    course: Course
    happened: Happened


@dataclass(frozen=True, slots=True)
class Same:
    """It is so already."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two are said to lead. `lead` goes on leading; people settle it."""

    lead: Lead
    claimed: Worker


@dataclass(frozen=True, slots=True)
class Refusal:
    """It may not be; `text` says why, for the one who asked."""

    text: str


Verdict = Moved | Same | Conflict | Refusal


def decide(course: Course, wish: Wish, now: datetime) -> Verdict:
    """What becomes of the course by this wish at this instant."""
    lead = course.lead
    if lead is None:
        if isinstance(wish, Assign) and course.closed is None:
            return Moved(replace(course, leads=(Lead(wish.worker, now),)), "lead-assigned")
        return Same() if isinstance(wish, Close | Claim) else Refusal("nobody leads this case now")
    match wish:
        case Claim() if course.asked is not None and wish.worker == course.asked.taker:
            return Same()  # it is being asked already
        case Assign() | Claim():
            return Same() if wish.worker == lead.worker else Conflict(lead, wish.worker)
        case Transfer():
            return _transfer(course, lead, wish, now)
        case Answer():
            return _answer(course, lead, wish, now)
        case StandIn():
            return _stand_in(course, lead, wish, now)
        case EndCover():
            return _end_cover(course, lead, wish, now)
        case Close():
            ended = _cut(course.covers, now)
            at = _after(lead, now)
            leads = (*course.leads[:-1], replace(lead, ends=at))
            return Moved(Course(leads, ended, None, at), "lead-closed")
        case _ as never:
            assert_never(never)


def parties(course: Course, asked: Asked) -> tuple[str, str]:
    """(the agency that asks, the agency that is asked): of the one that leads and the one that is to."""
    leading = course.leads[-1].worker.agency
    return asked.by, asked.taker.agency if asked.by == leading else leading


def _transfer(course: Course, lead: Lead, wish: Transfer, now: datetime) -> Verdict:
    if wish.worker == lead.worker:
        return Same()
    sides = {lead.worker.agency, wish.worker.agency}
    if wish.by not in sides:
        return Refusal("a transfer is asked for by the agency that leads, or by the one that is to lead")
    if course.asked is not None:
        same = course.asked.taker == wish.worker
        return Same() if same else Refusal("another transfer of this lead waits for its answer")
    if len(sides) == 1 or wish.both:
        return Moved(_handed(course, lead, wish.worker, now), "lead-transferred")
    return Moved(replace(course, asked=Asked(wish.id, wish.by, wish.worker)), "lead-transfer-requested")


def _answer(course: Course, lead: Lead, wish: Answer, now: datetime) -> Verdict:
    asked = course.asked
    if asked is None or asked.id != wish.id:
        return Refusal("this transfer is settled already")
    asking, answering = parties(course, asked)
    if wish.by not in (asking, answering):
        return Refusal("only the agency that leads and the one that is to lead answer this")
    says, done = wish.by == answering, asked.accepted
    match wish.reply:
        case "accepted" if done:
            return Same()
        case "accepted" if says:
            return Moved(replace(course, asked=replace(asked, accepted=True)), "lead-transfer-accepted")
        case "completed" if says or done:
            return Moved(_handed(course, lead, asked.taker, now), "lead-transferred")
        case "rejected" if says:
            return Moved(replace(course, asked=None), "lead-transfer-rejected")
        case "cancelled" if not says:
            return Moved(replace(course, asked=None), "lead-transfer-cancelled")
        case "accepted" | "rejected":
            return Refusal("the agency that was asked accepts or rejects; the one that asks may cancel")
        case "completed":
            return Refusal("the lead moves when both agencies have confirmed; the other has not accepted yet")
        case "cancelled":
            return Refusal("the agency that asks may cancel; the one that was asked rejects")
        case _ as never:
            assert_never(never)


def _stand_in(course: Course, lead: Lead, wish: StandIn, now: datetime) -> Verdict:
    cover = wish.cover
    if cover in course.covers:
        return Same()
    if wish.by != lead.worker.agency:
        return Refusal("who stands in for the lead is said by the agency that leads")
    if cover.worker == lead.worker:
        return Refusal("nobody stands in for themselves")
    if not max(cover.starts, now) < cover.ends:
        return Refusal("a cover has an end, after its start and in the future")
    if any(each.starts < cover.ends and cover.starts < each.ends for each in course.covers):
        return Refusal("somebody stands in at that time already")
    covers = tuple(sorted((*course.covers, cover), key=lambda each: each.starts))
    return Moved(replace(course, covers=covers), "cover-planned")


def _end_cover(course: Course, lead: Lead, wish: EndCover, now: datetime) -> Verdict:
    if wish.by != lead.worker.agency:
        return Refusal("who stands in for the lead is said by the agency that leads")
    if wish.cover not in course.covers or wish.cover.ends <= now:
        return Same()
    left = tuple(each for each in course.covers if each != wish.cover)
    begun = tuple(_cut((wish.cover,), now))
    return Moved(
        replace(course, covers=tuple(sorted((*left, *begun), key=lambda c: c.starts))), "cover-ended"
    )


def _handed(course: Course, lead: Lead, to: Worker, now: datetime) -> Course:
    """One ends, the next begins, at one instant; who stood in for the one stands in no more."""
    at = _after(lead, now)
    leads = (*course.leads[:-1], replace(lead, ends=at), Lead(to, at))
    return replace(course, leads=leads, covers=_cut(course.covers, at), asked=None)


def _after(lead: Lead, now: datetime) -> datetime:
    """Now, or the first instant after the lead began, should two moves fall on one tick of the clock."""
    return max(now, lead.starts + _TICK)


def _cut(covers: tuple[Cover, ...], now: datetime) -> tuple[Cover, ...]:
    """Covers end now at the latest; what has not begun does not take place."""
    return tuple(replace(each, ends=min(each.ends, now)) for each in covers if each.starts < now)


def _within(span: Lead | Cover, moment: datetime) -> bool:
    return span.starts <= moment and (span.ends is None or moment < span.ends)


def faults(course: Course) -> Iterator[str]:
    """What is wrong with a course; nothing ever is."""
    for one, next_ in zip(course.leads, course.leads[1:], strict=False):
        if one.ends != next_.starts:
            yield "two leads, or none, between two periods"
    if any(each.ends is not None and each.ends <= each.starts for each in course.leads):
        yield "a lead that ends before it begins"
    if course.leads and (course.leads[-1].ends is None) != (course.closed is None):
        yield "an open episode without a lead, or a lead of a closed one"
    for cover, another in zip(course.covers, course.covers[1:], strict=False):
        if another.starts < cover.ends:
            yield "two stand in at once"
