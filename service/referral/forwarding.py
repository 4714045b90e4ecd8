"""A referral passed on to other agencies: what becomes of the one that came in, and of those that went out.

SDOHCC 3.0 indirect referral: each request passed on is a filler order based on the one received, its Task part of
the Task received; the states of the parts roll up into the whole.
"""

from collections.abc import Sequence
from typing import Final

from service.referral.dialects import Dialect
from service.referral.lifecycle import Illegal, Move, State, intend, path

_ACTIVE: Final = ("in-progress", "completed")
_ADMITTED: Final = ("accepted", "on-hold", *_ACTIVE)


def rolled_up(parts: Sequence[State]) -> str | None:
    """The status that these parts give the whole; None when they say nothing (yet, or any more).

    One part done and none under way: the whole is done. All refused or given up is nobody's answer but a case
    manager's, who may ask another agency.
    """
    open_ = [part.status for part in parts if not part.terminal]
    done = any(part.status == "completed" for part in parts)
    if not open_:
        return "completed" if done else None
    if done or any(status in _ACTIVE for status in open_):
        return "in-progress"
    return "accepted" if any(status in _ADMITTED for status in open_) else None


def next_step(dialect: Dialect, whole: State, parts: Sequence[State]) -> Move | None:
    """Our next move as the one who was asked; None when the whole says what its parts say, or may not go there."""
    status = rolled_up(parts)
    if status is None or whole.terminal or whole.status == status:
        return None
    steps = path(dialect, whole, State(status), "target") or ()
    if any(step.needs_reason for step in steps):
        return None  # nobody has given one
    return next(iter(steps), None)


def all_refused(parts: Sequence[State]) -> bool:
    """Every agency asked has refused, failed or been called off: somebody must decide where to go from here."""
    return bool(parts) and all(part.terminal and part.status != "completed" for part in parts)


def called_off(dialect: Dialect, whole: State, part: State) -> Move | None:
    """Our move as requester of a part whose whole has been ended before it; None where nothing is to be called off."""
    if not whole.terminal or part.terminal or whole.status == "completed":
        return None
    move = intend(dialect, part, "cancel", "requester")
    return None if isinstance(move, Illegal) else move
