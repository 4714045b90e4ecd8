"""Pairs of services that a person has labelled: is this the same need served twice?

`SITUATIONS` was written from the rule of the standards (000 §6b4: reduce duplication; CASEWORK.md §4.3) and from what a case
manager would say, not from the code; where the two disagree, it stays as the person says. Each situation makes pairs
that differ in what does not matter: which service, which codes, which days, which form, who is first.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

RSS = "https://casebridge.example/fhir/CodeSystem/rss-service"
AREA = "https://casebridge.example/fhir/CodeSystem/service-area"
SNOMED = "http://snomed.info/sct"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
SDOH = "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"
TODAY = date(2026, 4, 14)
HERE, THERE, ELSEWHERE = "Organization/here", "Organization/there", "Organization/elsewhere"

SERVICES = {
    # ours: (SNOMED CT, area, SDOH category, in words)
    "budgeting": ("662881000124103", "public-assistance", "financial-insecurity", "Budgeting course"),
    "job-training": ("662941000124104", "vocational", "employment-status", "Job training"),
    "mental-health-counseling": ("306227000", "psychiatric", "", "Counseling"),
    "family-therapy": ("710914003", "family-support", "social-connection", "Family therapy"),
    "child-care": ("841251000124100", "child-care", "material-hardship", "Child care"),
    "primary-care": ("703978000", "medical-dental", "medical-cost-burden", "Primary care"),
    "dental-care": ("103697008", "medical-dental", "medical-cost-burden", "Dentist"),
    "transitional-housing": ("", "housing", "housing-instability", "A room"),
    "legal-aid": ("1162436000", "legal-community", "", "Legal aid"),
    "ged": ("621381000124109", "education", "educational-attainment", "GED"),
    "benefits-enrollment": (
        "462491000124104",
        "public-assistance",
        "financial-insecurity",
        "Help with benefits",
    ),
    "substance-use-treatment": ("1254709001", "substance-use", "", "Treatment"),
}
BILLED = {"job-training": "H2025", "child-care": "T1009"}
"""HCPCS Level II, where it has a code for this service and no other of the list."""
SEVERAL = {
    "transportation": "761221000124103", "medical-transportation": "551371000124104", "support-group": "711281004",
    "self-help-group": "710908005", "crisis-intervention": "24172008", "case-management": "453561000124105",
    "advocacy": "662871000124101",
}  # fmt: skip
"""What a client may have several of at a time."""
INCLUDES = [
    ("medical-care", "primary-care"), ("housing-service", "transitional-housing"), ("education", "ged"),
    ("housing-service", "emergency-shelter"), ("daily-living", "budgeting"), ("life-skills", "daily-living"),
    ("vocational-rehabilitation", "supported-employment"),
]  # fmt: skip
OTHERS = [
    ("job-training", "job-center"), ("family-therapy", "parent-support-group"), ("primary-care", "dental-care"),
    ("budgeting", "benefits-enrollment"), ("child-care", "child-care-assistance"), ("ged", "life-skills"),
    ("rental-assistance", "emergency-shelter"), ("psychiatric-consultation", "mental-health-counseling"),
]  # fmt: skip
"""Different needs, though some are in one area."""
SYNONYMS = [
    ("Budgeting course", "Learning to get by on a small income"), ("Job training", "Welding class"),
    ("Somebody to talk to", "Counseling"), ("A room", "A place to stay"),
]  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """`here` is what the agency that is looked at filed, `there` what the other did; `label` is the person's."""

    number: int
    situation: str
    label: str
    here: list[dict[str, Any]]
    there: list[dict[str, Any]]

    @property
    def patient(self) -> str:
        return f"Patient/pair-{self.number}"


