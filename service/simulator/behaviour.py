"""How an agency behaves: what its staff answers, and how its server treats a request."""

import random
from dataclasses import dataclass, field
from typing import Literal, get_args

Behaviour = Literal["accept-complete", "reject", "linger", "insist", "waitlist", "slow", "flaky", "down"]
BEHAVIOURS: tuple[Behaviour, ...] = get_args(Behaviour)
Dialect = Literal["sdohcc", "bser", "cow"]
Fault = Literal["unavailable", "reset-before", "reset-after", "silence-before", "silence-after"]
"""A 503; the connection cut before anything is done, or after; no answer for long, the same two ways."""

_FAULTS: tuple[Fault, ...] = get_args(Fault)
FLAKY = 0.3


@dataclass
class Manner:
    """The behaviour of now. `pace`: seconds between two steps of the staff; `seed` makes flaky repeatable.
    `silence`: how long it keeps silent on a flaky day; `lateness`: how late every answer is of a slow one."""

    behaviour: Behaviour = "accept-complete"
    pace: float = 0.5
    seed: int = 1
    silence: float = 20.0
    lateness: float = 3.0
    dialect: Dialect = "sdohcc"
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 - repeatable on purpose

    def change(self, behaviour: Behaviour) -> None:
        """From the next request on."""
        self.behaviour = behaviour
        self._dice = random.Random(self.seed)  # noqa: S311

    def fault(self) -> Fault | None:
        """What goes wrong with the next request, if anything."""
        if self.behaviour == "down":
            return "reset-before"
        if self.behaviour == "flaky" and self._dice.random() < FLAKY:
            return self._dice.choice(_FAULTS)
        return None

    @property
    def delay(self) -> float:
        """Seconds before a request is even looked at."""
        return self.lateness if self.behaviour == "slow" else 0.0

    @property
    def step(self) -> float:
        """Seconds between two steps of the staff."""
        return self.pace * (10 if self.behaviour == "slow" else 1)
