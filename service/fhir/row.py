"""One version of a resource as it is kept: what every story gathers and remembers."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One version of a resource. `body` is None exactly when `deleted`."""

    type: str
    id: str
    version: int
    updated: datetime
    deleted: bool
    author: str
    patient: str | None
    body: bytes | None

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type}/{self.id}"