class Drawn:
    """The details that do not matter, drawn by number."""

    def __init__(self, number: int) -> None:
        self.number, self.chance = number, random.Random(number)

    def service(self) -> str:
        return self.chance.choice(sorted(SERVICES))

    def months(self) -> tuple[date, date]:
        """A time that runs on the day we look."""
        start = TODAY - timedelta(days=self.chance.randrange(1, 60))
        return start, TODAY + timedelta(days=self.chance.randrange(30, 120))

    def code(self, service: str, *, exact: bool = True) -> dict[str, Any]:
        """The service in a code system that says it exactly: ours, or SNOMED CT where it has the concept."""
        snomed = SERVICES[service][0] if service in SERVICES else ""
        forms = [{"system": RSS, "code": service}]
        if service in BILLED:
            forms.append({"system": HCPCS, "code": BILLED[service]})
        if snomed:
            forms += [{"system": SNOMED, "code": snomed}] * 2
        chosen = self.chance.choice(forms)
        return {"coding": [chosen], "text": SERVICES[service][3] if service in SERVICES else service}

    def request(self, side: str, asker: str, code: dict[str, Any], **more: Any) -> dict[str, Any]:
        start, end = more.pop("days", None) or self.months()
        occurrence = {"occurrencePeriod": {"start": str(start), **({"end": str(end)} if end else {})}}
        if dose := more.pop("dose", None):
            occurrence = {
                "occurrenceTiming": {"repeat": {"boundsPeriod": occurrence["occurrencePeriod"], **dose}}
            }
        if more.pop("undated", False):
            occurrence = {}
        made = {
            "resourceType": "ServiceRequest", "id": f"pair-{self.number}-{side}", "status": "active", "intent": "order",
            "subject": {"reference": f"Patient/pair-{self.number}"}, "code": code, "requester": {"reference": asker},
            "authoredOn": str(start), **occurrence, **more,
        }  # fmt: skip
        return {name: value for name, value in made.items() if value is not None}

    def plan(self, side: str, asker: str, code: dict[str, Any], **more: Any) -> dict[str, Any]:
        start, end = more.pop("days", None) or self.months()
        status = more.pop("status", "in-progress")
        detail = {
            "code": code, "status": status, "scheduledPeriod": {"start": str(start), "end": str(end)}, **more,
        }  # fmt: skip
        return {
            "resourceType": "CarePlan", "id": f"pair-{self.number}-{side}", "status": "active", "intent": "plan",
            "subject": {"reference": f"Patient/pair-{self.number}"}, "author": {"reference": asker},
            "activity": [{"id": "a1", "detail": detail}],
        }  # fmt: skip

    def either(self, side: str, asker: str, code: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Asked for, or planned: it is the same to the client."""
        return self.chance.choice((self.request, self.plan))(side, asker, code, **more)


def _same(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    service = drawn.service()
    yield [drawn.either("a", HERE, drawn.code(service))]
    yield [drawn.either("b", THERE, drawn.code(service))]


def _same_dose(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    service = drawn.service()
    often = {"frequency": drawn.chance.randrange(1, 4), "period": 1, "periodUnit": "wk"}
    yield [drawn.request("a", HERE, drawn.code(service), dose=often)]
    yield [drawn.request("b", THERE, drawn.code(service), dose={**often, "period": 7, "periodUnit": "d"})]


def _same_provider(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    """STORY.md step 6: both had asked for the same budgeting course."""
    service = drawn.service()
    who = [{"reference": ELSEWHERE}]
    yield [drawn.request("a", HERE, drawn.code(service), performer=who)]
    yield [drawn.request("b", THERE, drawn.code(service), performer=who)]


def _no_end(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    service, (start, _) = drawn.service(), drawn.months()
    yield [drawn.request("a", HERE, drawn.code(service), days=(start, None))]
    yield [drawn.request("b", THERE, drawn.code(service))]


def _touching_middle(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    service, (start, end) = drawn.service(), drawn.months()
    yield [drawn.request("a", HERE, drawn.code(service), days=(start, TODAY + timedelta(days=10)))]
    yield [drawn.request("b", THERE, drawn.code(service), days=(TODAY + timedelta(days=5), end))]


def _other_dose(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    service = drawn.service()
    yield [
        drawn.request("a", HERE, drawn.code(service), dose={"frequency": 2, "period": 1, "periodUnit": "wk"})
    ]
    yield [
        drawn.request("b", THERE, drawn.code(service), dose={"frequency": 1, "period": 1, "periodUnit": "mo"})
    ]


def _dose_in_words(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    service = drawn.service()
    yield [drawn.plan("a", HERE, drawn.code(service), description="Tuesday and Thursday evenings")]
    yield [drawn.plan("b", THERE, drawn.code(service), description="once a week")]


def _once_beside(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    service, day = drawn.service(), TODAY + timedelta(days=3)
    yield [drawn.plan("a", HERE, drawn.code(service), description="weekly")]
    once = drawn.request("b", THERE, drawn.code(service), undated=True)
    yield [{**once, "occurrenceDateTime": str(day)}]


def _includes(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    both = drawn.chance.sample(drawn.chance.choice(INCLUDES), 2)
    for side, asker, service in (("a", HERE, both[0]), ("b", THERE, both[1])):
        yield [drawn.either(side, asker, {"coding": [{"system": RSS, "code": service}]})]


def _vague(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    """One says only "help with this need"."""
    service = drawn.chance.choice([each for each in sorted(SERVICES) if SERVICES[each][2]])
    category = [{"coding": [{"system": SDOH, "code": SERVICES[service][2]}]}]
    some = {"coding": [{"system": SNOMED, "code": "410606002", "userSelected": False}], "text": "Help"}
    yield [drawn.request("a", HERE, drawn.code(service))]
    yield [drawn.request("b", THERE, some, category=category)]


def _area_only(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    service = drawn.service()
    yield [drawn.request("a", HERE, {"coding": [{"system": AREA, "code": SERVICES[service][1]}]})]
    yield [drawn.request("b", THERE, drawn.code(service))]


def _two_beds(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    yield [drawn.either("a", HERE, {"coding": [{"system": RSS, "code": "transitional-housing"}]})]
    yield [drawn.either("b", THERE, {"coding": [{"system": RSS, "code": "supportive-housing"}]})]


def _own_codes(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    """A code of a system that nobody has mapped, the same in both."""
    code = {"coding": [{"system": "https://state.example/services", "code": f"S{drawn.chance.randrange(9)}"}]}
    yield [drawn.request("a", HERE, code)]
    yield [drawn.request("b", THERE, code)]


def _same_words(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    words = f"{drawn.chance.choice(['Welding', 'Cooking', 'Swimming'])} class"
    yield [drawn.request("a", HERE, {"text": words})]
    yield [drawn.request("b", THERE, {"text": words.upper()})]


def _synonyms(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    """In words only, and not the same words: a person sees it."""
    one, two = drawn.chance.choice(SYNONYMS)
    yield [drawn.request("a", HERE, {"text": one})]
    yield [drawn.request("b", THERE, {"text": two})]


def _several(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    """A ride there and a ride back, two meetings, whoever comes in a crisis, case management (settled by who leads)."""
    service = drawn.chance.choice(sorted(SEVERAL))
    coding = drawn.chance.choice(
        ({"system": RSS, "code": service}, {"system": SNOMED, "code": SEVERAL[service]})
    )
    yield [drawn.either("a", HERE, {"coding": [coding]})]
    yield [drawn.either("b", THERE, {"coding": [coding]})]


def _others(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    both = drawn.chance.sample(drawn.chance.choice(OTHERS), 2)
    for side, asker, service in (("a", HERE, both[0]), ("b", THERE, both[1])):
        yield [drawn.either(side, asker, {"coding": [{"system": RSS, "code": service}]})]


def _follow_on(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    service, (start, end) = drawn.service(), drawn.months()
    gap = timedelta(days=drawn.chance.randrange(0, 20))
    turn = TODAY + timedelta(days=drawn.chance.randrange(5, 20))
    yield [drawn.either("a", HERE, drawn.code(service), days=(start, turn))]
    yield [drawn.either("b", THERE, drawn.code(service), days=(turn + gap, end + timedelta(days=60)))]


def _run_out(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    """Nobody has closed it, but its time is over."""
    service = drawn.service()
    past = (TODAY - timedelta(days=90), TODAY - timedelta(days=drawn.chance.randrange(1, 20)))
    yield [drawn.either("a", HERE, drawn.code(service))]
    yield [drawn.request("b", THERE, drawn.code(service), days=past)]


def _over(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    service = drawn.service()
    status = drawn.chance.choice(("completed", "revoked", "entered-in-error", "draft"))
    yield [drawn.either("a", HERE, drawn.code(service))]
    yield [drawn.request("b", THERE, drawn.code(service), status=status)]


def _plan_over(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    service = drawn.service()
    status = drawn.chance.choice(("completed", "cancelled", "stopped"))
    yield [drawn.either("a", HERE, drawn.code(service))]
    yield [drawn.plan("b", THERE, drawn.code(service), status=status)]


def _refused(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    """The agency that was asked said no: the request stands, its Task is over."""
    service = drawn.service()
    request = drawn.request("b", THERE, drawn.code(service))
    task = {
        "resourceType": "Task", "id": f"pair-{drawn.number}-t", "intent": "order", "for": request["subject"],
        "status": drawn.chance.choice(("rejected", "cancelled", "completed", "failed", "entered-in-error")),
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
        "focus": {"reference": f"ServiceRequest/{request['id']}"}, "authoredOn": "2026-04-01",
        "requester": {"reference": THERE}, "owner": {"reference": ELSEWHERE},
    }  # fmt: skip
    yield [drawn.either("a", HERE, drawn.code(service))]
    yield [request, task]


def _fulfils(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    """We asked them; what they plan is what we asked for."""
    service = drawn.service()
    yield [drawn.request("a", HERE, drawn.code(service), performer=[{"reference": THERE}])]
    yield [drawn.plan("b", THERE, drawn.code(service), performer=[{"reference": THERE}])]


def _passed_on(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    """We asked them; they passed it on, and say so."""
    service = drawn.service()
    asked = drawn.request("a", HERE, drawn.code(service), performer=[{"reference": THERE}])
    yield [asked]
    based = [{"reference": f"ServiceRequest/{asked['id']}"}]
    yield [
        drawn.request("b", THERE, drawn.code(service), performer=[{"reference": ELSEWHERE}], basedOn=based)
    ]


def _under_way(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    """What is given because it was asked for."""
    service = drawn.service()
    asked = drawn.request("a", HERE, drawn.code(service))
    yield [asked]
    yield [{
        "resourceType": "Procedure", "id": f"pair-{drawn.number}-b", "status": "in-progress",
        "subject": asked["subject"], "code": drawn.code(service), "performedPeriod": {"start": "2026-04-01"},
        "basedOn": [{"reference": f"ServiceRequest/{asked['id']}"}], "performer": [{"actor": {"reference": THERE}}],
    }]  # fmt: skip


def _given_beside(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    """What is given, and nobody asked for it here."""
    service = drawn.service()
    asked = drawn.request("a", HERE, drawn.code(service))
    yield [asked]
    yield [{
        "resourceType": "Procedure", "id": f"pair-{drawn.number}-b", "status": "in-progress",
        "subject": asked["subject"], "code": drawn.code(service), "performedPeriod": {"start": "2026-04-01"},
        "performer": [{"actor": {"reference": THERE}}],
    }]  # fmt: skip


def _second_opinion(drawn: Drawn) -> Iterator[list[dict[str, Any]]]:
    """Asked for on purpose, and the reason says so; a person lets it be."""
    code = drawn.code(drawn.chance.choice(("dental-care", "primary-care")))
    yield [drawn.request("a", HERE, code)]
    yield [drawn.request("b", THERE, code, reasonCode=[{"text": "second opinion, by the client's wish"}])]


Make = Callable[[Drawn], Iterator[list[dict[str, Any]]]]
SITUATIONS: list[tuple[str, str, Make, int]] = [
    # what it is, what a person says of it, and how many of each
    ("two agencies ask for, or plan, the same service in the same months", "certain", _same, 240),
    ("... equally often", "certain", _same_dose, 70),
    ("... of the same third agency", "certain", _same_provider, 90),
    ("... one without an end", "certain", _no_end, 70),
    ("... and the times overlap by days only", "certain", _touching_middle, 50),
    ("the other agency gives it, asked by nobody here", "certain", _given_beside, 50),
    ("a code of their own that both use", "certain", _own_codes, 40),
    ("the same service, twice a week and once a month", "possible", _other_dose, 60),
    ("... how often said in words", "possible", _dose_in_words, 60),
    ("one time of it beside the weekly service", "possible", _once_beside, 50),
    ("one service includes the other", "possible", _includes, 90),
    ("one says only the category of need", "possible", _vague, 70),
    ("one says only the service area", "possible", _area_only, 60),
    ("a room and a supported room", "possible", _two_beds, 40),
    ("the same words, no codes", "possible", _same_words, 40),
    ("other words for the same, no codes", "possible", _synonyms, 40),
    ("services of which one has several", "none", _several, 180),
    ("different needs", "none", _others, 160),
    ("one begins when the other has ended", "none", _follow_on, 110),
    ("one has run out", "none", _run_out, 60),
    ("one is completed, taken back, in error or a draft", "none", _over, 90),
    ("one is a finished part of a plan", "none", _plan_over, 60),
    ("who was asked has refused or is done", "none", _refused, 60),
    ("they plan what we asked them for", "none", _fulfils, 60),
    ("they passed our request on", "none", _passed_on, 40),
    ("what is given because it was asked for", "none", _under_way, 40),
    ("a second opinion, on purpose", "none", _second_opinion, 20),
]


def pairs() -> Iterator[Labelled]:
    """Two thousand of them, the same each time."""
    number = 0
    for situation, label, make, count in SITUATIONS:
        for _ in range(count):
            number += 1
            here, there = make(Drawn(number))
            yield Labelled(number, situation, label, here, there)
