"""Something asked of a client: fill in a form, answer a question, get in touch with somebody, read something."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import StringConstraints, model_validator

from service.casework.records.words import (
    AgencyId,
    AssessmentId,
    CaseManagerId,
    ClientId,
    LanguageCode,
    PartialDay,
    RecordId,
    Several,
    Slug,
    Text,
    Uri,
    When,
    Written,
    one_of,
    speaks,
)

Link = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]{3,1000}$")]
"""The address of a page that the client can open."""


class Material(Written):
    """Something to read: a page elsewhere, or the words themselves."""

    title: Text
    link: Link | None = None
    text: Text | None = None
    language: LanguageCode | None = None

    _what = one_of("link", "text")


class Form(Written):
    """A form to fill in: a questionnaire, a page elsewhere, or a document to print."""

    instrument: Slug | None = None
    """A questionnaire of this service (`client-self-report`)."""
    questionnaire: Uri | None = None
    """A questionnaire kept elsewhere, by its canonical."""
    page: Link | None = None
    document: Material | None = None
    about: Literal["risk", "feedback", "application", "personal-characteristics", "other"] = "other"

    _which = one_of("instrument", "questionnaire", "page", "document")


class Choice(Written):
    """Somebody the client may get in touch with: an agency, one of its services, or a case manager."""

    agency: AgencyId | None = None
    service: RecordId | None = None
    """The id of one of the agency's services."""
    case_manager: CaseManagerId | None = None

    _who = one_of("agency", "case_manager")

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.service and not self.agency:
            raise ValueError("service needs the agency whose service it is")
        return self


class ClientAnswer(Written):
    """What came back."""

    words: Several[Text] = ()
    """The answer to a question, in the client's words."""
    chosen: Text | None = None
    """Whom the client chose to get in touch with."""
    assessment: AssessmentId | None = None
    """The form as it was filled in."""
    document: RecordId | None = None
    """The id of the DocumentReference of a printed form, filled in."""

    _says = speaks("words", "chosen", "assessment", "document")


class ClientTask(Written):
    """A request to the client. Without form, contacts and reading it is a question, answered in words."""

    id: RecordId
    client: ClientId
    support: RecordId | None = None
    """The id of one of the client's supports, who acts for the client."""
    words: Text
    """What is asked, in words the client understands."""
    asked: When
    by: CaseManagerId | None = None
    """Who asks; the agency when left out."""
    urgency: Literal["routine", "urgent"] = "routine"
    answer_by: PartialDay | None = None
    form: Form | None = None
    contacts: Several[Choice] = ()
    reading: Material | None = None
    status: Literal[
        "ready", "in-progress", "on-hold", "completed", "failed", "cancelled", "entered-in-error"
    ] = "ready"
    """The client's once it is asked. Say another than `ready` to cancel it, or to note what the client told you."""
    status_reason: Text | None = None
    """Needed for `on-hold`, `failed` and `cancelled`."""
    answer: ClientAnswer | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if (self.form is not None) + bool(self.contacts) + (self.reading is not None) > 1:
            raise ValueError("a task asks one thing: a form, a contact or some reading")
        if self.status in ("on-hold", "failed", "cancelled") and not self.status_reason:
            raise ValueError(f"{self.status} needs a statusReason")
        if self.answer is not None and set(_said(self.answer)) - set(self.answers):
            raise ValueError(
                f"answer: this task is answered by {' or '.join(self.answers) or 'its status alone'}"
            )
        return self

    @property
    def answers(self) -> tuple[str, ...]:
        """The members of an answer that this task may have (SDOH-Task-2, -5, -6, -7)."""
        if self.form is not None:
            return ("document",) if self.form.document else () if self.form.page else ("assessment",)
        return () if self.reading is not None else ("chosen",) if self.contacts else ("words",)


def _said(answer: ClientAnswer) -> list[str]:
    return [name for name in ClientAnswer.model_fields if getattr(answer, name) not in (None, ())]


EXAMPLE: Final[dict[str, Any]] = {
    "id": "leslie-before-review",
    "client": "leslie-moreno",
    "words": "A few questions before we look at the plan again.",
    "asked": "2026-05-26T09:00:00-06:00",
    "by": "victoria-chen",
    "answerBy": "2026-06-05",
    "form": {"instrument": "client-self-report", "about": "feedback"},
}
