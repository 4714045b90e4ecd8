"""Records of a client, steps of their referrals and what hospitals send → facts, from which coordination/timers.py
computes what is due. Pure; days are those of the agency's calendar."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from service.casework.records import Record
from service.casework.records.assessment import Assessment
from service.casework.records.care_plan import CarePlan
from service.casework.records.client import Client
from service.casework.records.closing import Closing
from service.casework.records.complaint import Complaint
from service.casework.records.encounter import Encounter
from service.casework.records.gpra_interview import GpraInterview
from service.casework.records.referral import Referral
from service.casework.records.satisfaction import Satisfaction
from service.casework.records.service_outcome import ServiceOutcome
from service.coordination.calendar import Calendar
from service.coordination.facts import Case, Fact
from service.coordination.gpra.windows import DECEASED, SUPRT, USUAL
from service.fhir.json import JsonObject

NARROW: Final = frozenset({
    "phq-2", "phq-9", "gad-7", "audit-c", "dast-10", "plan-review", "satisfaction", "client-self-report",
    "case-management-criteria",
})  # fmt: skip
"""Instruments that look at one thing only: they are no reassessment of the whole situation (COA CA-CM 3.05)."""
LOST: Final = "lost-contact"
"""The reason of a closing when nobody knows where the client is."""
SUPRT_A: Final = "suprt-a"
_SUPRT: Final = {
    "intake": "suprt-baseline", "six-month": "suprt-reassessment", "annual": "suprt-annual",
    "discharge": "suprt-closeout",
}  # fmt: skip
_OTHER_PLANS: Final = {"aftercare-plan": "aftercare", "closing-plan": "closing-planned", "crisis-plan": ""}
_INPATIENT: Final = frozenset({"IMP", "ACUTE", "NONAC", "OBSENC"})
_DISCHARGE: Final = frozenset({("http://terminology.hl7.org/CodeSystem/v2-0003", "A03"),
                               ("http://terminology.hl7.org/CodeSystem/v2-0003", "A16"),
                               ("http://snomed.info/sct", "58000006"),
                               ("http://snomed.info/sct", "308283009")})  # fmt: skip
"""HL7 v2 events discharge and pending discharge; SNOMED CT patient discharge and discharge from hospital."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A record as it is now. `first`: when it was first filed; `last`: when it was last changed."""

    kind: str
    id: str
    record: Record
    first: datetime
    last: datetime

    @property
    def name(self) -> str:
        """`care-plans/leslie-plan-1`."""
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a referral: its record's id, which way it goes, the Task's status and priority, and when."""

    referral: str
    direction: str
    status: str
    priority: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A version of what another agency filed about the client, and when it came."""

    resource: JsonObject
    at: datetime


@dataclass(frozen=True, slots=True)
class Former:
    """A former version of a client's record: filed `since` (None: it is the first), and replaced by another `until`."""

    record: Client
    since: datetime | None
    until: datetime


def case(
    client: Client,
    filed: Sequence[Filed],
    steps: Sequence[Step],
    sent: Sequence[Sent],
    calendar: Calendar,
    former: Sequence[Former] = (),
) -> Case:
    """Everything the timers need to know of one client. `filed` holds the client's own record too."""
    read = _Reading(calendar)
    facts = [fact for each in filed for fact in read.record(each)]
    facts += [*read.steps(steps), *read.sent(sent), *read.waited(client, former)]
    facts += _owed_to_grants(facts, filed)
    episode = client.episode
    ended = any(fact.what == "ended" for fact in facts)
    plans = [each.record for each in filed if isinstance(each.record, CarePlan)]
    reviews = [plan.next_review for plan in plans if plan.status == "active" and plan.next_review]
    return Case(
        client=client.id,
        facts=tuple(facts),
        open=episode is not None and episode.status in ("active", "onhold") and not ended,
        tier=episode.intensity if episode else None,
        lead=episode.primary_case_manager if episode else None,
        next_review=min(reviews, default=None),
        tiers=tuple(read.tiers(former)),
    )


