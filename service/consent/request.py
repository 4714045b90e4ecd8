"""The question put to consent: who wants what, about whom, for what, when, and on which ground."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Literal

from service.fhir.json import JsonObject

Path = tuple[str | int, ...]
"""Where an element is inside a resource: `("reasonCode", 0)`."""


@dataclass(frozen=True, slots=True)
class Sensitive:
    """An element whose codes make the resource sensitive."""

    path: Path
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Labels:
    """What a resource is, for consent. `marks` are sensitivities (v3-ActCode); `confidentiality` is one code.

    `handling` keeps labels received from others that must persist (refrain and obligation codes).
    """

    part2: bool = False
    marks: frozenset[str] = frozenset()
    confidentiality: str = "N"
    handling: tuple[tuple[str, str], ...] = ()

    @property
    def protected(self) -> bool:
        """Needs the client's word (or a ground the law names): Part 2 data, and any sensitivity."""
        return self.part2 or bool(self.marks) or self.confidentiality in ("R", "V")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A resource with everything the decision needs to know; `resource` is what will be released.

    `raw`: the stored bytes of that same resource, released untouched where nothing is to be added or removed.
    `author`: the organisation whose own word it still is; `custodian`: the one whose record it is. `sensitive`:
    elements that could be masked, and what they reveal.
    """

    reference: str
    type: str
    nature: Literal["client", "directory", "definition"]
    resource: JsonObject = field(repr=False)
    labels: Labels = field(default_factory=Labels, repr=False)
    patient: str = ""
    author: str = ""
    custodian: str = ""
    raw: bytes | None = field(default=None, repr=False)
    classes: frozenset[tuple[str, str]] = frozenset()
    codes: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    mentions: frozenset[str] = frozenset()
    written_by: frozenset[str] = frozenset()
    span: tuple[datetime | None, datetime | None] | None = None
    sensitive: tuple[Sensitive, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Directory:
    """What the partner registry and the care teams say, as data.

    `names`: organisation → every other reference it is known by (absolute URL, `system|value`, its Endpoint).
    `members`: class, Group, CareTeam or intermediary → the organisations in it now. `circles`: client → the same for
    classes that mean something else for each client ("my treating providers").
    `titles`: organisation → its name, for sentences. `covered`: HIPAA covered entities and associates.
    """

    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    circles: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    covered: frozenset[str] = frozenset()

    def known_as(self, organisation: str) -> frozenset[str]:
        """Every reference that means this organisation itself."""
        return self.names.get(organisation, frozenset()) | {organisation}

    def classes_of(self, organisation: str, patient: str = "") -> frozenset[str]:
        """Every class, group or team that holds it, for this client."""
        own = self.known_as(organisation)
        groups = (*self.members.items(), *self.circles.get(patient, {}).items())
        return frozenset(group for group, members in groups if members & own)

    def title(self, organisation: str) -> str:
        """Its name, or its reference."""
        return self.titles.get(organisation, organisation)


@dataclass(frozen=True, slots=True)
class Posture:
    """How this deployment stands to the law; there is no default for `part2_program` on purpose.

    `organization`: whose service this is. `tpo_without_consent`: unprotected data may go for treatment,
    payment and operations to covered entities as HIPAA allows (45 CFR 164.506). `zone`: where its days begin.
    """

    part2_program: bool
    organization: str
    tpo_without_consent: bool = False
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Emergency:
    """42 CFR 2.51: the facts to record at once: recipient and affiliation, discloser, time, nature.

    `recipient` is the organisation the named person works for, `patients` are whom the emergency is about; it opens
    their data from `at` until `until`, of `types` only where some are named. `id`: under which the act is on record.
    """

    recipient_name: str
    recipient_affiliation: str
    discloser: str
    at: datetime | None
    nature: str
    recipient: str
    patients: frozenset[str]
    until: datetime
    types: frozenset[str] = frozenset()
    id: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A written ground other than consent: 2.53 audit or evaluation, 2.11 QSOA, 2.61 ff. court order.

    `document` identifies the agreement or order; `patients` limits it (a court order must), None is all; so does
    `types`, where some are named; `purposes` and the time from `start` to `end` are the agreement's own.
    """

    basis: Literal["audit-evaluation", "qsoa", "court-order"]
    document: str
    recipient: str
    purposes: frozenset[str]
    start: datetime
    end: datetime | None = None
    patients: frozenset[str] | None = None
    types: frozenset[str] = frozenset()
    id: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One document to one recipient. `recipient` is the organisation's own reference.

    `patient`: whom it is about ("": each resource's own, as in a search). `essential`: references without
    which nothing goes; types count too. `ground`: an explicit ground other than consent, if one is invoked: it decides
    alone. `recorded`: such grounds that are on record for the recipient, used where the clients' consents say no.
    """

    recipient: str
    purpose: str
    resources: tuple[Labelled, ...]
    now: datetime
    patient: str = ""
    patient_also: frozenset[str] = frozenset()
    essential: frozenset[str] = frozenset({"Patient", "ServiceRequest", "Task"})
    ground: Emergency | Agreement | None = None
    recorded: tuple[Emergency | Agreement, ...] = ()
