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

WRITABLE: tuple[Interaction, ...] = (
    "read",
    "vread",
    "create",
    "update",
    "patch",
    "delete",
    "history",
    "search",
)
READABLE: tuple[Interaction, ...] = ("read", "vread", "history", "search")


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """What the service does with one type.

    `patient`: top-level elements that name the client (R4 Patient compartment, the ones we key consent on).
    `profile`: ours, applied on write where the caller claims none of ours; what it asks beyond R4 is then a
    warning, since nobody promised it. A claimed profile is enforced (docs/decisions/whose-profile.md).
    `upsert`: a PUT to an unknown id creates it.
    `loose`: top-level elements whose references do not keep their target from deletion.
    """

    type: str
    nature: Nature
    patient: tuple[str, ...] = ()
    profile: str | None = None
    interactions: tuple[Interaction, ...] = WRITABLE
    upsert: bool = True
    loose: tuple[str, ...] = ()
    supported: tuple[str, ...] = ()
    """Profiles of guides that this server keeps to for the type."""
    through: tuple[str, ...] = ()
    """Top-level elements that name what it is about: whose data that is, this is too (Provenance in bulk exports)."""
    exported: bool = True
    """Whether bulk exports have it as lines of its own; a Binary is fetched by the url of the attachment naming it."""


_OURS = "https://casebridge.example/fhir/StructureDefinition/casebridge-"

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription"

_ROWS = (
    # the client and the people around
    ResourceSpec("Patient", "client", profile=_OURS + "client"),
    ResourceSpec("RelatedPerson", "client", ("patient",)),
    ResourceSpec("EpisodeOfCare", "client", ("patient",), profile=_OURS + "episode"),
    ResourceSpec("CareTeam", "client", ("subject",), profile=_OURS + "care-team"),
    # what is planned, asked and done
    ResourceSpec("CarePlan", "client", ("subject",), profile=_OURS + "care-plan"),
    ResourceSpec("Goal", "client", ("subject",), profile=_OURS + "goal"),
    ResourceSpec("Condition", "client", ("subject",), profile=_OURS + "need"),
    ResourceSpec("ServiceRequest", "client", ("subject",), profile=_OURS + "referral-request"),
    ResourceSpec("Task", "client", ("for",)),  # a referral, a patient's or a due Task: the claim says which
    ResourceSpec("Encounter", "client", ("subject",), profile=_OURS + "encounter"),
    ResourceSpec("Procedure", "client", ("subject",), profile=_OURS + "service-delivered"),
    ResourceSpec("Communication", "client", ("subject",)),
    ResourceSpec("CommunicationRequest", "client", ("subject",)),
    ResourceSpec("Appointment", "client"),
    ResourceSpec("DocumentReference", "client", ("subject",)),
    ResourceSpec("Binary", "client", ("securityContext",), exported=False),
    ResourceSpec("Flag", "client", ("subject",)),
    ResourceSpec("DetectedIssue", "client", ("patient",)),
    ResourceSpec("Group", "client"),
    ResourceSpec("List", "client", ("subject",), loose=("entry",)),
    # what was asked and answered, measured and found
    ResourceSpec("Questionnaire", "definition"),
    ResourceSpec("QuestionnaireResponse", "client", ("subject",), profile=_OURS + "assessment-response"),
    ResourceSpec("Observation", "client", ("subject",)),
    ResourceSpec("Measure", "definition"),
    ResourceSpec("MeasureReport", "client", ("subject",)),
    # permission and proof
    ResourceSpec("Consent", "client", ("patient",), profile=_OURS + "consent"),
    ResourceSpec(
        "Provenance", "client", profile=_OURS + "provenance", loose=("target", "entity"), through=("target",)
    ),
    # nobody's but its maker's: what is not shared with anybody nobody else sees
    ResourceSpec("Subscription", "client", supported=(_BACKPORT,)),
    # who there is
    ResourceSpec("Organization", "directory", profile=_OURS + "agency"),
    ResourceSpec("OrganizationAffiliation", "directory"),
    ResourceSpec("Practitioner", "directory", profile=_OURS + "case-manager"),
    ResourceSpec("PractitionerRole", "directory", profile=_OURS + "case-manager-role"),
    ResourceSpec("HealthcareService", "directory", profile=_OURS + "programme"),
    ResourceSpec("Location", "directory"),
    ResourceSpec("Endpoint", "directory"),
)

catalogue: dict[str, ResourceSpec] = {row.type: row for row in _ROWS}

DIRECTORY = tuple(row.type for row in _ROWS if row.nature in ("directory", "definition"))
"""Types that name no client: every authenticated caller whose scopes allow it may read them."""
