"""When which interview is due: windows counted in calendar months from the intake interview (GPRA.md §1.2).

The six-month follow-up opens five months after the intake and closes eight months after it; the three-month one, where
a programme uses it, two and five. Only an interview inside the window counts (status 11).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, Literal

from service.coordination.calendar import months

State = Literal["waiting", "open", "overdue", "conducted", "not-conducted", "ended"]

WINDOWS: Final[Mapping[str, tuple[int, int, int]]] = MappingProxyType(
    {"three-month": (2, 3, 5), "six-month": (5, 6, 8)}
)
"""Interview → months after the intake interview at which its window opens, it is due, and its window closes."""
USUAL: Final = ("six-month",)
"""What every grant asks for; `three-month` is for the programmes that use it."""
DECEASED: Final = "01"
SUPRT: Final = "suprt-"
"""Tools that begin like this have times of their own (timers T23 to T26)."""


@dataclass(frozen=True, slots=True)
class Held:
    """An interview on record. `day`: the date of the interview, or when it was found that there would be none."""

    grant: str
    client: str
    type: str
    sequence: int
    day: date
    conducted: bool
    follow_up: str = ""
    patient: str = ""
    gender: str = ""
    tool: str = "csat-gpra"


@dataclass(frozen=True, slots=True)
class Due:
    """An interview that is owed: from `opens` to `closes`, both days included; `met`: when it was held or given up."""

    grant: str
    client: str
    sequence: int
    type: str
    patient: str
    intake: date
    opens: date
    due: date
    closes: date
    met: date | None = None
    conducted: bool = False
    ended: str = ""
    """Why it is owed no more: `deceased`, `new-intake`."""

    def state(self, today: date) -> State:
        """Where it stands today, in the agency's calendar."""
        if self.met:
            return "conducted" if self.conducted else "not-conducted"
        if self.ended:
            return "ended"
        if today < self.opens:
            return "waiting"
        return "open" if today <= self.closes else "overdue"


def span(intake: date, type_: str) -> tuple[date, date, date]:
    """The window of a follow-up: the days it opens, is due and closes. KeyError for a type without a window."""
    opens, due, closes = WINDOWS[type_]
    return months(intake, opens), months(intake, due), months(intake, closes)


def windows(interviews: Sequence[Held], types: Sequence[str] = USUAL) -> list[Due]:
    """What every intake owes, met or not, in the order of due days. The same interviews give the same answer."""
    begun = (each for each in interviews if each.type == "intake" and each.conducted)
    intakes = [each for each in begun if not each.tool.startswith(SUPRT)]
    found = [_due(intake, type_, interviews) for intake in intakes for type_ in types]
    return sorted(found, key=lambda each: (each.due, each.grant, each.client, each.sequence))


def _due(intake: Held, type_: str, interviews: Sequence[Held]) -> Due:
    own = [each for each in interviews if (each.grant, each.client) == (intake.grant, intake.client)]
    episode = [each for each in own if each.sequence == intake.sequence]
    answer = next((each for each in episode if each.type == type_), None)
    deceased = any(each.follow_up == DECEASED for each in episode)
    again = any(each.type == "intake" and each.sequence > intake.sequence for each in own)
    opens, due, closes = span(intake.day, type_)
    return Due(
        intake.grant, intake.client, intake.sequence, type_, intake.patient, intake.day, opens, due, closes,
        met=answer.day if answer else None,
        conducted=bool(answer and answer.conducted),
        ended="" if answer else "deceased" if deceased else "new-intake" if again else "",
    )  # fmt: skip
