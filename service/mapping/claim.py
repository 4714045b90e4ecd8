"""Who leads, by what a resource says: a partner's own EpisodeOfCare, CareTeam or CarePlan, or a change of ours. Pure.

That a partner has a case manager in the team is no claim; that it calls somebody the primary, or the care manager of an
episode of its own, is (CASEWORK.md #22, 4.3).
"""

from collections.abc import Iterator
from typing import Final

from service.coordination.leading import Worker
from service.fhir.json import JsonObject
from service.mapping import parts
from service.mapping.names import CASE_ROLE, PRIMARY

EPISODE, TEAM, PLAN = "EpisodeOfCare", "CareTeam", "CarePlan"
SAYS: Final = frozenset({EPISODE, TEAM, PLAN})
"""The types that can say who leads."""
_RUNNING: Final = frozenset({"planned", "waitlist", "active", "onhold"})
_PRIMARY: Final = "primary-case-manager"


def said_to_lead(resource: JsonObject) -> list[JsonObject]:
    """The References to those whom the resource says to lead now; authors of a plan, whose role is to be asked."""
    match resource["resourceType"]:
        case "EpisodeOfCare" if resource.get("status") in _RUNNING and "careManager" in resource:
            return [resource["careManager"]]
        case "CareTeam" if resource.get("status") in ("active", None):
            return [each.get("member", {}) for each in _primaries(resource)]
        case "CarePlan" if resource.get("status") == "active" and "author" in resource:
            return [resource["author"]]
        case _:
            return []


def _primaries(team: JsonObject) -> Iterator[JsonObject]:
    """Participants called the primary case manager, whose time is not over."""
    for each in team.get("participant", []):
        called = any(parts.code_in(role, CASE_ROLE) == _PRIMARY for role in each.get("role", []))
        if (called or parts.extension(each, PRIMARY, "valueBoolean")) and not each.get("period", {}).get(
            "end"
        ):
            yield each


def is_primary(role: JsonObject) -> bool:
    """Is this PractitionerRole that of a primary case manager?"""
    return any(parts.code_in(each, CASE_ROLE) == _PRIMARY for each in role.get("code", []))


_ASK: Final = "; ask for it by Patient/$primary-case-manager"


def untrue(resource: JsonObject, named: list[Worker], lead: Worker, *, ours: bool) -> str:
    """Why a resource of the home agency may not say this while `lead` leads; empty where it may.

    `named`: whom it says to lead. `ours`: it is the very EpisodeOfCare whose careManager the lead is.
    """
    if any(each != lead for each in named):
        return (
            f"{resource['resourceType']} would name another primary case manager than the one who leads{_ASK}"
        )
    if ours and resource.get("status") not in _RUNNING:
        return "the case is open; it is closed by the client's record, and the lead ends with it"
    if ours and not named:
        return f"an open case has its primary case manager{_ASK}"
    return ""
