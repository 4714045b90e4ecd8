"""A goal of a care plan ⇄ Goal (US Core 7.0.0, SDOHCC), and the needs that plan and goals address."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, get_args

from service.casework.records.care_plan import CarePlan, Goal, NeedRef, Target
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.mapping import parts
from service.mapping.context import MappingContext
from service.mapping.identity import identifier, part_of_path, path_of, refer, resource_id
from service.mapping.names import GOAL_PROGRESS, SDOHCC_CODES, profile
from service.mapping.terms import terms

_PRIORITY: Final = "http://terminology.hl7.org/CodeSystem/goal-priority"
_STATUSES: Final = frozenset(get_args(Goal.model_fields["status"].annotation))


def fhir_need(need: NeedRef, context: MappingContext) -> JsonObject:
    """A reference to the Condition that a need of an assessment became."""
    condition = resource_id(context, "assessments", need.assessment, f"need:{need.need}")
    return {
        "reference": f"Condition/{condition}",
        "identifier": identifier(context, "need", need.assessment, need.need),
    }


def _goal_id(plan: str, goal: str, context: MappingContext) -> str:
    return resource_id(context, "care-plans", plan, f"goal:{goal}")


def goal_reference(plan: CarePlan, goal: str, context: MappingContext) -> JsonObject:
    """A reference to a goal of this plan."""
    held = identifier(context, "goal", plan.id, goal)
    return {"reference": f"Goal/{_goal_id(plan.id, goal, context)}", "identifier": held}


def fhir_goal(plan: CarePlan, goal: Goal, context: MappingContext) -> JsonObject:
    """The Goal; one of a plan that was a mistake is one, too."""
    category = {"system": SDOHCC_CODES, "code": goal.category}
    status = "entered-in-error" if plan.status == "entered-in-error" else goal.status
    return build(
        "Goal",
        id=_goal_id(plan.id, goal.id, context),
        meta={"profile": [profile("casebridge-goal")]},
        identifier=[identifier(context, "goal", plan.id, goal.id)],
        lifecycleStatus=status,
        achievementStatus=_fhir_progress(goal.progress) if goal.progress else None,
        category=[{"coding": [category]}] if goal.category else None,
        priority={"coding": [{"system": _PRIORITY, "code": goal.priority}]} if goal.priority else None,
        description={"text": goal.words},
        subject=refer(context, "clients", plan.client),
        startDate=goal.start.isoformat() if goal.start else None,
        target=[_fhir_target(target) for target in goal.targets],
        statusDate=goal.progress_on.isoformat() if goal.progress_on else None,
        expressedBy=_expressed_by(plan, goal, context),
        addresses=[fhir_need(need, context) for need in goal.needs],
        note=[parts.fhir_note(n) for n in goal.notes],
    )


def _fhir_progress(progress: str) -> JsonObject:
    standard = terms().translate("goal-progress-to-achievement", progress)
    return {"coding": [*standard, terms().coding(GOAL_PROGRESS, progress)]}


def _fhir_target(target: Target) -> JsonObject:
    due = target.due.isoformat() if target.due else None
    return {"measure": {"text": target.measure}, "dueDate": due}


def _expressed_by(plan: CarePlan, goal: Goal, context: MappingContext) -> JsonObject:
    if goal.expressed_by == "client":
        return refer(context, "clients", plan.client)
    kind = "RelatedPerson" if goal.expressed_by == "family" else "PractitionerRole"
    return {"type": kind, "display": goal.expressed_by}


def needs_of(addressed: Iterable[JsonObject], context: MappingContext) -> Iterator[NeedRef]:
    """Those of the conditions addressed that are needs of our assessments."""
    for need in addressed:
        path = part_of_path(context, need, "need")
        if path and len(path) == 2:
            yield NeedRef(assessment=path[0], need=path[1])


def goal_of(goal: JsonObject, context: MappingContext) -> Goal:
    """The goal that a Goal says, ours or a partner's."""
    path = path_of(context, goal.get("identifier", []), "goal")
    expressed = goal.get("expressedBy", {})
    status: Any = goal["lifecycleStatus"]
    family = expressed.get("type") == "RelatedPerson" or "RelatedPerson/" in str(expressed.get("reference"))
    worker = "Practitioner" in str(expressed.get("type") or expressed.get("reference"))
    priority: Any = parts.code_in(goal.get("priority"), _PRIORITY)
    progress = goal.get("achievementStatus", {})
    known = terms().untranslate("goal-progress-to-achievement", progress.get("coding", []))
    return Goal(
        id=path[-1] if path else goal["id"],
        words=parts.concept_text(goal.get("description")) or "goal not named",
        status=status if status in _STATUSES else "cancelled",
        expressed_by="family" if family else "worker" if worker else "client",
        category=next((c for v in goal.get("category", []) if (c := parts.code_in(v, SDOHCC_CODES))), None),
        priority=priority,
        start=_day(goal.get("startDate")),
        targets=parts.several(_target, goal.get("target")),
        progress=parts.code_in(progress, GOAL_PROGRESS) or known,
        progress_on=_day(goal.get("statusDate")),
        needs=tuple(needs_of(goal.get("addresses", []), context)),
        notes=parts.notes(goal.get("note", [])),
    )


def _target(value: JsonObject) -> Target | None:
    measure, due = parts.concept_text(value.get("measure")), _day(value.get("dueDate"))
    return Target(measure=measure, due=due) if measure or due else None


def _day(value: str | None) -> Any:
    return value if value and len(value) == 10 else None
