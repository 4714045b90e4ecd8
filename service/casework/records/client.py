"""The client: who the case is about, how to reach them, who stands by them, and the episode of care."""

from typing import Any, Final, Literal, Self

from pydantic import model_validator

from service.casework.records.words import (
    Address,
    AgencyId,
    CaseManagerId,
    Contact,
    ExactWhen,
    Language,
    OtherIdentifier,
    PartialDay,
    PersonName,
    RecordId,
    Several,
    Slug,
    Text,
    When,
    Written,
    distinct,
    ordered,
)

FollowUp = Literal["allowed", "text-only", "through-case-manager", "prohibited"]


class Support(Written):
    """Someone who stands by the client: family, friend, sponsor, guardian (#9, #48 natural supports)."""

    id: RecordId
    """Your own id of this person, unique within the client."""
    name: PersonName | None = None
    relationship: Slug
    """`mother`, `child`, `friend`, `sponsor`, `guardian`, `emergency-contact`, …; mapped by a ConceptMap."""
    relationship_text: Text | None = None
    birth_date: PartialDay | None = None
    contacts: Several[Contact] = ()
    addresses: Several[Address] = ()
    active: bool = True


class StandIn(Written):
    """Somebody stands in for the primary case manager during a leave; the lead returns by itself."""

    case_manager: CaseManagerId
    start: ExactWhen
    end: ExactWhen
    _order = ordered("start", "end")


class Episode(Written):
    """The span in which the agency manages this case, from intake to closing (#38, #45 waiting list)."""

    status: Literal["planned", "waitlist", "active", "onhold", "finished", "cancelled"] = "active"
    start: When | None = None
    end: When | None = None
    agency: AgencyId | None = None
    """The managing agency; the case-management system's own organisation when left out."""
    primary_case_manager: CaseManagerId | None = None
    """The one who leads (#22, #39); exactly one at a time."""
    team: Several[CaseManagerId] = ()
    covers: Several[StandIn] = ()
    """Who stands in, and when. Read back as it is, however it was said; one more, or one fewer, asks for that."""
    intensity: Slug | None = None
    """The tier that sets the timers: `intensive`, `general` (#21)."""
    _order = ordered("start", "end")

    @model_validator(mode="after")
    def _somebody_leads(self) -> Self:
        if self.status == "active" and not self.primary_case_manager:
            raise ValueError("an active episode has its primaryCaseManager")
        return self


class Client(Written):
    """A person whose case is managed."""

    id: RecordId
    active: bool = True
    name: PersonName
    other_names: Several[PersonName] = ()
    birth_date: PartialDay | None = None
    """As exact as is known; left out when unknown."""
    deceased: bool | PartialDay | None = None
    gender: Literal["male", "female", "other", "unknown"] = "unknown"
    """Administrative gender."""
    identifiers: Several[OtherIdentifier] = ()
    languages: Several[Language] = ()
    """(#47)"""
    interpreter_needed: bool | None = None
    contacts: Several[Contact] = ()
    contact_note: Text | None = None
    """How to reach the client safely: `text only`, `never on weekday mornings` (#60)."""
    addresses: Several[Address] = ()
    supports: Several[Support] = ()
    """(#9, #48)"""
    populations: Several[Slug] = ()
    """`minor`, `developmental-disability`, `elderly`: asks for a background check of workers (#3)."""
    follow_up: FollowUp | None = None
    """Whether the client may be contacted after closing, and how (#60)."""
    episode: Episode | None = None

    _apart = distinct(supports="id")

    @model_validator(mode="after")
    def _each_population_once(self) -> Self:
        if len(set(self.populations)) != len(self.populations):
            raise ValueError("populations: the same one occurs twice")
        return self


EXAMPLE: Final[dict[str, Any]] = {
    "id": "leslie-moreno",
    "name": {"family": "Moreno", "given": ["Leslie"], "use": "official"},
    "birthDate": "1991-11-23",
    "gender": "female",
    "languages": [{"code": "en", "preferred": True}, {"code": "es"}],
    "contacts": [{"kind": "text", "value": "+1-555-0142", "use": "mobile", "rank": 1}],
    "addresses": [
        {"lines": ["14 Mill Lane"], "city": "Harborview", "state": "OH", "postalCode": "43215", "use": "temp"}
    ],
    "supports": [
        {
            "id": "rosa",
            "name": {"family": "Moreno", "given": ["Rosa"]},
            "relationship": "mother",
            "contacts": [{"kind": "phone", "value": "+1-555-0177"}],
        },
    ],
    "episode": {
        "status": "active",
        "start": "2026-03-02",
        "primaryCaseManager": "victoria-chen",
        "intensity": "intensive",
    },
}
