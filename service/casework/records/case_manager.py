"""The case manager: qualified, checked, supervised, employed by one agency (#2, #3, #4, #32, #62)."""

from typing import Any, Final, Literal

from pydantic import Field

from service.casework.records.words import (
    AgencyId,
    CaseManagerId,
    Contact,
    LanguageCode,
    OtherIdentifier,
    PartialDay,
    PersonName,
    RecordId,
    Several,
    Slug,
    Text,
    When,
    Written,
    ordered,
)


class Qualification(Written):
    """A degree, licence, training or years of experience (#2, #4)."""

    text: Text
    code: Slug | None = None
    """`bachelor-equivalent`, `two-years-in-service`, `team-coordination`, `public-assistance`, …"""
    issuer: Text | None = None
    start: When | None = None
    end: When | None = None
    _order = ordered("start", "end")


class BackgroundCheck(Written):
    """The criminal background check asked for before working with minors, elderly or disabled people (#3)."""

    status: Literal["cleared", "pending", "not-cleared", "expired"]
    checked: PartialDay | None = None
    expires: PartialDay | None = None
    populations: Several[Literal["minors", "developmentally-disabled", "elderly"]] = ()
    """Whom the worker is cleared to serve; empty: not said."""


class CaseManager(Written):
    """Someone who manages cases, or supervises or consults those who do."""

    id: RecordId
    active: bool = True
    name: PersonName
    agency: AgencyId | None = None
    """The employer; the case-management system's own organisation when left out."""
    roles: Several[Slug] = Field(("case-manager",))
    """`case-manager`, `supervisor`, `psychiatrist`, `care-coordinator`, `peer-supporter`, …"""
    supervisor: CaseManagerId | None = None
    qualifications: Several[Qualification] = ()
    background_check: BackgroundCheck | None = None
    identifiers: Several[OtherIdentifier] = ()
    languages: Several[LanguageCode] = ()
    contacts: Several[Contact] = ()
    started: When | None = None
    ended: When | None = None
    _order = ordered("started", "ended")


EXAMPLE: Final[dict[str, Any]] = {
    "id": "victoria-chen",
    "name": {"family": "Chen", "given": ["Victoria"]},
    "agency": "harbor",
    "roles": ["case-manager"],
    "supervisor": "samuel-okafor",
    "qualifications": [
        {"text": "Bachelor of Social Work", "code": "bachelor-equivalent", "issuer": "State College"}
    ],
    "backgroundCheck": {"status": "cleared", "checked": "2025-08-14", "populations": ["minors"]},
    "languages": ["en", "es"],
    "contacts": [
        {"kind": "phone", "value": "+1-555-0110", "use": "work"},
        {"kind": "email", "value": "victoria.chen@harbor.example", "use": "work"},
    ],
    "started": "2021-05-03",
}
