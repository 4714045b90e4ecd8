"""The measures of case management, a row each: what is counted, by what it is told apart, for which requirement.

A row says it in words; what is counted comes from `counting.py` (what is known of a case), `mapping/counting.py` (what
records say) and `flows/measures` (referral loops, the network). A measure more is a row here and one of those.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

WORKER: Final = "case manager"
INSIDE: Final = frozenset({WORKER})
"""Stratifiers that name who works here: they stay inside the agency."""


@dataclass(frozen=True, slots=True)
class Measure:
    """`population` and `numerator` in words a supervisor can read. `unit`: a number is told as well, its median, as
    `days` from opened to closed. `open`: what one calls that which does not count, where a list of it is of use.
    `standing`: told as things stand, whatever the period. `people`: False where no count says anything about clients.
    `clients`: False where what is counted is nobody's in particular, so that one cannot ask it of some clients."""

    name: str
    title: str
    population: str
    numerator: str
    stratifiers: tuple[str, ...]
    requirements: tuple[int, ...]
    unit: str = ""
    open: str = ""
    standing: bool = False
    people: bool = True
    clients: bool = True


_ROWS = (
    Measure("timeliness", "Done in time", "What was to be done by now, of every timer", "done in time",
            ("timer", WORKER, "intensity"), (42, 49, 53, 54), open="late, missed or overdue"),
    Measure("linkage", "Linkage evidence", "Referrals made", "with evidence that the client was linked: the service"
            " started, was verified, or somebody looked how it goes", ("service area", "agency", WORKER), (19,),
            open="without evidence of linkage"),
    Measure("answered", "Referrals with an outcome", "Referrals made", "of which it is on record what came of them:"
            " the service started, or was refused, withdrawn or not given", ("service area", "agency", WORKER),
            (19, 51), open="without an outcome"),
    Measure("loops", "Referral loops closed", "Referrals exchanged with partners", "that are closed",
            ("partner", "service area", "direction", "status"), (19, 42), unit="days", open="not closed"),
    Measure("plans", "Complete plans", "Active plans", "with goals, a time for each, by whom each service is done,"
            " supports, a crisis procedure, and both signatures", ("kind of plan", WORKER), (50,), open="not complete"),
    Measure("plan-parts", "Parts of plans", "What a plan should hold, of every active plan", "that it holds",
            ("part", WORKER), (50,)),
    Measure("signatures", "Plans signed", "Active plans, revisions among them", "signed and dated by the client (or a"
            " guardian) and the case manager", ("kind of plan", WORKER), (50, 55), open="not signed by both"),
    Measure("goals", "Goals served", "Goals of active plans", "for which the plan names a service or a referral",
            ("expressed by", WORKER), (1,), open="without a service"),
    Measure("progress", "Goals on the way", "Goals looked at in a review", "met, kept up or on the way",
            ("kind of goal", WORKER), (43, 54)),
    Measure("contacts", "Four contacts a month", "Whole months of clients with intensive case management", "with four"
            " direct contacts or more", (WORKER, "month"), (31,), open="fewer than four"),
    Measure("places", "Contacts where the client is", "Direct contacts with clients", "in person outside the office",
            ("place", WORKER), (20, 31)),
    Measure("caseload", "Caseloads of ten to fifteen", "Case managers whose clients are all intensive now",
            "who lead ten to fifteen", (WORKER,), (30,), unit="clients", standing=True, clients=False),
    Measure("continuity", "One case manager all the while", "Clients whom somebody leads or led", "for whom nobody else"
            " has led or stood in", ("case",), (23, 62), unit="workers", standing=True),
    Measure("satisfaction", "Satisfied with the service", "Services that clients were asked about and judged",
            "that were what the client needed (agree or strongly agree)", ("service area", "agency"), (43, 63)),
    Measure("duplicates", "Services not given twice", "Services found to be given twice, or perhaps",
            "of which one is withdrawn", ("service", "how sure", "what came of it"), (26,), unit="sessions"),
    Measure("unmet", "Unmet needs told", "Needs that were unmet at closing", "of which a public authority was told",
            ("need", "reason"), (59,), open="told to nobody"),
    Measure("qualified", "Qualified case managers", "Active case managers", "with a degree or two years in the service"
            " on record", ("agency",), (2, 4), standing=True, people=False, clients=False),
    Measure("coverage", "Service areas covered", "The nine service areas", "provided by us, or formally arranged with"
            " another agency", ("service area",), (28,), open="neither provided nor arranged", standing=True,
            people=False, clients=False),
)  # fmt: skip

measures: Final[Mapping[str, Measure]] = MappingProxyType({row.name: row for row in _ROWS})
AREAS: Final = (
    "crisis", "psychiatric", "housing", "medical-dental", "substance-use", "public-assistance", "family-support",
    "vocational", "transportation",
)  # fmt: skip
"""The nine areas of 004 CA-CM 5.01, as codes of our code system service-area."""
