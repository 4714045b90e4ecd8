"""The client's written consent with every element of 42 CFR 2.31(a) (#40, #61).

A permission says who may receive what, for which purposes. One signed consent may hold several permissions:
the clinic receives treatment information, the housing partnership only what housing needs.
"""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from service.casework.records.words import (
    AgencyId,
    CaseManagerId,
    ClientId,
    LanguageCode,
    Moment,
    RecordId,
    Several,
    Slug,
    Span,
    Text,
    When,
    Written,
    one_of,
    ordered,
    speaks,
)

Purpose = Literal[
    "treatment", "payment", "health-care-operations", "coordination-of-care", "case-management",
    "patient-request", "family-request", "health-program-reporting", "outcome-measures", "support-network",
    "public-health", "research", "legal-proceedings",
]  # fmt: skip
RecipientClass = Literal[
    "treating-providers", "health-plans", "third-party-payers", "program-operators", "care-team",
    "intermediary-participants",
]  # fmt: skip


class Recipient(Written):
    """Who may receive: a named agency or case manager, or a class of them (§2.31(a)(4))."""

    agency: AgencyId | None = None
    case_manager: CaseManagerId | None = None
    group: RecipientClass | None = None
    """`treating-providers`, `health-plans`, … as §2.31(a)(4)(i) allows."""

    _says = one_of("agency", "case_manager", "group")


class Permission(Written):
    """Who may receive what, for what."""

    recipients: Several[Recipient] = Field(min_length=1)
    """§2.31(a)(4)"""
    information: Several[Slug] = Field(min_length=1)
    """§2.31(a)(3): `everything`, or kinds such as `housing-need`, `substance-use`, `mental-health`.

    `counseling-notes` needs a consent of its own (§2.31(b))."""
    except_information: Several[Slug] = ()
    """Categories withheld even so: `substance-use`."""
    purposes: Several[Purpose] = Field(min_length=1)
    """§2.31(a)(5); a permission without a purpose is not a consent."""
    data_period: Span | None = None
    """Only information from this time."""
    intermediary: bool = False
    """The first recipient is an intermediary in the sense of §2.11 (§2.31(a)(4)(ii))."""


class Signature(Written):
    """Who signed and when (§2.31(a)(8)–(9)); electronic signatures count."""

    by: Literal["client", "parent", "guardian", "personal-representative"] = "client"
    name: Text
    at: When
    authority: Text | None = None
    """Why this person may sign for the client; needed unless the client signs."""


Statement = Literal[
    "right-to-revoke", "redisclosure", "tpo-redisclosure", "consequence-of-refusal", "fundraising-opt-out",
    "intermediary-list",
]  # fmt: skip
"""What the form told the client before signing: §2.31(a)(4)(iii), (5), (6), (10); 2.24."""


class Document(Written):
    """The signed form: its words, or where it is kept."""

    title: Text | None = None
    text: Text | None = None
    url: Annotated[str, Field(pattern=r"^https?://\S+$", max_length=2000)] | None = None
    language: LanguageCode | None = None

    _says = speaks("title", "text", "url")


class Revocation(Written):
    """The client took the consent back; what already left is not undone (§2.31(a)(6))."""

    at: Moment
    by: Text | None = None
    how: Literal["written", "oral", "electronic"] | None = None
    reason: Text | None = None


class ConsentRecord(Written):
    """A consent as signed."""

    id: RecordId
    client: ClientId
    """§2.31(a)(1)"""
    status: Literal["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"] = "active"
    """`inactive` once expired or revoked."""
    discloser: AgencyId | None = None
    """§2.31(a)(2): who may disclose; the case-management system's own organisation when left out."""
    permissions: Several[Permission] = Field(min_length=1)
    valid_from: When | None = None
    """From the signature when left out."""
    expires: When | None = None
    """§2.31(a)(7): the last day or moment."""
    expires_on: Text | None = None
    """§2.31(a)(7): an event or condition: `end of the treatment`, `none`."""
    signature: Signature | None = None
    """Needed before the consent is acted on."""
    statements: Several[Statement] = ()
    """`right-to-revoke` and `redisclosure` are needed before the consent is acted on."""
    explained: When | None = None
    """When what is to be released, and why, was explained in person (#40)."""
    document: Document | None = None
    revoked: Revocation | None = None

    _order = ordered("valid_from", "expires")

    @model_validator(mode="after")
    def _active_is_whole(self) -> Self:
        """§2.31(c): nobody may act on a deficient consent, so there is no active one."""
        if self.status == "active":
            lacking = [name for name, said in self._elements() if not said]
            if lacking:
                raise ValueError(f"an active consent needs {', '.join(lacking)}; until then it is proposed")
        return self

    def _elements(self) -> tuple[tuple[str, bool], ...]:
        purposes = {purpose for permission in self.permissions for purpose in permission.purposes}
        apart = "legal-proceedings" not in purposes or len(purposes) == 1
        return (
            ("signature", self.signature is not None),
            ("expires or expiresOn", bool(self.expires or self.expires_on)),
            ("the statement right-to-revoke", "right-to-revoke" in self.statements),
            ("the statement redisclosure", "redisclosure" in self.statements),
            ("legal-proceedings in a consent of its own (§2.31(d))", apart),
        )

    @model_validator(mode="after")
    def _revoked_is_inactive(self) -> Self:
        if self.revoked and self.status not in ("inactive", "entered-in-error"):
            raise ValueError("a revoked consent has the status inactive")
        return self


EXAMPLE: Final[dict[str, Any]] = {
    "id": "leslie-consent-2026",
    "client": "leslie-moreno",
    "discloser": "harbor",
    "permissions": [
        {
            "recipients": [{"agency": "northside"}],
            "information": ["housing-need", "contact-details"],
            "exceptInformation": ["substance-use"],
            "purposes": ["coordination-of-care"],
        },
        {"recipients": [{"agency": "riverbend"}], "information": ["everything"], "purposes": ["treatment"]},
    ],
    "expires": "2027-03-05",
    "signature": {"by": "client", "name": "Leslie Moreno", "at": "2026-03-05T14:20:00-05:00"},
    "statements": ["right-to-revoke", "redisclosure", "consequence-of-refusal"],
    "explained": "2026-03-05",
    "document": {
        "title": "Consent to release information",
        "text": "I, Leslie Moreno, permit Harbor Recovery Services to disclose …",
    },
}
