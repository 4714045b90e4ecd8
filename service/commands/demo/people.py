"""The people of the story as records of the case-management system. All of them are invented.

Days are counted from today, so that Leslie's consent is in force whenever the demo is played.
"""

from datetime import timedelta
from typing import Any

from service.casework.records import example, write
from service.kernel.clock import Clock, instant

HARBOR = "Harbor Recovery Services"
NORTHSIDE = "Northside Housing Partnership"
COUNTY = "County Access Line"
LAKEVIEW = "Lakeview Employment Center"

HOUSING = "leslie-housing-1"
JOB = "leslie-job-1"
CLIENT_WORDS = ("Moreno", "Leslie", "555-0142", "Mill Lane", "1991-11-23")
"""What would give Leslie away, wherever it turned up."""


def records(clock: Clock) -> list[tuple[str, str, dict[str, Any]]]:
    """(kind, id, record) in the order in which they must be filed, up to the consent."""
    harbor = {"name": HARBOR, "kind": "behavioral-health", "part2Program": True}
    manager = {name: value for name, value in _example("case-managers").items() if name != "supervisor"}
    return [
        ("agencies", "harbor", harbor),
        ("agencies", "northside", _example("agencies")),
        ("agencies", "lakeview", {"name": LAKEVIEW, "kind": "employment"}),
        ("case-managers", "victoria-chen", manager),
        ("clients", "leslie-moreno", _example("clients")),
        ("consents", "leslie-consent-2026", consent(clock)),
    ]


def consent(clock: Clock) -> dict[str, Any]:
    """Leslie permits Northside to learn what housing needs; Lakeview is not named."""
    now = clock()
    told = (now - timedelta(days=1)).date().isoformat()
    signed = {**_example("consents")["signature"], "at": instant(now - timedelta(minutes=5))}
    permission = {
        "recipients": [{"agency": "northside"}],
        "information": ["housing-need", "contact-details"],
        "exceptInformation": ["substance-use"],
        "purposes": ["coordination-of-care"],
    }
    return {
        **_example("consents"),
        "permissions": [permission],
        "expires": (now + timedelta(days=365)).date().isoformat(),
        "explained": told,
        "signature": signed,
    }


def housing(clock: Clock) -> dict[str, Any]:
    """Victoria asks Northside for a room."""
    now = clock()
    dates = {
        "requested": instant(now),
        "period": {"start": now.date().isoformat()},
        "answerBy": (now + timedelta(days=4)).date().isoformat(),
    }
    return {**_example("referrals"), **dates}


def job(clock: Clock) -> dict[str, Any]:
    """Victoria asks Lakeview for job training, which Leslie's consent does not cover."""
    return {
        "client": "leslie-moreno",
        "recipient": "lakeview",
        "requester": "victoria-chen",
        "service": "job-training",
        "requested": instant(clock()),
        "reason": "Leslie wants to work in a kitchen again.",
        "consents": ["leslie-consent-2026"],
    }


def call() -> dict[str, Any]:
    """What County Access Line wrote down when Leslie called."""
    return {
        "patient": {
            "name": [{"family": "Moreno", "given": ["Leslie"]}],
            "birthDate": "1991-11-23",
            "gender": "female",
        },
        "service": "Case management",
        "reason": "Asks for help with housing and with alcohol use.",
        "priority": "urgent",
    }


def _example(kind: str) -> dict[str, Any]:
    return write(example(kind))
