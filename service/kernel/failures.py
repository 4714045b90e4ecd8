"""The few ways things fail. Each class is one kind of answer; the doors turn them into statuses in one table.

Failure
├── Refused      the caller asked for something that may not or cannot be done (4xx, with issues)
└── Unavailable  we cannot do it now; the same request may succeed later (503)
"""

from collections.abc import Sequence
from typing import Literal

Reason = Literal[
    "malformed", "invalid", "unsupported", "unauthenticated", "forbidden", "absent", "gone",
    "conflict", "stale", "ambiguous", "unprocessable", "too-large", "media-type", "throttled", "method",
    "not-acceptable", "slow",
]  # fmt: skip


class Failure(Exception):
    """The root: everything the doors know how to answer."""


class Refused(Failure):
    """`reason` picks the status; `issues` (fhir.outcome.Issue, kept loose so the kernel knows no FHIR) say why.

    The text of a refusal names no stack, table, other client or other partner.
    """

    def __init__(self, reason: Reason, text: str, issues: Sequence[object] = (), **facts: str) -> None:
        super().__init__(text)
        self.reason: Reason = reason
        self.text = text
        self.issues = tuple(issues)
        self.facts = facts


class Unavailable(Failure):
    """The database is away, the disk is full, a limit is reached: try again later (`retry_after` seconds)."""

    def __init__(self, text: str, retry_after: int = 5) -> None:
        super().__init__(text)
        self.text = text
        self.retry_after = retry_after
