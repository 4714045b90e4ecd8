"""The assessment: instrument, answers, scores, needs found, where, and who took part (#20, #46–#49)."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from service.casework.records.answers import Answer
from service.casework.records.words import (
    CaseManagerId,
    ClientId,
    Coding,
    EncounterId,
    ExactWhen,
    LanguageCode,
    RecordId,
    ReferralId,
    Several,
    Slug,
    Text,
    When,
    Written,
    distinct,
    one_of,
    speaks,
)


class Score(Written):
    """A score of the instrument; computed from the answers when left out and every item was answered."""

    name: Slug
    """`audit-c`, `phq-9`, `gad-7`, …: the score's code in the instrument."""
    value: int = Field(ge=-1000, le=1000)
    meaning: Text | None = None
    """How it is read: `moderate`."""


class FoundNeed(Written):
    """A need the assessment found: it becomes a health concern, and may become a goal."""

    id: RecordId
    """Your own id of the need, unique within the assessment."""
    category: Slug | None = None
    """An SDOH category: `housing-instability`."""
    area: Slug | None = None
    """A service area: `housing`, `crisis`, `substance-use`."""
    text: Text | None = None
    """The need in words."""
    codings: Several[Coding] = ()
    status: Literal["active", "resolved", "inactive"] = "active"
    confirmed: bool = False
    """Confirmed with the client, not only found by screening."""
    since: When | None = None
    goal: Text | None = None
    """What the client wants instead, in the client's words: becomes a proposed goal for the plan (#8). Only for a
    need confirmed with the client."""
    _says = speaks("category", "text", "codings")

    @model_validator(mode="after")
    def _wanted_by_the_client(self) -> Self:
        if self.goal and not self.confirmed:
            raise ValueError("goal needs confirmed: a goal is the client's, not the screening's")
        return self


class TookPart(Written):
    """Someone who took part beside the client: a support of the client, a colleague, or a named person
    (#48)."""

    support: RecordId | None = None
    """The id of one of the client's supports."""
    case_manager: CaseManagerId | None = None
    name: Text | None = None
    """Anyone else: an interpreter."""
    _says = one_of("support", "case_manager", "name")


class Assessment(Written):
    """One instrument taken with one client at one time."""

    id: RecordId
    client: ClientId
    instrument: Slug
    """`prapare`, `ahc-hrsn`, `phq-2`, `phq-9`, `gad-7`, `audit-c`, `dast-10`, `client-self-report`,
    `plan-review`, `satisfaction`, or an instrument of your own."""
    version: Annotated[str, StringConstraints(pattern=r"^[^\s|]{1,40}$")] | None = None
    """The version of the instrument; the current one when left out."""
    status: Literal["in-progress", "completed", "amended", "stopped", "entered-in-error"] = "completed"
    taken: ExactWhen
    by: CaseManagerId | None = None
    """Who recorded the answers; the agency when left out."""
    answered_by: Literal["client", "support", "proxy"] = "client"
    encounter: EncounterId | None = None
    """The contact in which it was taken."""
    place: Text | None = None
    """Where, in words, if no encounter says it: the client chooses the place (#20)."""
    referral: ReferralId | None = None
    """The referral it is about: a satisfaction form (#63)."""
    took_part: Several[TookPart] = ()
    language: LanguageCode | None = None
    """The language it was taken in (#47)."""
    answers: Several[Answer] = ()
    scores: Several[Score] = ()
    needs: Several[FoundNeed] = ()

    _apart = distinct(answers="question", scores="name", needs="id")


EXAMPLE: Final[dict[str, Any]] = {
    "id": "leslie-audit-c-1",
    "client": "leslie-moreno",
    "instrument": "audit-c",
    "taken": "2026-03-04T10:30:00-05:00",
    "by": "victoria-chen",
    "encounter": "leslie-home-visit-1",
    "tookPart": [{"support": "rosa"}],
    "answers": [
        {"question": "audit-c.1", "choices": [{"system": "http://loinc.org", "code": "LA18928-4"}]},
        {"question": "audit-c.2", "choices": [{"system": "http://loinc.org", "code": "LA15695-2"}]},
        {"question": "audit-c.3", "missing": "refused"},
    ],
    "needs": [
        {
            "id": "alcohol",
            "area": "substance-use",
            "text": "Wants to drink less, and to be sober when the children are home",
            "confirmed": True,
            "goal": "Sober when the kids are home",
        }
    ],
}
