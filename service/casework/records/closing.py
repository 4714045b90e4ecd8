"""Closing a case: why, by whom, with the client; aftercare, what stays unmet, who is told, and whether anybody
may ask afterwards how it goes (#38, #56-#60)."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import model_validator

from service.casework.records.words import (
    AgencyId,
    CarePlanId,
    CaseManagerId,
    ClientId,
    Concept,
    ConsentId,
    Day,
    ExactWhen,
    Mention,
    Moment,
    RecordId,
    ReferralId,
    Several,
    Slug,
    Span,
    Text,
    Written,
)

AssessmentNeed = Annotated[RecordId, Mention("assessments")]


class UnmetNeed(Written):
    """A need that no service met, and which public authority was told (#59)."""

    id: RecordId
    """Your own id of it, unique within the closing."""
    need: Slug | Concept
    """A code of our service list, or words and codes of your own: what would have been needed."""
    text: Text | None = None
    reason: Slug | None = None
    """Why it stayed unmet: `no-capacity`, `not-eligible`, `no-transport`, …"""
    reported_to: Text | None = None
    """The public authority told: `County Board of Mental Health`."""


class Notice(Written):
    """Telling a provider who works with the client that case management ends (#57)."""

    id: RecordId
    """Your own id of it, unique within the closing."""
    agency: AgencyId
    told: Moment | None = None
    """When it was told; left out as long as it was not."""
    words: Text | None = None


class FollowUpPermission(Written):
    """Whether the client may be contacted after closing, and how (#60)."""

    permitted: Literal["allowed", "text-only", "through-case-manager", "prohibited"]
    said: ExactWhen | None = None
    """When the client said so."""
    reason: Literal["client-declined", "domestic-violence-risk", "involuntary"] | None = None
    """Why nobody may."""
    window: Span | None = None
    """When the follow-up is meant to be."""
    by: CaseManagerId | None = None
    consent: ConsentId | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _protects(self) -> Self:
        if self.reason and self.permitted != "prohibited":
            raise ValueError("reason says why contact is prohibited")
        return self


class Closing(Written):
    """The end of case management for one client: planned from intake on, evaluated when it comes."""

    id: RecordId
    client: ClientId
    status: Literal["planned", "closed", "entered-in-error"] = "planned"
    """`planned` is the closing plan (#56, T16); `closed` the closing evaluation (#59)."""
    planned_for: Day | None = None
    """When closing is expected; aftercare is planned well before (T15)."""
    closed: ExactWhen | None = None
    reason: Slug | None = None
    """`goals-met`, `client-left`, `moved`, `transferred`, `lost-contact`, `deceased`, `excluded`, …"""
    unexpected: bool = False
    """The client left, or had to, without a plan: links to other services follow (#58)."""
    by: CaseManagerId | None = None
    """The staff responsible (#56); the agency when left out."""
    client_took_part: bool = True
    """(#56)"""
    summary: Text | None = None
    """What was reached, in words the client can read."""
    care_plan: CarePlanId | None = None
    """The plan that ends."""
    aftercare_plan: CarePlanId | None = None
    """A care plan of the kind `aftercare-plan` (#59)."""
    links: Several[ReferralId] = ()
    """Referrals to the services that go on (#58)."""
    ends: Several[ReferralId] = ()
    """Referrals that end with the case: withdrawn when it is closed (#57). What is in neither list is asked about."""
    unmet: Several[UnmetNeed] = ()
    notices: Several[Notice] = ()
    follow_up: FollowUpPermission | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.status == "closed" and not (self.closed and self.reason):
            raise ValueError("a closed case says when (closed) and why (reason)")
        if self.status == "planned" and self.closed:
            raise ValueError("closed says when a closed case was closed")
        if set(self.links) & set(self.ends):
            raise ValueError("a referral goes on (links) or ends (ends), not both")
        for listed in (self.unmet, self.notices):
            if len({part.id for part in listed}) != len(listed):
                raise ValueError("an id occurs twice in one list")
        return self


EXAMPLE: Final[dict[str, Any]] = {
    "id": "leslie-closing",
    "client": "leslie-moreno",
    "status": "closed",
    "plannedFor": "2027-03-15",
    "closed": "2027-03-18",
    "reason": "goals-met",
    "by": "marcus-bell",
    "summary": "Leslie has her own flat, works four days a week and is sober since April.",
    "carePlan": "leslie-plan-1",
    "aftercarePlan": "leslie-aftercare",
    "links": ["leslie-peer-group"],
    "ends": ["leslie-job-1"],
    "unmet": [
        {
            "id": "evening-bus",
            "need": "transportation",
            "text": "No bus after six: the Thursday group stays out of reach without a lift.",
            "reason": "no-capacity",
            "reportedTo": "County Transit Board",
        }
    ],
    "notices": [
        {
            "id": "northside",
            "agency": "northside",
            "told": "2027-03-18T15:00:00-05:00",
            "words": "Case management by Harbor ends on 18 March; the room agreement goes on.",
        }
    ],
    "followUp": {
        "permitted": "text-only",
        "said": "2027-03-18",
        "window": {"start": "2027-09-01", "end": "2027-09-30"},
        "by": "marcus-bell",
    },
}
