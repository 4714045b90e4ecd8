"""The answers: Permit and Deny. A Permit is made by `decide` alone; `release` turns it into a document."""

from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Literal

from service.consent.request import Labelled, Path

Basis = Literal[
    "consent", "emergency", "audit-evaluation", "qsoa", "court-order", "tpo",
    "author", "custodian", "directory", "conformance", "synthetic", "empty",
]  # fmt: skip
"""On which ground something goes. `synthetic`: a self-test, about nobody. `empty`: a document with nothing in it."""

ReasonCode = Literal[
    "no-consent", "consent-not-active", "consent-not-in-force", "consent-unsigned", "consent-deficient",
    "consent-not-verified",
    "discloser-not-named", "recipient-not-named", "purpose-not-covered", "data-not-covered", "denied-by-client",
    "proceedings-not-consented", "notes-not-consented", "wrong-patient", "unknown-patient", "mask-breaks-profile",
    "emergency-incomplete", "emergency-over", "emergency-recipient", "emergency-patient", "emergency-purpose",
    "ground-data", "agreement-not-in-force", "agreement-recipient",
    "agreement-purpose", "agreement-patient",
]  # fmt: skip

SEAL = object()
"""Known to `decide` alone (tests/consent/test_release.py holds this): whoever lacks it makes no Permit."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """One resource that may go, on which basis, without the masked elements. `consent`: on whose word, as the consent
    or the id under which another ground is on record. `purpose`: the ground's own, if it was a ground."""

    item: Labelled
    basis: Basis
    consent: str = ""
    masks: tuple[Path, ...] = ()
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Withholding:
    """One resource that may not go. `text` names no clinical content."""

    reference: str
    code: ReasonCode
    text: str


@dataclass(frozen=True, slots=True)
class Deny:
    """Nothing goes. `text` is a sentence for a person and names no clinical content."""

    code: ReasonCode
    text: str
    withheld: tuple[Withholding, ...] = ()


@dataclass(frozen=True, slots=True)
class Permit:
    """This goes: `cleared`, to `recipient`, for `purpose`. `basis` is the weightiest of the resources' own.

    `explanation`: the clear explanation of the consent's scope that 2.32(b) wants. `copies`: where a copy is.
    """

    basis: Basis
    recipient: str
    purpose: str
    decided_at: datetime
    cleared: tuple[Cleared, ...]
    withheld: tuple[Withholding, ...] = ()
    consents: tuple[str, ...] = ()
    explanation: str = ""
    copies: tuple[str, ...] = ()
    document: str = ""
    covered_entity: bool = False
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        """TypeError for a Permit that was not decided."""
        if seal is not SEAL:
            raise TypeError("only consent.decide makes a Permit")

    @property
    def part2(self) -> bool:
        """Does Part 2 content go?"""
        return any(cleared.item.labels.part2 for cleared in self.cleared)
