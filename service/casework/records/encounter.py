"""The encounter: which of the seven activities, how, where, how long, who, what was done, evidence, next
steps (#6, #7, #19, #20, #29, #31, #34)."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from service.casework.records.words import (
    CarePlanId,
    CaseManagerId,
    ClientId,
    Concept,
    Moment,
    RecordId,
    ReferralId,
    Several,
    Slug,
    Text,
    Written,
)

Minutes = Annotated[int, Field(ge=1, le=1440)]


class Done(Written):
    """A service given or attempted in this contact."""

    id: RecordId
    """Your own id of it, unique within the encounter."""
    service: Slug | Concept
    status: Literal["completed", "not-done", "in-progress"] = "completed"
    reason: Slug | None = None
    """Why it was not done: `missed`, `client-declined`, `no-transport`, …"""
    referral: ReferralId | None = None
    outcome: Text | None = None
    evidence: Text | None = None
    """What shows the linkage (#19): `lease seen`, `appointment card`."""


class Encounter(Written):
    """One contact with, or for, one client. A group session is one encounter for each client."""

    id: RecordId
    client: ClientId
    status: Literal["planned", "in-progress", "finished", "cancelled", "entered-in-error"] = "finished"
    """`cancelled` is also a contact the client missed."""
    missed: Slug | None = None
    """Why it did not take place: `missed`, `client-declined`, `no-transport`, …"""
    activities: Several[Slug] = Field(("linkage",), min_length=1)
    """Of the seven (#34): `linkage`, `monitoring`, `referral`, `planning`, `advocacy`, `crisis`,
    `supportive`."""
    billing: Slug | None = None
    """The kind of contact for billing: `case-management-15`, `targeted-15`, `outreach`, `crisis-15`, …"""
    mode: Slug = "office"
    """`office`, `home`, `community`, `phone`, `video`, `text`, `hospital`, `jail`, `group`."""
    direct: bool | None = None
    """Whether the client took part (#31: direct contacts are counted)."""
    start: Moment | None = None
    end: Moment | None = None
    minutes: Minutes | None = None
    place: Text | None = None
    """(#20)"""
    workers: Several[CaseManagerId] = ()
    supports: Several[RecordId] = ()
    """Ids of the client's supports who took part."""
    others: Several[Text] = ()
    """Anyone else: `interpreter`, `probation officer`."""
    reason: Text | None = None
    referrals: Several[ReferralId] = ()
    care_plan: CarePlanId | None = None
    summary: Text | None = None
    """What was done and said."""
    done: Several[Done] = ()
    next_steps: Text | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError("the contact ends before it starts")
        if self.missed and self.status != "cancelled":
            raise ValueError("missed says why a cancelled contact did not take place")
        if len({part.id for part in self.done}) != len(self.done):
            raise ValueError("an id occurs twice among what was done")
        return self


EXAMPLE: Final[dict[str, Any]] = {
    "id": "leslie-home-visit-1",
    "client": "leslie-moreno",
    "activities": ["planning", "linkage"],
    "billing": "case-management-15",
    "mode": "home",
    "direct": True,
    "start": "2026-03-04T10:00:00-05:00",
    "end": "2026-03-04T11:15:00-05:00",
    "place": "At her sister's flat, 14 Mill Lane",
    "workers": ["victoria-chen"],
    "supports": ["rosa"],
    "reason": "Intake",
    "summary": "Went through PRAPARE and AUDIT-C; Rosa will take the children on Wednesdays.",
    "nextSteps": "Victoria calls Northside; Leslie brings the lease notice on Monday.",
}
