"""How a grant stands: its follow-up rate, and how many interviews are open, overdue and to come; by dates alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from service.coordination.gpra.measure import INSIDE
from service.coordination.gpra.windows import Due, Held, State, windows


@dataclass(frozen=True, slots=True)
class Standing:
    """`inside` of `closed` windows had their interview in time (80 % is asked for); `states`: of all six-month ones."""

    grant: str
    inside: int
    closed: int
    states: dict[State, int]


def standing(interviews: Sequence[Held], today: date) -> list[Standing]:
    """By grant."""
    held = {(each.grant, each.client, each.sequence): each for each in interviews if each.type == "six-month"}
    found = [(due, held.get((due.grant, due.client, due.sequence))) for due in windows(interviews)]
    return [
        _standing(grant, [each for each in found if each[0].grant == grant], today)
        for grant in _grants(found)
    ]


def _grants(found: Sequence[tuple[Due, Held | None]]) -> list[str]:
    return sorted({due.grant for due, _ in found})


def _standing(grant: str, own: Sequence[tuple[Due, Held | None]], today: date) -> Standing:
    states: dict[State, int] = {}
    for due, _ in own:
        states[due.state(today)] = states.get(due.state(today), 0) + 1
    closed = [(due, held) for due, held in own if due.closes < today]
    return Standing(grant, sum(_inside(due, held) for due, held in closed), len(closed), states)


def _inside(due: Due, held: Held | None) -> bool:
    answered = held is not None and held.conducted and held.follow_up == INSIDE
    return held is not None and answered and due.opens <= held.day <= due.closes
