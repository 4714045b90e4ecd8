"""What records say of the measures of coordination/measures/table.py: referrals, plans, goals, satisfaction, closings,
case managers. Pure; a function each, by the measure's name."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final, TypeVar

from service.casework.records.care_plan import CarePlan, Service
from service.casework.records.case_manager import CaseManager
from service.casework.records.closing import Closing
from service.casework.records.referral import Referral
from service.casework.records.satisfaction import Satisfaction
from service.casework.records.words import Concept
from service.coordination.calendar import Calendar
from service.coordination.facts import Case
from service.coordination.fitness import QUALIFIES
from service.coordination.measures.counting import Counted, answered, linked
from service.coordination.measures.table import WORKER
from service.fhir.json import JsonObject
from service.mapping import parts
from service.mapping.facts import Filed
from service.mapping.names import RSS_SERVICE, SERVICE_AREA
from service.mapping.terms import terms

_UNSENT: Final = frozenset({"draft", "entered-in-error"})
_ON_THE_WAY: Final = frozenset({"met", "kept-up", "progress"})
_JUDGED: Final[Mapping[str, bool]] = {
    "strongly-agree": True, "agree": True, "neither": False, "disagree": False, "strongly-disagree": False,
}  # fmt: skip
"""Answers that judge; refused, not known and not asked do not."""
AGENCY: Final = "agency"
AREA: Final = "service area"

Kind = TypeVar("Kind")
Parts = Sequence[tuple[str, bool]]


def area(service: str | Concept | None) -> str:
    """The service area of a service of our list, in words; empty where the list does not lead to one."""
    if not isinstance(service, str):
        return ""
    found = next(iter(terms().translate("rss-service-to-area", service)), None)
    return area_words(found["code"]) if found else ""


def area_words(code: str) -> str:
    """What people call a service area."""
    return terms().display(SERVICE_AREA, code) or code


class Told:
    """One client's records, sorted for counting. `agencies`: the name of an agency by its record id."""

    def __init__(
        self, case: Case, filed: Sequence[Filed], days: Calendar, agencies: Mapping[str, str]
    ) -> None:
        self.case, self.days, self.agencies = case, days, agencies
        self.records = {each.name: each.record for each in filed}
        self.filed = filed

    def of(self, kind: type[Kind]) -> Iterator[tuple[Filed, Kind]]:
        """Records of a kind, by id."""
        for each in sorted(self.filed, key=lambda filed: filed.id):
            if isinstance(each.record, kind):
                yield each, each.record

    def day(self, when: str | date | datetime | None, filed: Filed) -> date:
        """The agency's day of what a record says; of what it does not say, when it was first filed."""
        if isinstance(when, str):
            try:
                when = datetime.fromisoformat(when) if "T" in when else date.fromisoformat(when)
            except ValueError:
                when = None  # a month or a year
        if when is None:
            when = filed.first
        return self.days.day_of(when) if isinstance(when, datetime) else when

    def served(self, referral: str | None) -> Mapping[str, str]:
        """The service area and the agency of a referral, and who leads the client."""
        record = self.records.get(f"referrals/{referral}")
        if not isinstance(record, Referral):
            return {WORKER: self.case.lead or ""}
        return {
            WORKER: self.case.lead or "",
            AREA: area(record.service),
            AGENCY: self.agencies.get(record.recipient or "", record.recipient or ""),
        }


def _referrals(told: Told) -> Iterator[tuple[Filed, Referral, date, Mapping[str, str]]]:
    for filed, record in told.of(Referral):
        if record.status not in _UNSENT and record.direction == "outbound":
            yield filed, record, told.day(record.requested, filed), told.served(record.id)


def _linkage(told: Told) -> Iterator[Counted]:
    for filed, record, day, strata in _referrals(told):
        evidence = record.outcome is not None or linked(told.case, filed.name)
        yield Counted(evidence, day, filed.name, told.case.client, strata)


def _answered(told: Told) -> Iterator[Counted]:
    for filed, record, day, strata in _referrals(told):
        known = record.outcome is not None or answered(told.case, filed.name)
        yield Counted(known, day, filed.name, told.case.client, strata)


def _active(told: Told) -> Iterator[tuple[Filed, CarePlan, date]]:
    for filed, record in told.of(CarePlan):
        if record.status == "active":
            yield filed, record, told.day(record.created, filed)


def held(plan: CarePlan) -> Parts:
    """What a plan should hold (004 CA-CM 4.01), and whether it does."""
    return (
        ("goals", bool(plan.goals)),
        ("a time for each goal", bool(plan.goals) and all(any(t.due for t in g.targets) for g in plan.goals)),
        ("by whom each service is done", bool(plan.services) and all(map(_by_somebody, plan.services))),
        ("family and social support", bool(plan.supports)),
        ("a crisis procedure", plan.crisis_procedure is not None),
        ("signed by client and case manager", signed(plan)),
    )