def _owed_to_grants(facts: Sequence[Fact], filed: Sequence[Filed]) -> list[Fact]:
    """What the start and the end of a case mean for the client's interviews under grants."""
    intakes = _newest({fact.about for fact in facts if fact.what == "gpra-intake"})
    under = _newest({fact.about for fact in facts if fact.what.startswith("suprt-")})
    opened, ended = (
        min((fact for fact in facts if fact.what == what), key=lambda fact: fact.on, default=None)
        for what in ("opened", "ended")
    )
    found = [Fact("suprt-opened", opened.on, opened.record, about) for about in under if opened]
    if ended:
        closings = [each.record for each in filed if isinstance(each.record, Closing)]
        lost = any(each.reason == LOST and each.status == "closed" for each in closings)
        what = "gpra-lost" if lost else "gpra-left"
        found += [Fact(what, ended.on, ended.record, about) for about in intakes]
        found += [Fact("suprt-left", ended.on, ended.record, about) for about in under]
    return found


def _newest(intakes: Iterable[str]) -> list[str]:
    """Of the intakes under each grant (`gpra/GRANT/SEQUENCE`) the last: the episode that is open, or was."""
    newest: dict[str, str] = {}
    for about in sorted(intakes, key=lambda each: int(each.rpartition("/")[2])):
        newest[about.rpartition("/")[0]] = about
    return sorted(newest.values())


