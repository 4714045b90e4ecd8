"""The one place that asks what time it is, so that tests and the demo can say.

All instants are timezone-aware UTC `datetime`s; FHIR text form has millisecond precision and a `Z`.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The wall clock in UTC, cut to milliseconds: what we write is what we compare."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def instant(moment: datetime) -> str:
    """A FHIR `instant`: `2026-03-02T09:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
