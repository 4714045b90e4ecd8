"""What a mapping is told and what it answers. Everything frozen; nothing here asks the time or the
database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Generic, TypeVar

from service.casework.records import Record
from service.fhir.json import JsonObject
from service.fhir.outcome import Issue

R = TypeVar("R")


@dataclass(frozen=True)
class Directory:
    """Which resource stands for which record, where that is not the derived one: `("agencies",
    "northside")` → `Organization/8f…` for an agency that is also a partner of ours. Filled by the flow
    before mapping."""

    references: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @cached_property
    def records(self) -> Mapping[str, tuple[str, str]]:
        """The other way: reference → (kind, record id)."""
        return {reference: record for record, reference in self.references.items()}


@dataclass(frozen=True)
class Source:
    """The case-management system whose records these are.

    `key`: short and stable for ever (`harbor`): part of every derived id and business identifier.
    `organization`: the reference of its own organisation (`Organization/…`); `agency`: its own agency id,
    where it has a record of itself.
    """

    key: str
    organization: str
    agency: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class MappingContext:
    """Where and when the mapping happens, and for whom.

    `base`: our public FHIR base URL; references to it are the same as relative ones. `now`: aware.
    """

    base: str
    now: datetime
    source: Source
    directory: Directory = Directory()


@dataclass(frozen=True)
class Mapped:
    """FHIR made from one record: `resources` in an order in which each names only earlier ones, the last
    being what the record is about; `notes` name what could not be carried."""

    resources: tuple[JsonObject, ...]
    notes: tuple[Issue, ...] = ()

    def of(self, resource_type: str) -> tuple[JsonObject, ...]:
        """The resources of this type."""
        return tuple(r for r in self.resources if r["resourceType"] == resource_type)


@dataclass(frozen=True)
class Told(Generic[R]):
    """A record read from FHIR; `notes` name what the record cannot carry. The resources keep it."""

    record: R
    notes: tuple[Issue, ...] = ()


AnyTold = Told[Record]


def note(text: str, expression: str = "", rule: str = "mapping-not-carried") -> Issue:
    """Something the other side cannot carry, said for a person; never quotes content."""
    return Issue("information", "informational", text, expression, rule)


def one(resources: Iterable[JsonObject], resource_type: str) -> JsonObject | None:
    """The first resource of this type."""
    return next((r for r in resources if r["resourceType"] == resource_type), None)
