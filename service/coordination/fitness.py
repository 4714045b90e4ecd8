"""May this worker lead this client? Qualification, supervision and background check (000 2a-d, 004 2.01-2.05).

What is asked is a table here; how hard it is asked is the operator's (CASEBRIDGE_LEAD_RULES): `warn` tells and goes on,
`block` refuses, `off` does not ask. The agency answers for its people: this only makes sure that nobody overlooks it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

Severity = Literal["off", "warn", "block"]

RULES: Final[Mapping[str, tuple[Severity, str]]] = {
    "inactive": ("block", "this case manager is no longer active, or the agency is closed"),
    "check-failed": ("block", "this case manager's background check is not cleared or has expired"),
    "check-missing": ("warn", "no background check for people like this client is on record for this case manager"),
    "qualification": ("warn", "neither a degree nor two years in the service are on record for this case manager"),
    "supervisor": ("warn", "no supervisor is on record for this case manager"),
    "unknown": ("warn", "nothing is on record about this case manager's qualification, check and supervision"),
}  # fmt: skip
"""Rule → how hard it is asked unless the operator says otherwise, and its sentence."""

QUALIFIES: Final = frozenset({"bachelor-equivalent", "two-years-in-service"})
CHECKED: Final[Mapping[str, str]] = {
    "minor": "minors",
    "developmental-disability": "developmentally-disabled",
    "elderly": "elderly",
}
"""A population among clients → whom a background check clears a worker to serve."""
ADULT, ELDERLY = 18, 65
"""Years of age from which a client is an adult, and elderly (45 CFR 1321: 60; Medicare: 65)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is on record about a worker. `check` None: none; `cleared_for` empty: not said for whom."""

    active: bool = True
    qualifications: frozenset[str] = frozenset()
    supervisor: bool = False
    check: Literal["cleared", "pending", "not-cleared", "expired"] | None = None
    check_expires: date | None = None
    cleared_for: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is not met."""

    rule: str
    blocks: bool
    text: str


def severities(said: Iterable[str]) -> Mapping[str, Severity]:
    """The rules with what the operator says (`supervisor=block`). ValueError for a rule or word that is none."""
    chosen: dict[str, Severity] = {rule: severity for rule, (severity, _) in RULES.items()}
    for each in said:
        rule, _, word = each.partition("=")
        if rule not in RULES or word not in ("off", "warn", "block"):
            raise ValueError(f"{each!r} should be RULE=off, warn or block, with a RULE of {', '.join(RULES)}")
        chosen[rule] = "off" if word == "off" else "warn" if word == "warn" else "block"
    return chosen


def populations(said: Iterable[str], born: date | None, today: date) -> frozenset[str]:
    """Of which populations a client is: as the record says, and by age."""
    found = {each for each in said if each in CHECKED}
    if born is not None:
        age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        found |= {"minor"} if age < ADULT else {"elderly"} if age >= ELDERLY else set()
    return frozenset(found)


def findings(
    worker: Facts | None, client: frozenset[str], today: date, chosen: Mapping[str, Severity]
) -> list[Finding]:
    """What speaks against this worker, in the order of the table; `worker` None: nothing is on record."""
    broken = {"unknown"} if worker is None else set(_broken(worker, client, today))
    return [
        Finding(rule, chosen[rule] == "block", text)
        for rule, (_, text) in RULES.items()
        if rule in broken and chosen[rule] != "off"
    ]


def _broken(worker: Facts, client: frozenset[str], today: date) -> Iterator[str]:
    if not worker.active:
        yield "inactive"
    if not worker.qualifications & QUALIFIES:
        yield "qualification"
    if not worker.supervisor:
        yield "supervisor"
    if not client:
        return
    over = worker.check_expires is not None and worker.check_expires < today
    if worker.check in ("not-cleared", "expired") or (worker.check == "cleared" and over):
        yield "check-failed"
    elif worker.check != "cleared" or (
        worker.cleared_for and not {CHECKED[p] for p in client} <= worker.cleared_for
    ):
        yield "check-missing"
