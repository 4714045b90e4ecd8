"""The referral: who, what, when, where and why (#41), and the answer a case manager gives to one received."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from service.casework.records.words import (
    AgencyId,
    CarePlanId,
    CaseManagerId,
    ClientId,
    Coding,
    Concept,
    ConsentId,
    Moment,
    Note,
    PartialDay,
    RecordId,
    Several,
    Slug,
    Span,
    Text,
    When,
    Written,
    speaks,
)

Status = Literal[
    "draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold",
    "failed", "completed", "entered-in-error",
]  # fmt: skip
ReceivedId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
"""The id under which a referral came in: we gave it, so it is a FHIR id."""
Urgency = Literal["routine", "urgent", "asap", "stat"]


class Need(Written):
    """Why: the need behind the request."""

    category: Slug | None = None
    """An SDOH category such as `housing-instability`; the service's own when left out."""
    codings: Several[Coding] = ()
    """Codes of the need or problem, such as ICD-10-CM Z59.00."""

    _says = speaks("category", "codings")


class Outcome(Written):
    """What came of it (#19 evidence of linkage); a plain text will do."""

    text: Text | None = None
    services: Several[Concept] = ()
    """What was delivered."""
    enrolment: Literal["enrolled", "not-enrolled", "not-enrolled-on-waitlist"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _in_words(cls, value: object) -> object:
        return {"text": value} if isinstance(value, str) else value

    _says = speaks("text", "services", "enrolment")


class StatusChange(Written):
    """One step the referral took."""

    status: Status
    at: Moment
    by: Text | None = None
    reason: Text | None = None


class Referral(Written):
    """A request that another agency, or a partner that we, do something for a client."""

    id: RecordId
    client: ClientId
    """For whom (#41)."""
    recipient: AgencyId | None = None
    """Who is asked; left out, the referral is open and may be claimed."""
    offered_to: Several[AgencyId] = ()
    """Who may claim an open referral: the first agency that does has it."""
    forwards: ReceivedId | None = None
    """The id of a referral that came in and that this one passes on: what becomes of this one becomes of that."""
    recipient_service: RecordId | None = None
    """The id of one of the recipient's services."""
    requester: CaseManagerId | None = None
    """The case manager who asks; when left out, the agency asks."""
    requesting_agency: AgencyId | None = None
    """Who asks; the case-management system's own organisation when left out."""
    asked_by: Text | None = None
    """Read-only: who asks, as a partner calls itself."""
    service: Slug | Concept
    """What (#41): a code of our service list (`transitional-housing`), or words and codes of your own."""
    details: Several[Text] = ()
    """What exactly: `two rooms`, `step-free`."""
    requested: When
    """When asked (#41)."""
    period: Span | None = None
    """When it should happen."""
    timing: Text | None = None
    """When, in words: `Tuesday and Thursday evenings`."""
    where: Text | None = None
    """Where (#20, #41)."""
    need: Need | None = None
    reason: Text | None = None
    """Why, in a sentence (#41)."""
    goal: Text | None = None
    """The care-plan goal it serves, in the client's words (#1)."""
    goal_id: RecordId | None = None
    """The id of that goal within the care plan."""
    care_plan: CarePlanId | None = None
    """(#37: a referral belongs to a plan)"""
    urgency: Urgency = "routine"
    """(#14)"""
    preferences: Text | None = None
    """What the client would like, in words the client can read (#16)."""
    contact: Literal["through-case-manager", "prohibited"] | None = None
    """When the recipient may not contact the client directly; protects people at risk (#60)."""
    constraints: Several[Text] = ()
    """What the recipient must heed: `ground floor only`, `not near Mill Street`."""
    consents: Several[ConsentId] = ()
    """The consents on which it may leave (#61)."""
    answer_by: PartialDay | None = None
    notes: Several[Note] = ()
    status: Status = "requested"
    """Read-only once sent, except `draft`; answer an inbound referral with an answer object."""
    status_reason: Text | None = None
    outcome: Outcome | None = None
    direction: Literal["outbound", "inbound"] = "outbound"
    """Read-only: `inbound` when a partner asks us."""
    history: Several[StatusChange] = ()
    """Read-only."""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.goal_id and not self.care_plan:
            raise ValueError("goalId needs the carePlan it belongs to")
        if self.recipient_service and not self.recipient:
            raise ValueError("recipientService needs the recipient whose service it is")
        if self.recipient and self.offered_to:
            raise ValueError("a referral has a recipient, or is offered to several; not both")
        return self


class Waiting(Written):
    """A place on the waiting list."""

    position: Annotated[int, Field(ge=1, le=9999)] | None = None
    estimate: Text | None = None
    """How long it may take: `about six weeks`."""

    _says = speaks("position", "estimate")


class ReferralAnswer(Written):
    """What a case manager answers to a referral received, or to withdraw one sent."""

    status: Literal["accepted", "rejected", "in-progress", "on-hold", "completed", "cancelled", "failed"]
    reason: Text | None = None
    """Needed for `rejected`, `cancelled`, `on-hold` and `failed`."""
    note: Text | None = None
    outcome: Outcome | None = None
    case_manager: CaseManagerId | None = None
    """Who answers."""
    waiting: Waiting | None = None
    """With `on-hold`: the client is on the waiting list; a referral not accepted yet is, first."""
    cancellation: Literal["refused"] | None = None
    """With a reason and the status there is: who asked to cancel it is refused, and the work goes on."""

    @model_validator(mode="after")
    def _gives_a_reason(self) -> Self:
        if self.status in ("rejected", "cancelled", "on-hold", "failed") and not self.reason:
            raise ValueError(f"{self.status} needs a reason")
        if self.waiting and self.status != "on-hold":
            raise ValueError("waiting goes with the status on-hold")
        if self.cancellation and not self.reason:
            raise ValueError("a refused cancellation needs a reason")
        return self

    @property
    def enrolment(self) -> str | None:
        """What it says of the client's enrolment in the programme."""
        said = self.outcome.enrolment if self.outcome else None
        return said or ("not-enrolled-on-waitlist" if self.waiting else None)


EXAMPLE: Final[dict[str, Any]] = {
    "id": "leslie-housing-1",
    "client": "leslie-moreno",
    "recipient": "northside",
    "recipientService": "rooms",
    "requester": "victoria-chen",
    "service": "transitional-housing",
    "details": ["a room for an adult with two children"],
    "requested": "2026-03-09T16:30:00-05:00",
    "period": {"start": "2026-03-11"},
    "where": "Harborview, near the children's school",
    "need": {"category": "housing-instability"},
    "reason": "Leslie and her two children lose their place on 31 March.",
    "goal": "A door of our own that locks",
    "urgency": "urgent",
    "preferences": "Stay in the same school district",
    "contact": "through-case-manager",
    "consents": ["leslie-consent-2026"],
    "answerBy": "2026-03-13",
}
ANSWER_EXAMPLE: Final[dict[str, Any]] = {"status": "rejected", "reason": "No room for a family before May."}
