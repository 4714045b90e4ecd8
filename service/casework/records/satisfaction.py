"""What a client says of a service they were linked to (#27, #53 T2, #63)."""

from typing import Any, Final, Literal

from service.casework.records.words import (
    CaseManagerId,
    ClientId,
    EncounterId,
    ExactWhen,
    LanguageCode,
    RecordId,
    ReferralId,
    Text,
    Written,
    speaks,
)

Agreement = Literal[
    "strongly-agree", "agree", "neither", "disagree", "strongly-disagree", "refused", "unknown", "not-asked",
    "not-applicable",
]  # fmt: skip


class Satisfaction(Written):
    """One client's answers about one service, asked within fifteen working days of its start (T2)."""

    id: RecordId
    client: ClientId
    referral: ReferralId | None = None
    """The service it is about."""
    asked: ExactWhen
    by: CaseManagerId | None = None
    """Who recorded the answers; the agency when left out."""
    answered_by: Literal["client", "support", "proxy"] = "client"
    encounter: EncounterId | None = None
    language: LanguageCode | None = None
    status: Literal["completed", "amended", "entered-in-error"] = "completed"
    started_as_told: bool | None = None
    """Did the service start when the client was told it would?"""
    appropriate: Agreement | None = None
    """The service is the one I needed."""
    respect: Agreement | None = None
    """I was treated with respect."""
    own_language: Agreement | None = None
    """I could use the language I speak best."""
    again: Agreement | None = None
    """I would go there again."""
    better: Text | None = None
    """What should be better, in the client's words."""
    share: bool | None = None
    """May the agency be told what the client said (#27)?"""

    _says = speaks("started_as_told", "appropriate", "respect", "own_language", "again", "better", "share")


EXAMPLE: Final[dict[str, Any]] = {
    "id": "leslie-room-satisfaction",
    "client": "leslie-moreno",
    "referral": "leslie-housing-1",
    "asked": "2026-03-30",
    "by": "victoria-chen",
    "startedAsTold": True,
    "appropriate": "agree",
    "respect": "strongly-agree",
    "again": "refused",
    "better": "The last bus leaves at six.",
    "share": True,
}
