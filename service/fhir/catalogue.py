"""One row a resource type: routes, OpenAPI, CapabilityStatement, scopes, search, compartments and consent read it.

A new type is one row here (and a profile in fhir_profiles/). Nothing else in the service asks
`if resource_type == …` for what this table can say.
"""

from dataclasses import dataclass
from typing import Literal

Interaction = Literal["read", "vread", "create", "update", "patch", "delete", "history", "search"]
Nature = Literal["client", "directory", "definition", "record-of-access"]
"""client: about a person, goes out only with a permit. directory: agencies, people who work there, services.
definition: questionnaires and other conformance. record-of-access: audit."""

WRITABLE: tuple[Interaction, ...] = ("read", "vread", "create", "update", "delete", "history", "search")
READABLE: tuple[Interaction, ...] = ("read", "vread", "history", "search")


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """What the service does with one type.

    `patient`: top-level elements that name the client (R4 Patient compartment, the ones we key consent on).
    `profile`: ours, applied on write where the caller claims none of ours.
    `upsert`: a PUT to an unknown id creates it.
    """

    type: str
    nature: Nature
    patient: tuple[str, ...] = ()
    profile: str | None = None
    interactions: tuple[Interaction, ...] = WRITABLE
    upsert: bool = True


_ROWS = (
    ResourceSpec("Patient", "client"),
    ResourceSpec("Organization", "directory"),
    ResourceSpec("Practitioner", "directory"),
    ResourceSpec("PractitionerRole", "directory"),
    ResourceSpec("HealthcareService", "directory"),
    ResourceSpec("ServiceRequest", "client", ("subject",)),
    ResourceSpec("Task", "client", ("for",)),
    ResourceSpec("CarePlan", "client", ("subject",)),
    ResourceSpec("Goal", "client", ("subject",)),
    ResourceSpec("Condition", "client", ("subject",)),
    ResourceSpec("Encounter", "client", ("subject",)),
    ResourceSpec("Observation", "client", ("subject",)),
    ResourceSpec("Procedure", "client", ("subject",)),
    ResourceSpec("Questionnaire", "definition"),
    ResourceSpec("QuestionnaireResponse", "client", ("subject",)),
    ResourceSpec("Consent", "client", ("patient",)),
    ResourceSpec("Provenance", "client", ()),
)

catalogue: dict[str, ResourceSpec] = {row.type: row for row in _ROWS}

DIRECTORY = tuple(row.type for row in _ROWS if row.nature in ("directory", "definition"))
"""Types that name no client: every authenticated caller whose scopes allow it may read them."""
