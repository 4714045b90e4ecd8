"""What is known of a case, in the timers' own words: what happened, when, and about which service.

Records and resources become facts in `mapping/facts.py`; what falls due because of them is said in `timers.py`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from service.coordination.calendar import Calendar

WHAT: Final = {
    "opened": "the episode of care started",
    "waitlisted": "the client was put on the agency's waiting list",
    "served": "the client came off the waiting list",
    "ended": "the episode of care ended, or the case was closed",
    "assessed": "the whole situation was assessed (not a short scale, a review or a satisfaction form)",
    "planned": "a service plan was made",
    "replaced": "another plan took the place of this one",
    "signed": "the plan was signed by client and worker",
    "reviewed": "the plan was reviewed",
    "contact": "the client was in direct contact with us",
    "crisis": "a contact was about a crisis",
    "admitted": "a hospital or institution admitted the client",
    "discharge-notice": "a hospital or institution gave notice that the client is about to leave it",
    "setback": "a service ended early",
    "urgent": "somebody asked urgently for help for the client",
    "scheduled": "a service was to start on this day",
    "started": "the service started",
    "dropped": "the service never started, or the complaint was withdrawn",
    "called-off": "the referral was refused or withdrawn",
    "finished": "the service is over",
    "verified": "the client was asked whether the service is right and satisfactory",
    "followed-up": "somebody looked after how the service goes",
    "complained": "a complaint or problem was received",
    "answered": "the complaint was answered",
    "closing-planned": "a closing plan was begun",
    "leaves": "closing is planned for this day",
    "aftercare": "an aftercare plan was made",
    "gpra-intake": "the GPRA intake interview was done",
    "gpra-follow-up": "the six-month GPRA interview was done, or is known not to be possible",
    "gpra-held": "a GPRA interview was conducted",
    "gpra-entered": "its record was filed, completed",
    "gpra-left": "the case of a client with a GPRA intake has ended",
    "gpra-lost": "the same, and nobody knows where the client is",
    "gpra-discharge": "the GPRA discharge interview was done, or is administrative",
    "suprt-opened": "the episode of a client under a SUPRT grant started",
    "suprt-baseline": "the SUPRT baseline was done",
    "suprt-reassessment": "the SUPRT reassessment was done",
    "suprt-annual": "the annual SUPRT assessment was done",
    "suprt-left": "the episode of a client under a SUPRT grant has ended",
    "suprt-closeout": "the SUPRT closeout was done",
    "gpra-ended": "the GPRA interviews of an intake are owed no more: the client has died, or there is a new intake",
}
"""Every kind of fact."""


@dataclass(frozen=True, slots=True)
class Fact:
    """`on`: the agency's date. `at`: the instant, where it is known. `about`: the service (`referrals/…`) or plan that
    a fact belongs to, else empty. `record`: where it stands (`care-plans/leslie-plan-1`, or `Encounter/…`)."""

    what: str
    on: date
    record: str
    about: str = ""
    at: datetime | None = None
    worker: str | None = None
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One client's case. `open`: we manage it now. `tier`: its intensity. `lead`: the case manager who leads, by record
    id. `next_review`: the day that the plan itself sets for its next review."""

    client: str
    facts: tuple[Fact, ...]
    open: bool = False
    tier: str | None = None
    lead: str | None = None
    next_review: date | None = None
    tiers: tuple[tuple[date, date, str | None], ...] = ()
    """Former intensities: from a day until before another."""
    turns: tuple[tuple[date, Calendar], ...] = ()
    """From which day on which agency's calendar counts: of whoever leads. Empty: the home agency's, always."""

    def tier_on(self, day: date) -> str | None:
        """The client's intensity on a day."""
        return next((tier for since, until, tier in self.tiers if since <= day < until), self.tier)

    def calendar(self, day: date, home: Calendar) -> Calendar:
        """In which calendar is counted what begins on this day."""
        return next((each for since, each in reversed(self.turns) if since <= day), home)

    def of(self, *what: str, about: str | None = None) -> list[Fact]:
        """Facts of these kinds in the order in which they happened."""
        chosen = (f for f in self.facts if f.what in what and about in (None, f.about))
        return sorted(chosen, key=lambda f: (f.on, f.at is None, str(f.at or ""), f.record))

    def first(self, *what: str) -> Fact | None:
        """The first of them."""
        return next(iter(self.of(*what)), None)
