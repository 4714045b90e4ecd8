"""A service a client received or did not, outside our own contacts; closes a referral (#19, #26, #43)."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from service.casework.records.words import (
    AgencyId,
    ClientId,
    Concept,
    RecordId,
    ReferralId,
    Slug,
    Span,
    Text,
    Written,
)


class ServiceOutcome(Written):
    """What was delivered by whom, or why it was not."""

    id: RecordId
    client: ClientId
    service: Slug | Concept
    status: Literal["completed", "in-progress", "not-done", "stopped", "entered-in-error"] = "completed"
    reason: Slug | None = None
    """Why it was not done or stopped: `no-capacity`, `client-declined`, `moved`, …"""
    referral: ReferralId | None = None
    agency: AgencyId | None = None
    """Who delivered it: duplicates are found by it (#26)."""
    period: Span | None = None
    sessions: Annotated[int, Field(ge=1, le=999)] | None = None
    """How many days or sessions, as GPRA section K counts them (#24)."""
    outcome: Text | None = None
    evidence: Text | None = None
    """What shows the linkage (#19)."""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.reason and self.status not in ("not-done", "stopped"):
            raise ValueError("reason says why a service was not done or stopped")
        return self


EXAMPLE: Final[dict[str, Any]] = {
    "id": "leslie-room-12",
    "client": "leslie-moreno",
    "service": "transitional-housing",
    "referral": "leslie-housing-1",
    "agency": "northside",
    "period": {"start": "2026-03-20"},
    "status": "in-progress",
    "outcome": "Room 12 for a family",
    "evidence": "Room agreement seen, 20 March",
}
