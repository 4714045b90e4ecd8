"""The plans of several agencies as one: by need its goals, and who does what for them (000 6b3, CASEWORK.md #25). Pure.

Agencies' goals meet where they answer the same need: by the social risk category that both name, else by the need's own
words. What is read is what the reader may see; what is not among it is not spoken of.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from service.fhir.json import JsonObject
from service.mapping.names import GOAL_SERVED, SDOHCC_CODES
from service.mapping.parts import code_in
from service.mapping.saying import said
from service.mapping.told_of import Held, agency_of, held_by, who

OPEN_GOALS: Final = frozenset({"proposed", "planned", "accepted", "active", "on-hold"})
OTHERS: Final = "Other goals and services"
_OVER: Final = frozenset({"cancelled", "stopped", "entered-in-error"})


@dataclass
class Need:
    """What the client needs, the goals set for it, and what each agency does. `entries`: references, in order."""

    title: str
    goals: list[JsonObject] = field(default_factory=list)
    does: list[tuple[str, str]] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)


def merged(held: Held) -> list[Need]:
    """Every need of the running plans in `held`, those without a goal last."""
    plans = [each for each in held.values() if is_running(each)]
    needs: dict[str, Need] = {}
    for goal in _goals(held, plans):
        need = _of(needs, held, [goal])
        need.goals.append(goal)
        need.entries.append(f"Goal/{goal['id']}")
    for plan in plans:
        for agency, words, goals, reference in _activities(held, plan):
            need = _of(needs, held, goals)
            need.does.append((agency, words))
            need.entries += [reference] if reference else []
    return sorted(needs.values(), key=lambda need: (need.title == OTHERS, not need.goals))


def is_running(resource: JsonObject) -> bool:
    """A plan in force."""
    return resource["resourceType"] == "CarePlan" and resource.get("status") == "active"


def _goals(held: Held, plans: list[JsonObject]) -> Iterator[JsonObject]:
    """Open goals, in the order of the plans, then those that no plan here names."""
    named = [held_by(held, each) for plan in plans for each in plan.get("goal", [])]
    others = [each for each in held.values() if each["resourceType"] == "Goal"]
    seen: set[str] = set()
    for goal in (*named, *others):
        if goal is not None and goal["id"] not in seen and goal.get("lifecycleStatus") in OPEN_GOALS:
            seen.add(goal["id"])
            yield goal


def _of(needs: dict[str, Need], held: Held, goals: list[JsonObject]) -> Need:
    """The need that the first of these answers."""
    key, title = next((_need(held, each) for each in goals), ("", OTHERS))
    return needs.setdefault(key, Need(title))


def _need(held: Held, goal: JsonObject) -> tuple[str, str]:
    needs = [found for each in goal.get("addresses", []) if (found := held_by(held, each)) is not None]
    for concept in (*goal.get("category", []), *(c for need in needs for c in need.get("category", []))):
        code = code_in(concept, SDOHCC_CODES)
        if code and code != "sdoh-category-unspecified":
            return code, said(concept) if said(concept) != code else code.replace("-", " ").capitalize()
    words = next((text for need in needs if (text := said(need.get("code")))), "")
    return (words.casefold(), words) if words else ("", OTHERS)


def _activities(held: Held, plan: JsonObject) -> Iterator[tuple[str, str, list[JsonObject], str]]:
    """(agency, what it does, the goals it is for, the request's reference) of each activity that can be read. A request
    for no goal stands for its own category."""
    planner = agency_of(held, plan.get("author"))
    for activity in plan.get("activity", []):
        detail, request = activity.get("detail"), held_by(held, activity.get("reference"))
        if request is not None and request.get("status") not in _OVER:
            served = [
                e["valueReference"] for e in request.get("extension", []) if e.get("url") == GOAL_SERVED
            ]
            does = next(
                (name for each in request.get("performer", []) if (name := agency_of(held, each))), ""
            )
            reference = f"{request['resourceType']}/{request['id']}"
            yield does or planner, said(request.get("code")), _found(held, served) or [request], reference
        elif detail and detail.get("status") not in _OVER:
            people = [name for each in detail.get("performer", []) if (name := who(held, each))]
            does = next(
                (name for each in detail.get("performer", []) if (name := agency_of(held, each))), planner
            )
            words = said(detail.get("code")) or str(detail.get("description", ""))
            more = ", ".join(name for name in people if name != does)
            stands = str(detail.get("status", "")).replace("-", " ")
            line = " – ".join(filter(None, (words, more))) + (f" ({stands})" if stands else "")
            yield does, line, _found(held, detail.get("goal", [])), ""


def _found(held: Held, references: list[JsonObject]) -> list[JsonObject]:
    return [found for each in references if (found := held_by(held, each)) is not None]
