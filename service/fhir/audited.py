"""One row of the audit trail: who did what to whose data, when, on which ground, and whether it was allowed.

Pseudonymous on purpose: ids and codes, no names and no clinical words, so that what is sealed for ever never has to
be erased. What somebody searched for (`query`) may hold anything; it is kept beside the row and can be shredded, the
row holds only its keyed digest.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import orjson

Kind = Literal["access", "token", "consent", "disclosure", "administration"]
Outcome = Literal["0", "4", "8"]
"""audit-event-outcome: success, minor failure (refused), serious failure (we could not)."""

DISCLOSED = ("consent", "emergency", "audit-evaluation", "qsoa", "court-order", "research", "tpo")
"""Grounds on which somebody else learns something about a client: what the accounting of disclosures lists."""


@dataclass(frozen=True, slots=True)
class Audited:
    """`action` is a FHIR interaction, an operation (`$disclosures`) or a word of ours (`token-issued`).

    `client` is the partner's client_id, `operator:NAME` for a command line, empty for the service itself.
    `resource` is the one thing acted on (`Type/id`), `about` everything findable: that, and the clients concerned.
    `rule` says why not (a refusal, a consent's denial), `consents` on whose word.
    """

    id: str
    at: datetime
    kind: Kind
    action: str
    outcome: Outcome
    client: str = ""
    organization: str = ""
    address: str = ""
    request: str = ""
    token: str = ""
    resource: str = ""
    version: int = 0
    about: tuple[str, ...] = ()
    purpose: str = ""
    basis: str = ""
    rule: str = ""
    consents: tuple[str, ...] = ()
    detail: str = ""
    query_mac: str = ""

    @property
    def patients(self) -> tuple[str, ...]:
        """The clients concerned, as references."""
        return tuple(each for each in self.about if each.startswith("Patient/"))


FIELDS = tuple(Audited.__dataclass_fields__)


def record_of(row: Audited) -> bytes:
    """The canonical record that is hashed: a JSON array of all fields but `id`, which the link binds, in their order.

    The instant in microseconds, UTC: as the database keeps it.
    """
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    return orjson.dumps([at, *(getattr(row, name) for name in FIELDS[2:])])


def outcome_of(status: int) -> Outcome:
    """An HTTP status as an audit outcome."""
    return "0" if status < 400 else "4" if status < 500 else "8"
