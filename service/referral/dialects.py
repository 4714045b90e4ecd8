"""The rows: which status may follow which, made by whom, in each dialect partners speak.

A dialect is a tuple of `Row`; nothing else in the house knows a transition. Sources:
SDOHCC 3.0 state diagrams (Task for referral management, Task for patient), the BSeR/360X harmonised
transitions (34 rows, same numbers), Clinical Order Workflows 1.0.0-ballot (coordination Task and its abort
Task). `docs/decisions/referral-dialects.md` argues what the guides leave open.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Dialect = Literal["sdohcc", "bser", "cow", "cow-cancellation", "patient-task"]
Mover = Literal["requester", "target", "either"]
Action = Literal[
    "draft", "send", "receive", "accept", "reject", "start", "hold", "schedule", "no-show",
    "cancel-appointment", "note", "complete", "fail", "cancel", "request-cancellation",
    "withdraw-in-error", "update",
]  # fmt: skip
"""What a person would say they are doing: the word a case-management system uses instead of a status."""

ANY = "*"
"""As a business status in a row: whatever the partner wrote, or nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One legal move. `before=""` is the start; business status ANY is the mover's to choose."""

    action: Action
    by: Mover
    before: str
    after: str
    before_business: str = ANY
    after_business: str = ANY
    needs_reason: bool = False
    number: str = ""


_REASONED = frozenset({"rejected", "cancelled", "on-hold", "failed"})


def _rows(action: Action, by: Mover, before: str, after: str) -> tuple[Row, ...]:
    """One row for each status in `before` (space-separated); the target status says if a reason is due."""
    sources = before.split() or [""]
    return tuple(Row(action, by, source, after, needs_reason=after in _REASONED) for source in sources)


def _withdrawals(by: Mover, statuses: str) -> tuple[Row, ...]:
    return _rows("withdraw-in-error", by, statuses, "entered-in-error")


def _updates(by: Mover, statuses: str) -> tuple[Row, ...]:
    """The business status may change while the status stays: on a waiting list, appointment made."""
    return tuple(Row("update", by, status, status) for status in statuses.split())


SDOHCC = (
    *_rows("draft", "requester", "", "draft"),
    *_rows("send", "requester", "", "requested"),
    *_rows("send", "requester", "draft", "requested"),
    *_rows("accept", "target", "requested", "accepted"),
    *_rows("reject", "target", "requested", "rejected"),
    *_rows("start", "target", "accepted on-hold", "in-progress"),
    *_rows("complete", "target", "accepted in-progress on-hold", "completed"),
    *_rows("hold", "target", "accepted in-progress", "on-hold"),
    *_rows("fail", "target", "accepted in-progress on-hold", "failed"),
    *_rows("cancel", "either", "requested accepted in-progress on-hold", "cancelled"),
    *_updates("target", "requested accepted in-progress on-hold"),
    *_withdrawals(
        "requester",
        "draft requested accepted in-progress on-hold rejected cancelled completed failed",
    ),
)

PATIENT_TASK = (
    *_rows("send", "requester", "", "ready"),
    *_rows("start", "target", "ready on-hold", "in-progress"),
    *_rows("complete", "target", "ready in-progress on-hold", "completed"),
    *_rows("hold", "target", "ready in-progress", "on-hold"),
    *_rows("fail", "target", "ready in-progress on-hold", "failed"),
    *_rows("cancel", "either", "ready in-progress on-hold", "cancelled"),
    *_withdrawals("requester", "ready in-progress on-hold cancelled completed failed"),
)

