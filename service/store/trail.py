"""What one request (or command, or piece of work) leaves behind for the audit: who it is, and what it was shown.

The trail of the moment is a context variable, so that no story can forget it: every Unit writes a row for each
version it commits, in the same statement, whoever opened it; the doors write the row of what was only looked at.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

from service.fhir.audited import Audited
from service.fhir.row import Row
from service.kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class Ground:
    """Why a row was shown (`basis`, `consent`) or withheld (`rule`), for which purpose."""

    purpose: str = ""
    basis: str = ""
    consent: str = ""
    rule: str = ""
    patient: str = ""


@dataclass(slots=True)
class Trail:
    """Filled while a request runs. `resource` and `version`: what was asked for by name."""

    action: str = ""
    client: str = ""
    organization: str = ""
    custodian: bool = False
    address: str = ""
    request: str = ""
    token: str = ""
    resource: str = ""
    version: int = 0
    query: str = ""
    detail: str = ""
    shown: list[Row] = field(default_factory=list)
    grounds: dict[str, Ground] = field(default_factory=dict)
    withheld: dict[str, Ground] = field(default_factory=dict)
    refusals: list[tuple[str, str, str]] = field(default_factory=list)
    written: bool = False

    def show(self, rows: Iterable[Row]) -> None:
        """These rows are in the answer."""
        self.shown.extend(rows)

    def permitted(self, row: Row, ground: Ground) -> None:
        """Consent was asked about a row and said yes."""
        self.grounds[row.reference] = ground

    def denied(self, row: Row, ground: Ground) -> None:
        """Consent was asked about a row and said no."""
        self.withheld[row.reference] = ground

    def row(self, at: datetime, action: str, resource: str, version: int, patient: str | None) -> Audited:
        """A version that this trail writes."""
        about = (resource,) if patient in (None, resource) else (resource, patient)
        return Audited(
            new_id(), at, "access", action, "0", self.client, self.organization, self.address, self.request,
            self.token, resource, version, about,
        )  # fmt: skip


_NOW: ContextVar[Trail | None] = ContextVar("trail", default=None)


def current() -> Trail:
    """The trail of the moment; the service's own, used once, where nobody began one."""
    return _NOW.get() or Trail()


def begin(trail: Trail) -> Trail:
    """From here on, in this task and those it starts, `current()` is this trail."""
    _NOW.set(trail)
    return trail
