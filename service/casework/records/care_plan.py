"""The care plan: goals in the client's words, services and by whom, supports, crisis procedure, tier,
reviews, signatures with dates (#1, #5, #8, #21, #25, #50, #54, #55)."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import model_validator

from service.casework.records.words import (
    AgencyId,
    CarePlanId,
    CaseManagerId,
    ClientId,
    Concept,
    Day,
    Mention,
    Moment,
    Note,
    RecordId,
    Several,
    Slug,
    Span,
    Text,
    Uri,
    When,
    Written,
    speaks,
)

ServiceStatus = Literal[
    "not-started", "scheduled", "in-progress", "on-hold", "completed", "cancelled", "stopped", "unknown"
]
AssessmentNeed = Annotated[RecordId, Mention("assessments")]


class NeedRef(Written):
    """A need found by an assessment."""

    assessment: AssessmentNeed
    need: RecordId


class Target(Written):
    """How one will see that the goal is met, and by when."""

    measure: Text | None = None
    due: Day | None = None
    _says = speaks("measure", "due")


class Goal(Written):
    """What the client wants to reach (#8: client-defined)."""

    id: RecordId
    """Your own id of the goal, unique within the plan."""
    words: Text
    """In the client's own words."""
    status: Literal[
        "proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled", "rejected"
    ] = "active"
    expressed_by: Literal["client", "family", "worker"] = "client"
    category: Slug | None = None
    """An SDOH category."""
    priority: Literal["high-priority", "medium-priority", "low-priority"] | None = None
    start: Day | None = None
    targets: Several[Target] = ()
    progress: Slug | None = None
    """As of the last review (#54): `not-started`, `progress`, `no-change`, `met`, `not-met`, `dropped`, …"""
    progress_on: Day | None = None
    needs: Several[NeedRef] = ()
    notes: Several[Note] = ()


class Service(Written):
    """A service of the plan, and by whom (#50): a referral that arranges it, or someone named."""

    id: RecordId
    """Your own id of the service, unique within the plan."""
    referral: RecordId | None = None
    """The referral that arranges it and says everything else (what, by whom, when, for which goal)."""
    service: Slug | Concept | None = None
    agency: AgencyId | None = None
    case_manager: CaseManagerId | None = None
    by_client: bool = False
    by: Text | None = None
    """By whom, in words: `her mother Rosa`."""
    goals: Several[RecordId] = ()
    """Ids of goals of this plan that it serves (#1)."""
    status: ServiceStatus = "not-started"
    period: Span | None = None
    description: Text | None = None
    """How often, how much: `twice a week`."""

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        own = (self.service, self.agency, self.case_manager, self.by_client, self.by, self.goals, self.period)
        if self.referral and (any(own) or self.description or self.status != "not-started"):
            raise ValueError("a service arranged by a referral says the rest in the referral")
        if not self.referral and self.service is None:
            raise ValueError("say the service, or the referral that arranges it")
        return self


class Review(Written):
    """A review of the plan (#54, T4): what was found, with whom."""

    on: When
    by: Text | None = None
    found: Text


class PlanSignature(Written):
    """Who signed which version, and when (#50, #55: missing or undated signatures are findings)."""

    id: RecordId
    """Your own id of the signature, unique within the plan."""
    role: Literal["client", "case-manager", "supervisor", "family", "guardian"]
    name: Text
    case_manager: CaseManagerId | None = None
    at: Moment
    revision: Text | None = None
    """Which revision was signed."""


class CarePlan(Written):
    """The recovery support plan, or an aftercare, closing or crisis plan."""

    id: RecordId
    client: ClientId
    kind: Slug = "rss-plan"
    """`rss-plan`, `aftercare-plan`, `closing-plan`, `crisis-plan`, `treatment-plan`."""
    status: Literal["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"] = (
        "active"
    )
    title: Text | None = None
    description: Text | None = None
    """Summary, strengths and preferences."""
    period: Span | None = None
    """The end is often not known."""
    created: When | None = None
    author: CaseManagerId | None = None
    client_took_part: bool = True
    """(#5)"""
    took_part: Several[CaseManagerId] = ()
    """Colleagues: the supervisor, a consultant."""
    goals: Several[Goal] = ()
    services: Several[Service] = ()
    supports: Several[RecordId] = ()
    """Ids of the client's supports that the plan counts on (#9)."""
    needs: Several[NeedRef] = ()
    crisis_procedure: Text | None = None
    """What to do in a crisis (#50 expedited procedures)."""
    intensity: Slug | None = None
    """(#21)"""
    next_review: Day | None = None
    """(T4)"""
    reviews: Several[Review] = ()
    signatures: Several[PlanSignature] = ()
    replaces: CarePlanId | None = None
    """The signed plan this one revises (#55)."""
    guidelines: Several[Uri] = ()
    """The approved treatment guidelines the plan follows (#35), as their publisher names them."""
    treatment_plan: Text | None = None
    """The treatment plan of the referring agency it follows, as that agency calls it (#1)."""
    notes: Several[Note] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        known = {goal.id for goal in self.goals}
        if any(goal not in known for service in self.services for goal in service.goals):
            raise ValueError("a service names a goal that is not in this plan")
        for parts in (self.goals, self.services, self.signatures):
            if len({part.id for part in parts}) != len(parts):
                raise ValueError("an id occurs twice among the goals, services or signatures")
        return self


EXAMPLE: Final[dict[str, Any]] = {
    "id": "leslie-plan-1",
    "client": "leslie-moreno",
    "title": "A home and a steady week",
    "period": {"start": "2026-03-09"},
    "created": "2026-03-09T11:00:00-05:00",
    "author": "victoria-chen",
    "goals": [
        {
            "id": "home",
            "words": "A door of our own that locks",
            "category": "housing-instability",
            "targets": [{"measure": "Lease or room agreement signed", "due": "2026-06-30"}],
        },
        {"id": "sober", "words": "Sober when the kids are home", "start": "2026-03-09"},
    ],
    "services": [
        {"id": "rooms", "referral": "leslie-housing-1"},
        {
            "id": "group",
            "service": "self-help-group",
            "byClient": True,
            "goals": ["sober"],
            "description": "Thursday evenings",
        },
    ],
    "supports": ["rosa"],
    "crisisProcedure": "Call Victoria; at night the crisis line 555-0100.",
    "intensity": "intensive",
    "nextReview": "2026-06-09",
    "signatures": [
        {"id": "s1", "role": "client", "name": "Leslie Moreno", "at": "2026-03-09T11:40:00-05:00"},
        {
            "id": "s2",
            "role": "case-manager",
            "name": "Victoria Chen",
            "caseManager": "victoria-chen",
            "at": "2026-03-09T11:42:00-05:00",
        },
    ],
}
