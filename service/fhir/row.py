"""One version of a resource as it is kept: what every story gathers and remembers."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One version of a resource. `body` is None exactly when `deleted`; `rewritten` when somebody else than its
    author made this version or one before it."""

    type: str
    id: str
    version: int
    updated: datetime
    deleted: bool
    author: str
    patient: str | None
    body: bytes | None
    rewritten: bool = False

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type}/{self.id}"