@dataclass(frozen=True, slots=True)
class _Reading:
    calendar: Calendar

    def record(self, filed: Filed) -> Iterator[Fact]:
        match filed.record:
            case Client() as client:
                yield from self._client(client, filed)
            case Assessment() as taken:
                yield from self._assessment(taken, filed)
            case CarePlan() as plan:
                yield from self._plan(plan, filed)
            case Encounter() as contact:
                yield from self._encounter(contact, filed)
            case Referral() as referral:
                yield from self._referral(referral, filed)
            case ServiceOutcome() as outcome:
                yield from self._outcome(outcome, filed)
            case Complaint() as complaint:
                yield from self._complaint(complaint, filed)
            case Satisfaction() as asked:
                yield from self._satisfaction(asked, filed)
            case Closing() as closing:
                yield from self._closing(closing, filed)
            case GpraInterview() as interview:
                yield from self._interview(interview, filed)
            case _:
                return

    def fact(self, what: str, when: str | date | datetime, record: str, about: str = "", **more: Any) -> Fact:
        """A fact at a moment, on a day, or as exactly as a record says it: a month or year is its first day."""
        if isinstance(when, str) and "T" in when:
            when = datetime.fromisoformat(when)
        if isinstance(when, datetime):
            return Fact(what, self.calendar.day_of(when), record, about, when, **more)
        if isinstance(when, str):
            when = date.fromisoformat(when + "-01-01"[len(when) - 10 :] if len(when) < 10 else when)
        return Fact(what, when, record, about, **more)

    def _client(self, client: Client, filed: Filed) -> Iterator[Fact]:
        episode = client.episode
        if episode is None or episode.status == "planned":
            return
        start = episode.start or filed.first
        if episode.status == "waitlist":
            yield self.fact("waitlisted", start, filed.name)
            return
        yield self.fact("opened", start, filed.name)
        if episode.status in ("finished", "cancelled") or client.deceased:
            yield self.fact("ended", episode.end or filed.last, filed.name)

    def _assessment(self, taken: Assessment, filed: Filed) -> Iterator[Fact]:
        if taken.status not in ("completed", "amended"):
            return
        if taken.instrument == "plan-review":
            yield self.fact("reviewed", taken.taken, filed.name)
        elif taken.instrument not in NARROW:
            yield self.fact("assessed", taken.taken, filed.name)

    def _plan(self, plan: CarePlan, filed: Filed) -> Iterator[Fact]:
        if plan.status in ("draft", "entered-in-error"):
            return
        made = plan.created or (plan.period.start if plan.period else None) or filed.first
        if plan.kind in _OTHER_PLANS:
            if what := _OTHER_PLANS[plan.kind]:
                yield self.fact(what, made, filed.name)
            return
        yield self.fact("planned", made, filed.name, filed.name)
        if plan.replaces:
            yield self.fact("replaced", made, filed.name, f"care-plans/{plan.replaces}")
        client = [each.at for each in plan.signatures if each.role in ("client", "guardian")]
        worker = [each.at for each in plan.signatures if each.role == "case-manager"]
        if client and worker:
            yield self.fact("signed", max(min(client), min(worker)), filed.name, filed.name)
        for review in plan.reviews:
            yield self.fact("reviewed", review.on, filed.name)

    def _encounter(self, contact: Encounter, filed: Filed) -> Iterator[Fact]:
        if contact.status != "finished":
            return
        when = contact.start or filed.first
        worker = contact.workers[0] if contact.workers else None
        if contact.direct or contact.supports:  # "with the individual or family" (COA CM 5.04)
            yield self.fact("contact", when, filed.name, worker=worker, mode=contact.mode)
        if "crisis" in contact.activities:
            yield self.fact("crisis", when, filed.name)
        if "monitoring" in contact.activities:
            for referral in contact.referrals:
                yield self.fact("followed-up", when, filed.name, f"referrals/{referral}")

    def _referral(self, referral: Referral, filed: Filed) -> Iterator[Fact]:
        if referral.status in ("draft", "entered-in-error"):
            return
        if referral.period and referral.period.start:
            yield self.fact("scheduled", referral.period.start, filed.name, filed.name)

    def _outcome(self, outcome: ServiceOutcome, filed: Filed) -> Iterator[Fact]:
        about = f"referrals/{outcome.referral}" if outcome.referral else filed.name
        span = outcome.period
        end = (span.end if span else None) or filed.last
        if outcome.status in ("in-progress", "completed", "stopped") and span and span.start:
            yield self.fact("started", span.start, filed.name, about)
        if outcome.status in ("completed", "stopped"):
            yield self.fact("finished", end, filed.name, about)
        if outcome.status == "not-done":
            yield self.fact("dropped", end, filed.name, about)
        if outcome.status == "stopped":
            yield self.fact("setback", end, filed.name, about)

    def _complaint(self, complaint: Complaint, filed: Filed) -> Iterator[Fact]:
        if complaint.status == "entered-in-error":
            return
        yield self.fact("complained", complaint.received, filed.name, filed.name)
        if complaint.replies:
            first = min(reply.at for reply in complaint.replies)
            yield self.fact("answered", first, filed.name, filed.name)
        elif complaint.status == "withdrawn":
            yield self.fact("dropped", filed.last, filed.name, filed.name)

    def _satisfaction(self, asked: Satisfaction, filed: Filed) -> Iterator[Fact]:
        if asked.referral and asked.status != "entered-in-error":
            for what in ("verified", "followed-up"):
                yield self.fact(what, asked.asked, filed.name, f"referrals/{asked.referral}")

    def _closing(self, closing: Closing, filed: Filed) -> Iterator[Fact]:
        if closing.status == "entered-in-error":
            return
        yield self.fact("closing-planned", filed.first, filed.name)
        if closing.planned_for and not closing.unexpected:
            yield self.fact("leaves", closing.planned_for, filed.name, filed.name)
        if closing.closed:
            yield self.fact("ended", closing.closed, filed.name)

    def _interview(self, interview: GpraInterview, filed: Filed) -> Iterator[Fact]:
        if interview.status == "entered-in-error":
            return
        if interview.tool.startswith(SUPRT):
            yield from self._suprt(interview, filed)
            return
        grant, about = f"gpra/{interview.grant}", f"gpra/{interview.grant}/{interview.sequence}"
        if interview.conducted:
            one = f"{about}/{interview.type}"
            yield self.fact("gpra-held", interview.date, filed.name, one)
            if interview.status != "in-progress":
                yield self.fact("gpra-entered", filed.first, filed.name, one)
        if interview.status == "in-progress":
            return
        if interview.type == "discharge":
            yield self.fact("gpra-discharge", interview.date, filed.name, about)
        if interview.type == "intake" and interview.conducted:
            yield self.fact("gpra-intake", interview.date, filed.name, about)
            for earlier in range(1, interview.sequence):
                yield self.fact("gpra-ended", interview.date, filed.name, f"{grant}/{earlier}")
        elif interview.type in USUAL:
            yield self.fact("gpra-follow-up", interview.date, filed.name, about)
        if interview.follow_up == DECEASED:
            yield self.fact("gpra-ended", interview.date, filed.name, about)

    def _suprt(self, interview: GpraInterview, filed: Filed) -> Iterator[Fact]:
        """SUPRT-A is owed for every client; one in progress says no more than that the client is under the grant."""
        about = f"gpra/{interview.grant}/{interview.sequence}"
        if interview.tool == SUPRT_A:
            done = interview.status != "in-progress" and interview.type in _SUPRT
            yield self.fact(
                _SUPRT[interview.type] if done else "suprt-client", interview.date, filed.name, about
            )

    def tiers(self, former: Sequence[Former]) -> Iterator[tuple[date, date, str | None]]:
        """Former intensities, from the day on which each was filed; the first one counts from the beginning."""
        for each in former:
            since = self.calendar.day_of(each.since) if each.since else date.min
            episode = each.record.episode
            yield since, self.calendar.day_of(each.until), episode.intensity if episode else None

    def waited(self, client: Client, former: Sequence[Former]) -> Iterator[Fact]:
        """Put on the waiting list, and off it again: only the former versions of the record tell."""
        was = [each for each in former if each.record.episode and each.record.episode.status == "waitlist"]
        if not was or (client.episode and client.episode.status == "waitlist"):
            return
        first, name = was[0], f"clients/{client.id}"
        start = first.record.episode.start if first.record.episode else None
        yield self.fact("waitlisted", start or first.since or first.until, name)
        if client.episode and client.episode.status in ("active", "onhold"):
            yield self.fact("served", was[-1].until, name)

    def steps(self, steps: Iterable[Step]) -> Iterator[Fact]:
        """The first time a referral reached each status."""
        seen: set[tuple[str, str]] = set()
        for step in sorted(steps, key=lambda step: step.at):
            name = f"referrals/{step.referral}"
            if step.direction == "inbound":
                if step.priority != "routine" and (name, "urgent") not in seen:
                    seen.add((name, "urgent"))
                    yield self.fact("urgent", step.at, name, name)
                continue
            for what in _STEPS.get(step.status, ()):
                if (name, what) not in seen:
                    seen.add((name, what))
                    yield self.fact(what, step.at, name, name)

    def sent(self, sent: Iterable[Sent]) -> Iterator[Fact]:
        """Admissions and notices of discharge, each when it was first said."""
        seen: set[tuple[str, str]] = set()
        for each in sorted(sent, key=lambda each: each.at):
            name = f"{each.resource['resourceType']}/{each.resource['id']}"
            what = notice(each.resource)
            if what and (name, what) not in seen:
                seen.add((name, what))
                yield self.fact(what, each.at, name, name)


_STEPS: Final = {
    "in-progress": ("started",),
    "completed": ("started", "finished"),
    "rejected": ("called-off",),
    "cancelled": ("called-off",),
    "failed": ("called-off",),
    "entered-in-error": ("called-off",),
}
"""A Task's status → what it tells of the service."""


def notice(resource: JsonObject) -> str | None:
    """`discharge-notice`: an inpatient Encounter that says when or how it ends, or a Communication about a discharge.
    `admitted`: any other inpatient Encounter under way. None for everything else."""
    if resource["resourceType"] == "Communication":
        said = [resource.get("topic"), *resource.get("category", []), *resource.get("reasonCode", [])]
        codes = {(c.get("system"), c.get("code")) for each in said if each for c in each.get("coding", [])}
        return "discharge-notice" if codes & _DISCHARGE else None
    if resource["resourceType"] != "Encounter" or resource.get("class", {}).get("code") not in _INPATIENT:
        return None
    if resource.get("status") in ("cancelled", "entered-in-error", "planned", "unknown"):
        return None
    leaving = resource.get("period", {}).get("end") or resource.get("hospitalization", {}).get(
        "dischargeDisposition"
    )
    return "discharge-notice" if leaving or resource["status"] == "finished" else "admitted"