COW = (
    *_rows("draft", "requester", "", "draft"),
    *_rows("send", "requester", "", "requested"),
    *_rows("send", "requester", "draft", "requested"),
    *_rows("receive", "target", "requested", "received"),
    *_rows("accept", "target", "requested received", "accepted"),
    *_rows("reject", "target", "requested received accepted in-progress on-hold", "rejected"),
    *_rows("start", "target", "accepted on-hold", "in-progress"),
    *_rows("complete", "target", "accepted in-progress on-hold", "completed"),
    *_rows("hold", "target", "received accepted in-progress", "on-hold"),
    *_rows("fail", "target", "accepted in-progress on-hold", "failed"),
    *_rows("cancel", "requester", "draft requested received accepted", "cancelled"),
    *_rows("cancel", "target", "requested received accepted in-progress on-hold", "cancelled"),
    *_updates("target", "requested received accepted in-progress on-hold"),
    *_withdrawals(
        "requester",
        "draft requested received accepted in-progress on-hold rejected cancelled completed failed",
    ),
)
"""Once work is in progress the requester may no longer cancel directly: it sends an abort Task
(`cow-cancellation`), and the target cancels if it accepts that."""

COW_CANCELLATION = (
    *_rows("send", "requester", "", "requested"),
    *_rows("receive", "target", "requested", "received"),
    *_rows("accept", "target", "requested received", "accepted"),
    *_rows("reject", "target", "requested received accepted", "rejected"),
    *_rows("complete", "target", "requested received accepted", "completed"),
    *_rows("fail", "target", "accepted", "failed"),
    *_rows("cancel", "requester", "requested received", "cancelled"),
    *_withdrawals("requester", "requested received accepted rejected cancelled completed failed"),
)


def _bser(number: str, action: Action, by: Mover, before: str, after: str) -> Row:
    """`before` and `after` are written `status/business`."""
    source, _, source_business = before.partition("/")
    target, _, target_business = after.partition("/")
    needs = target in _REASONED or target_business == "5.2"
    return Row(action, by, source, target, source_business, target_business, needs, number)


BSER = (
    _bser("", "draft", "requester", "", "draft"),
    _bser("", "send", "requester", "", "received/2.0"),
    _bser("01", "send", "requester", "draft", "received/2.0"),
    _bser("02", "accept", "target", "received/2.0", "accepted/3.0"),
    _bser("03", "reject", "target", "received/2.0", "rejected/4.0"),
    _bser("04", "request-cancellation", "requester", "received/2.0", "in-progress/5.2"),
    _bser("05", "reject", "target", "accepted/3.0", "rejected/4.0"),
    _bser("06", "schedule", "target", "accepted/3.0", "in-progress/5.1.1"),
    _bser("07", "request-cancellation", "requester", "accepted/3.0", "in-progress/5.2"),
    _bser("08", "note", "target", "accepted/3.0", "in-progress/5.1.4"),
    _bser("09", "complete", "target", "accepted/3.0", "completed/7.0"),
    _bser("10", "reject", "target", "in-progress/5.1.1", "rejected/4.0"),
    _bser("11", "schedule", "target", "in-progress/5.1.1", "in-progress/5.1.1"),
    _bser("12", "no-show", "target", "in-progress/5.1.1", "in-progress/5.1.2"),
    _bser("13", "cancel-appointment", "target", "in-progress/5.1.1", "in-progress/5.1.3"),
    _bser("14", "request-cancellation", "requester", "in-progress/5.1.1", "in-progress/5.2"),
    _bser("15", "note", "target", "in-progress/5.1.1", "in-progress/5.1.4"),
    _bser("16", "complete", "target", "in-progress/5.1.1", "completed/7.0"),
    _bser("17", "reject", "target", "in-progress/5.1.2", "rejected/4.0"),
    _bser("18", "schedule", "target", "in-progress/5.1.2", "in-progress/5.1.1"),
    _bser("19", "cancel-appointment", "target", "in-progress/5.1.2", "in-progress/5.1.3"),
    _bser("20", "request-cancellation", "requester", "in-progress/5.1.2", "in-progress/5.2"),
    _bser("21", "schedule", "target", "in-progress/5.1.3", "in-progress/5.1.1"),
    _bser("22", "request-cancellation", "requester", "in-progress/5.1.3", "in-progress/5.2"),
    _bser("23", "cancel", "target", "in-progress/5.2", "cancelled/6.0"),
    _bser("24", "complete", "target", "in-progress/5.2", "completed/7.0"),
    _bser("25", "reject", "target", "in-progress/5.1.4", "rejected/4.0"),
    _bser("26", "schedule", "target", "in-progress/5.1.4", "in-progress/5.1.1"),
    _bser("27", "cancel-appointment", "target", "in-progress/5.1.4", "in-progress/5.1.3"),
    _bser("28", "request-cancellation", "requester", "in-progress/5.1.4", "in-progress/5.2"),
    _bser("29", "note", "target", "in-progress/5.1.4", "in-progress/5.1.4"),
    _bser("30", "complete", "target", "in-progress/5.1.4", "completed/7.0"),
    _bser("31", "start", "target", "accepted/3.0", "in-progress/5.1"),
    _bser("32", "note", "target", "accepted/3.0", "in-progress/5.1"),
    _bser("33", "reject", "target", "in-progress/5.1", "rejected/4.0"),
    _bser("34", "request-cancellation", "requester", "in-progress/5.1", "in-progress/5.2"),
    _bser("", "complete", "target", "in-progress/5.1", "completed/7.0"),
    _bser("", "schedule", "target", "in-progress/5.1", "in-progress/5.1.1"),
)
"""The harmonised picture leaves 5.1 (work has begun) only by refusal or cancellation; work that has begun can also
end or be scheduled, so two rows without a number are ours."""

