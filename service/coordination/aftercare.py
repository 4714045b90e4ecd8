"""May the client be contacted once the case is closed, and how (004 CA-CM 6.05, CASEWORK.md #60)? Pure.

Only with permission on record, by the means permitted, and never where contact is prohibited: at risk of violence,
after an involuntary exit, or because the client said so.
"""

from dataclasses import dataclass
from typing import Literal

Permitted = Literal["allowed", "text-only", "through-case-manager", "prohibited"]


@dataclass(frozen=True, slots=True)
class Permission:
    """What is on record. `by`: the case manager through whom, as a record's id; empty where it is not said."""

    permitted: Permitted
    by: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact with the client that is planned. `text`: by text message; `workers`: records' ids of who makes it."""

    text: bool
    workers: frozenset[str] = frozenset()


def objection(permission: Permission | None, contact: Contact) -> str:
    """Why this contact may not be planned after closing; empty where it may."""
    if permission is None:
        return "the case is closed, and no permission to contact the client afterwards is on record"
    match permission.permitted:
        case "prohibited":
            return "the case is closed, and the client is not to be contacted"
        case "text-only" if not contact.text:
            return "the case is closed, and the client may be contacted by text message only"
        case "through-case-manager" if not contact.workers or permission.by not in contact.workers | {""}:
            return "the case is closed, and the client is contacted through their case manager only"
        case _:
            return ""
