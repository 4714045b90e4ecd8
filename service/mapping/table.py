"""The table of mappings: kind of record → the two functions. A new kind is one row."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from service.casework.records import Record
from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject
from service.mapping import (
    agency,
    assessment,
    care_plan,
    case_manager,
    client,
    client_task,
    closing,
    complaint,
    consent,
    encounter,
    gpra_interview,
    inbound,
    referral,
    satisfaction,
    service_outcome,
)
from service.mapping.context import Mapped, MappingContext, Told, note
from service.mapping.dropped import dropped
from service.mapping.withdraw import withdrawn

VERSION: Final = "4"
"""Raised with every change of what a record becomes; Provenance carries it, `casebridge remap` reads it."""


class Unreadable(LookupError):
    """Valid FHIR that no record of ours can say, such as an active consent without a signature. Quotes
    nothing."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Both ways between one kind of record and FHIR. Pure: the same arguments give the same answer."""

    to_fhir: Callable[[Any, MappingContext], Mapped]
    to_record: Callable[[tuple[JsonObject, ...], MappingContext], Told[Any]]


def _served(made: Mapped) -> Mapped:
    """Without resources of types the service does not keep; the notes name those types."""
    apart = sorted({r["resourceType"] for r in made.resources} - catalogue.keys())
    kept = tuple(r for r in made.resources if r["resourceType"] in catalogue)
    return Mapped(
        kept, (*made.notes, *(note(f"{name} is not kept here", rule="type-not-kept") for name in apart))
    )


def _row(
    to_fhir: Callable[[Any, MappingContext], Mapped],
    to_record: Callable[[tuple[JsonObject, ...], MappingContext], Told[Any]],
) -> Mapping:
    def read(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[Any]:
        try:
            told = to_record(resources, context)
            again = to_fhir(told.record, context).resources
            return Told(told.record, (*told.notes, *dropped(resources, again, told.notes)))
        except ValidationError as error:
            places = {".".join(map(str, detail["loc"])) for detail in error.errors(include_input=False)}
            raise Unreadable(f"no record can say this: {', '.join(sorted(places))}") from None

    return Mapping(lambda record, context: _served(to_fhir(record, context)), read)


table: Final = MappingProxyType(
    {
        "clients": _row(client.to_fhir, client.to_record),
        "case-managers": _row(case_manager.to_fhir, case_manager.to_record),
        "agencies": _row(agency.to_fhir, agency.to_record),
        "consents": _row(consent.to_fhir, consent.to_record),
        "assessments": _row(assessment.to_fhir, assessment.to_record),
        "care-plans": _row(care_plan.to_fhir, care_plan.to_record),
        "encounters": _row(encounter.to_fhir, encounter.to_record),
        "gpra-interviews": _row(gpra_interview.to_fhir, gpra_interview.to_record),
        "service-outcomes": _row(service_outcome.to_fhir, service_outcome.to_record),
        "complaints": _row(complaint.to_fhir, complaint.to_record),
        "satisfactions": _row(satisfaction.to_fhir, satisfaction.to_record),
        "closings": _row(closing.to_fhir, closing.to_record),
        "client-tasks": _row(client_task.to_fhir, client_task.to_record),
        "referrals": _row(referral.to_fhir, inbound.told),
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
    return Mapped((*made.resources, *gone), made.notes)


def withdraw(kind: str, record: Record, context: MappingContext) -> Mapped:
    """What a deleted record leaves: its resources, entered in error or no longer active."""
    return Mapped(tuple(map(withdrawn, table[kind].to_fhir(record, context).resources)))