ROWS: Mapping[Dialect, tuple[Row, ...]] = MappingProxyType(
    {
        "sdohcc": SDOHCC,
        "bser": BSER,
        "cow": COW,
        "cow-cancellation": COW_CANCELLATION,
        "patient-task": PATIENT_TASK,
    }
)

TERMINAL = frozenset({"rejected", "cancelled", "completed", "failed", "entered-in-error"})
"""Statuses no work follows (R4 Task)."""

FIRST: Mapping[Dialect, tuple[str, str]] = MappingProxyType(
    {
        "sdohcc": ("requested", ""),
        "bser": ("received", "2.0"),
        "cow": ("requested", ""),
        "cow-cancellation": ("requested", ""),
        "patient-task": ("ready", ""),
    }
)
"""The (status, business status) in which a referral first stands at its target."""

IMPLIED: Mapping[Dialect, Mapping[tuple[str, str], tuple[str, str]]] = MappingProxyType(
    {
        "bser": {
            ("draft", "1.0"): ("draft", ""),
            ("requested", ""): ("received", "2.0"),
            ("received", ""): ("received", "2.0"),
            ("accepted", ""): ("accepted", "3.0"),
            ("rejected", ""): ("rejected", "4.0"),
            ("in-progress", ""): ("in-progress", "5.1"),
            ("cancelled", ""): ("cancelled", "6.0"),
            ("completed", ""): ("completed", "7.0"),
        }
    }
)
"""Task.businessStatus is 0..1 in BSeR: what a partner means who leaves it out."""

ASKS_BY_TASK: frozenset[Dialect] = frozenset({"cow"})
"""Where a requester who may not cancel directly (any more) asks by a Task of its own (`cow-cancellation`)."""

CLAIMED: frozenset[Dialect] = frozenset({"sdohcc"})
"""Whose Tasks claim our profile of a referral's Task, which is SDOHCC's: `received` is none of its statuses."""

CANCELLATION_ASKED = "5.2"
"""The business status of a BSeR referral whose requester has asked to cancel it."""

BUSINESS: Mapping[Dialect, str] = MappingProxyType(
    {"bser": "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"}
)
"""The code system of a dialect's business statuses."""

MEANS: Mapping[Dialect, Mapping[str, str]] = MappingProxyType(
    {
        "bser": {
            "2.0": "created",
            "3.0": "accepted",
            "4.0": "declined",
            "5.1": "in progress",
            "5.1.1": "scheduled",
            "5.1.2": "no-show",
            "5.1.3": "appointment cancelled",
            "5.1.4": "event completed",
            "5.2": "cancellation requested",
            "6.0": "cancelled",
            "7.0": "completed",
        }
    }
)
"""Business status codes in words, for people and for the casework events."""
