"""May this referral go from here to there, and if not, where may it go?

Everything is looked up in `dialects.ROWS`. Three questions: `check` for a party that asks to make a move
(PUT Task, casework door), `path` and `settle` for what we only observed afterwards (polling, late
notifications), `moves` and `intend` for what may come next.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal, assert_never

from service.referral.dialects import (
    ANY,
    ASKS_BY_TASK,
    CANCELLATION_ASKED,
    FIRST,
    IMPLIED,
    ROWS,
    TERMINAL,
    Action,
    Dialect,
    Mover,
    Row,
)

Party = Literal["requester", "target", "both"]
"""Who makes the move. `both`: one organisation on both sides, or an observer who does not know which."""


@dataclass(frozen=True, slots=True)
class State:
    """A FHIR Task status and businessStatus code; `at` is Task.lastModified where it is known."""

    status: str
    business: str = ""
    at: datetime | None = None

    @property
    def terminal(self) -> bool:
        """True when no work follows."""
        return self.status in TERMINAL


START = State("")
"""Before there was a Task."""


@dataclass(frozen=True, slots=True)
class Move:
    """A legal step. `changes` is False for an identical repetition, which has no effect."""

    action: Action
    by: Mover
    before: State
    after: State
    needs_reason: bool = False
    changes: bool = True
    number: str = ""


@dataclass(frozen=True, slots=True)
class Illegal:
    """Not this way. `text` is a sentence for an engineer: the legal moves, and which need a reason."""

    text: str
    legal: tuple[Move, ...]
    missing_reason: bool = False


@dataclass(frozen=True, slots=True)
class Advanced:
    """New to us: the steps from what we knew to what was seen, in order."""

    steps: tuple[Move, ...]
    state: State


@dataclass(frozen=True, slots=True)
class Repeated:
    """What we know already."""

    state: State


@dataclass(frozen=True, slots=True)
class Late:
    """Older than what we know: kept for the record, without effect."""

    state: State


def first(dialect: Dialect) -> State:
    """The state in which a referral sent in this dialect first stands at its target."""
    return State(*FIRST[dialect])


def moves(dialect: Dialect, status: str, business_status: str, party: Party) -> tuple[Move, ...]:
    """Every legal next move of `party`, in the order of the table."""
    before = spoken(dialect, State(status, business_status))
    return tuple(_move(row, before) for row in ROWS[dialect] if _applies(row, before, party))


def intend(dialect: Dialect, before: State, action: Action, party: Party) -> Move | Illegal:
    """The move a person means by a word (`accept`, `cancel`, …), or why that cannot be done now.

    `cancel` means asking for cancellation where the dialect knows only request and confirmation.
    """
    legal = moves(dialect, before.status, before.business, party)
    words = (action, "request-cancellation") if action == "cancel" else (action,)
    for word in words:
        for move in legal:
            if move.action == word:
                return move
    return Illegal(
        f"{_subject(dialect, before)} does not allow to {_say(action)}; {_choices(legal, party)}", legal
    )


_MEANT: Mapping[str, Action] = MappingProxyType(
    {
        "accepted": "accept",
        "rejected": "reject",
        "in-progress": "start",
        "on-hold": "hold",
        "completed": "complete",
        "cancelled": "cancel",
        "failed": "fail",
    }
)
"""What a person means to do who says only the status to come."""


def wished(dialect: Dialect, before: State, status: str, party: Party) -> Move | Illegal:
    """The move of a person who says only a status: with the business status that the dialect wants beside it.

    The status it has already is no move, nor is asking again for a cancellation that was asked for.
    """
    asked = party == "requester" and status == "cancelled" and before.business == CANCELLATION_ASKED
    if before.status == status or asked:
        return Move("update", "either", before, before, changes=False)
    return intend(dialect, spoken(dialect, before), _MEANT[status], party)


def by_task(dialect: Dialect, before: State, status: str, party: Party) -> bool:
    """Is this wish none that can be done, but one that can be asked for by a Task of its own?"""
    asks = dialect in ASKS_BY_TASK and party == "requester" and status == "cancelled" and not before.terminal
    return asks and isinstance(wished(dialect, before, status, party), Illegal)


def check(
    dialect: Dialect, before: State, after: State, party: Party, reason_text: str = ""
) -> Move | Illegal:
    """Decide a move that `party` asks to make; `reason_text` is Task.statusReason.text.

    An identical repetition is a Move with `changes=False`. Reasons are demanded where the row says so.
    """
    source, target = spoken(dialect, before), spoken(dialect, after)
    if _same(source, target):
        return Move("update", "either", source, target, changes=False)
    legal = moves(dialect, source.status, source.business, party)
    row = _row(dialect, source, target, party)
    if row is None:
        moved = f"{_subject(dialect, source)} cannot become {_name(target)} by the {_who(party)}"
        text = f"{moved}; {_choices(legal, party)}"
        return Illegal(text, legal)
    if row.needs_reason and not reason_text.strip():
        text = f"{_name(target)} needs a reason in statusReason.text; {_choices(legal, party)}"
        return Illegal(text, legal, missing_reason=True)
    return _move(row, source, target)


def path(dialect: Dialect, before: State, after: State, party: Party) -> tuple[Move, ...] | None:
    """The shortest chain of legal moves by `party` from `before` to `after`; () if equal, None if none.

    For observers who saw only the last state: reasons are not demanded, since what happened has happened.
    """
    source, target = spoken(dialect, before), spoken(dialect, after)
    if _same(source, target):
        return ()
    queue: deque[tuple[State, tuple[Move, ...]]] = deque([(source, ())])
    seen = {(source.status, source.business)}
    while queue:
        here, behind = queue.popleft()
        row = _row(dialect, here, target, party)
        if row is not None:
            return (*behind, _move(row, here, target))
        for move in moves(dialect, here.status, here.business, party):
            key = (move.after.status, move.after.business)
            if key not in seen and not move.after.terminal:
                seen.add(key)
                queue.append((move.after, (*behind, move)))
    return None


def settle(dialect: Dialect, known: State, seen: State, party: Party) -> Advanced | Repeated | Late | Illegal:
    """Fold an observation into what we know, so that repeated and out-of-order reports converge.

    With times on both sides the later one wins. Without, what leads legally to the known state is late.
    """
    source, target = spoken(dialect, known), spoken(dialect, seen)
    if known.at is not None and seen.at is not None and seen.at < known.at:
        return Late(source)
    if _same(source, target):
        return Repeated(State(source.status, source.business, seen.at or known.at))
    steps = path(dialect, source, target, party)
    undated = known.at is None or seen.at is None
    if undated and _led_here(dialect, source, target, forward=steps is not None):
        return Late(source)
    if steps is None:
        legal = moves(dialect, source.status, source.business, party)
        text = f"{_subject(dialect, source)} cannot have become {_name(target)} by the {_who(party)}"
        return Illegal(f"{text}; {_choices(legal, party)}", legal)
    return Advanced(steps, target)


def _led_here(dialect: Dialect, known: State, seen: State, *, forward: bool) -> bool:
    """Could `seen` have come before `known`, and not after it?"""
    return not forward and path(dialect, seen, known, "both") is not None


def spoken(dialect: Dialect, state: State) -> State:
    """The state with the business status that is meant where the dialect lets it be left out."""
    meant = IMPLIED.get(dialect, {}).get((state.status, state.business))
    return state if meant is None else State(*meant, at=state.at)


def _same(one: State, other: State) -> bool:
    return (one.status, one.business) == (other.status, other.business)


def _allowed(row: Row, party: Party) -> bool:
    match party:
        case "both":
            return True
        case "requester" | "target":
            return row.by in (party, "either")
        case _:
            assert_never(party)


def _applies(row: Row, before: State, party: Party) -> bool:
    return (
        row.before == before.status and row.before_business in (ANY, before.business) and _allowed(row, party)
    )


def _row(dialect: Dialect, before: State, after: State, party: Party) -> Row | None:
    for row in ROWS[dialect]:
        reaches = row.after == after.status and row.after_business in (ANY, after.business)
        if reaches and _applies(row, before, party):
            return row
    return None


def _move(row: Row, before: State, after: State | None = None) -> Move:
    """The row made concrete; an open business status stays what it is unless the mover wrote one."""
    if after is None:
        kept = before.business if row.before == row.after else ""
        after = State(row.after, kept if row.after_business == ANY else row.after_business)
    return Move(row.action, row.by, before, after, row.needs_reason, number=row.number)


def _name(state: State) -> str:
    return f"'{state.status}'" + (f" ({state.business})" if state.business else "")


def _subject(dialect: Dialect, state: State) -> str:
    what = "a client's task" if dialect == "patient-task" else "a referral"
    return f"{what} that is {_name(state)}" if state.status else f"{what} that does not exist yet"


def _who(party: Party) -> str:
    return "requester or target" if party == "both" else party


def _say(action: Action) -> str:
    return action.replace("-", " ")


def _choices(legal: tuple[Move, ...], party: Party) -> str:
    named = dict.fromkeys(
        _name(move.after) + (" with a reason" if move.needs_reason else "")
        for move in legal
        if move.action != "update"
    )
    if not named:
        return f"the {_who(party)} has no further move"
    return f"the {_who(party)} may set {', '.join(named)}"