def _by_somebody(service: Service) -> bool:
    named = (service.referral, service.agency, service.case_manager, service.by_client, service.by)
    return any(named)


def signed(plan: CarePlan) -> bool:
    """By the client (or a guardian) and the case manager; a signature has its date."""
    roles = {each.role for each in plan.signatures}
    return bool(roles & {"client", "guardian"}) and "case-manager" in roles


def _plans(told: Told) -> Iterator[Counted]:
    for filed, plan, day in _active(told):
        whole = all(there for _, there in held(plan))
        yield Counted(whole, day, filed.name, told.case.client, _of_plan(told, plan))


def _plan_parts(told: Told) -> Iterator[Counted]:
    for filed, plan, day in _active(told):
        for part, there in held(plan):
            yield Counted(
                there, day, filed.name, told.case.client, {"part": part, WORKER: told.case.lead or ""}
            )


def _signatures(told: Told) -> Iterator[Counted]:
    for filed, plan, day in _active(told):
        yield Counted(signed(plan), day, filed.name, told.case.client, _of_plan(told, plan))


def _of_plan(told: Told, plan: CarePlan) -> Mapping[str, str]:
    return {"kind of plan": plan.kind.replace("-", " "), WORKER: told.case.lead or ""}


def _goals(told: Told) -> Iterator[Counted]:
    for filed, plan, day in _active(told):
        served = {goal for service in plan.services for goal in service.goals}
        for _, referral in told.of(Referral):
            if referral.care_plan == plan.id and referral.goal_id:
                served.add(referral.goal_id)
        for goal in plan.goals:
            strata = {"expressed by": goal.expressed_by, WORKER: told.case.lead or ""}
            yield Counted(goal.id in served, day, f"{filed.name} {goal.id}", told.case.client, strata)


def _progress(told: Told) -> Iterator[Counted]:
    for filed, plan in told.of(CarePlan):
        for goal in plan.goals if plan.status != "entered-in-error" else ():
            if goal.progress:
                strata = {
                    "kind of goal": (goal.category or "").replace("-", " "),
                    WORKER: told.case.lead or "",
                }
                day = told.day(goal.progress_on, filed)
                held = goal.progress in _ON_THE_WAY
                yield Counted(held, day, f"{filed.name} {goal.id}", told.case.client, strata)


def _satisfaction(told: Told) -> Iterator[Counted]:
    for filed, asked in told.of(Satisfaction):
        if (
            asked.status != "entered-in-error"
            and (judged := _JUDGED.get(asked.appropriate or "")) is not None
        ):
            day, strata = told.day(asked.asked, filed), told.served(asked.referral)
            yield Counted(judged, day, filed.name, told.case.client, strata)


def _unmet(told: Told) -> Iterator[Counted]:
    for filed, closing in told.of(Closing):
        for need in closing.unmet if closing.status == "closed" else ():
            words = need.need if isinstance(need.need, str) else need.need.text or ""
            strata = {
                "need": terms().display(RSS_SERVICE, words) or words,
                "reason": (need.reason or "").replace("-", " "),
            }
            day = told.day(closing.closed, filed)
            yield Counted(
                need.reported_to is not None, day, f"{filed.name} {need.id}", told.case.client, strata
            )


OF_CLIENT: Final[Mapping[str, Callable[[Told], Iterator[Counted]]]] = {
    "linkage": _linkage, "answered": _answered, "plans": _plans, "plan-parts": _plan_parts, "signatures": _signatures,
    "goals": _goals, "progress": _progress, "satisfaction": _satisfaction, "unmet": _unmet,
}  # fmt: skip
"""Measure → what is counted in the records of one client."""


def qualified(workers: Iterable[CaseManager], agencies: Mapping[str, str], today: date) -> Iterator[Counted]:
    """Active case managers, with what is on record of their qualification."""
    for each in sorted(workers, key=lambda worker: worker.id):
        if each.active and "case-manager" in each.roles:
            held = any(one.code in QUALIFIES for one in each.qualifications)
            yield Counted(
                held, today, each.id, strata={AGENCY: agencies.get(each.agency or "", each.agency or "")}
            )


def areas_of(concepts: Iterable[JsonObject]) -> list[str]:
    """Codes of our service areas among CodeableConcepts."""
    return [code for each in concepts if (code := parts.code_in(each, SERVICE_AREA))]


def area_of_request(request: JsonObject) -> str:
    """The service area of a ServiceRequest, in words; empty where it says none."""
    return next((area_words(code) for code in areas_of(request.get("category", []))), "")
