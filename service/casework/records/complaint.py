"""A complaint or problem with a service, and what was answered (#27 advocacy, #51 barriers, #53 T13)."""

from typing import Any, Final, Literal

from service.casework.records.words import (
    AgencyId,
    CaseManagerId,
    ClientId,
    Moment,
    RecordId,
    ReferralId,
    Several,
    Text,
    Written,
)


class Reply(Written):
    """What was answered or done."""

    text: Text
    at: Moment
    case_manager: CaseManagerId | None = None


class Complaint(Written):
    """What a client, or someone for the client, says is wrong."""

    id: RecordId
    client: ClientId
    received: Moment
    """The clock of the answer starts here (T13: at once)."""
    words: Text
    """In the client's words."""
    said_by: Literal["client", "support", "partner", "worker"] = "client"
    referral: ReferralId | None = None
    """The service it is about."""
    agency: AgencyId | None = None
    urgency: Literal["routine", "urgent", "asap", "stat"] = "stat"
    status: Literal["open", "answered", "withdrawn", "entered-in-error"] = "open"
    to: CaseManagerId | None = None
    """Who has to answer."""
    replies: Several[Reply] = ()


EXAMPLE: Final[dict[str, Any]] = {
    "id": "leslie-transport-1",
    "client": "leslie-moreno",
    "received": "2026-03-30T09:20:00-05:00",
    "words": "The room is fine. The last bus leaves at six and the group ends at eight.",
    "referral": "leslie-housing-1",
    "agency": "northside",
    "status": "answered",
    "to": "victoria-chen",
    "replies": [
        {
            "text": "A ride on Thursdays is asked for.",
            "at": "2026-03-30T11:45:00-05:00",
            "caseManager": "victoria-chen",
        }
    ],
}
