"""The table of mappings: kind of record → the two functions. A new kind is one row."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from service.casework.records import Record
from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject
from service.mapping import agency, case_manager, client, consent, referral
from service.mapping.context import Mapped, MappingContext, Told, note
from service.mapping.withdraw import withdrawn

VERSION: Final = "1"
"""Raised with every change of what a record becomes; Provenance carries it, `casebridge remap` reads it."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Both ways between one kind of record and FHIR. Pure: the same arguments give the same answer."""

    to_fhir: Callable[[Any, MappingContext], Mapped]
    to_record: Callable[[tuple[JsonObject, ...], MappingContext], Told[Any]]


table: Final = MappingProxyType(
    {
        "clients": Mapping(client.to_fhir, client.to_record),
        "case-managers": Mapping(case_manager.to_fhir, case_manager.to_record),
        "agencies": Mapping(agency.to_fhir, agency.to_record),
        "consents": Mapping(consent.to_fhir, consent.to_record),
        "referrals": Mapping(referral.to_fhir, referral.to_record),
    }
)


def replace(kind: str, record: Record, previous: Record | None, context: MappingContext) -> Mapped:
    """What a record becomes now, together with the withdrawal of what its previous version was and it is not.

    Use this for every PUT: a permission dropped from a consent must not stay permitted. Resources of types
    the service does not keep are left out and named in the notes.
    """
    made = table[kind].to_fhir(record, context)
    before = table[kind].to_fhir(previous, context).resources if previous else ()
    kept = {(r["resourceType"], r["id"]) for r in made.resources}
    gone = tuple(withdrawn(r) for r in before if (r["resourceType"], r["id"]) not in kept)
    return _served(Mapped((*made.resources, *gone), made.notes))


def withdraw(kind: str, record: Record, context: MappingContext) -> Mapped:
    """What a deleted record leaves: its resources, entered in error or no longer active."""
    return _served(Mapped(tuple(map(withdrawn, table[kind].to_fhir(record, context).resources))))


def _served(made: Mapped) -> Mapped:
    apart = sorted({r["resourceType"] for r in made.resources} - catalogue.keys())
    kept = tuple(r for r in made.resources if r["resourceType"] in catalogue)
    return Mapped(
        kept, (*made.notes, *(note(f"{name} is not kept here", rule="type-not-kept") for name in apart))
    )
