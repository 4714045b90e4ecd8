"""What a partner of each role may ask for unless its registration says otherwise. Data only."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

CASEWORK = "casework"
AUDITOR = "auditor"
FUNDER = "funder"
PATIENT_APP = "patient-app"

_REFERRAL = (
    "Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "Location",
    "ServiceRequest", "Task", "Condition", "Goal", "CarePlan", "CareTeam", "Observation", "Procedure",
    "Encounter", "Consent", "Questionnaire", "QuestionnaireResponse", "DocumentReference", "Binary",
    "Communication", "Provenance", "Subscription",
)  # fmt: skip
_ANSWER = (
    "Task", "Procedure", "Observation", "QuestionnaireResponse", "DocumentReference", "Binary",
    "Communication", "Provenance", "Subscription",
)  # fmt: skip
_SEEN_BY_CLIENTS = (
    "Patient", "Questionnaire", "Organization", "Practitioner", "PractitionerRole", "HealthcareService", "Location",
)  # fmt: skip
_RECORD = (*_REFERRAL, "EpisodeOfCare", "Appointment", "HealthcareService")


def _on(letters: str, types: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"system/{type_}.{letters}" for type_ in types)


ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # the case-management system itself: its own door, and everything behind the FHIR door
        CASEWORK: ("casework/*.cruds", "system/*.cruds"),
        # a partner's record system: reads what it may know, writes what it knows
        "ehr": ("system/*.rs", *_on("cruds", _RECORD)),
        # sends referrals with everything they stand on (SDOHCC ReferralSource)
        "referral-source": ("system/*.rs", *_on("cruds", _REFERRAL)),
        # answers referrals (SDOHCC ReferralRecipient and RecipientLight)
        "referral-recipient": ("system/*.rs", *_on("cruds", _ANSWER)),
        # an app that brings clients what is asked of them, and their answers back (SDOHCC PatientApp)
        PATIENT_APP: (
            *_on("rus", ("Task",)),
            *_on("crus", ("QuestionnaireResponse", "DocumentReference", "Binary")),
            *_on("cruds", ("Subscription",)),
            *_on("rs", _SEEN_BY_CLIENTS),
        ),
        # counts, never people
        FUNDER: _on("rs", ("Organization", "HealthcareService", "Location", "Measure", "MeasureReport")),
        # looks at who did what, writes nothing
        AUDITOR: _on("rs", ("AuditEvent", "Provenance", "Consent", "Organization")),
    }
)


def default_scopes(roles: Iterable[str]) -> tuple[str, ...]:
    """The scopes of all these roles, each once. KeyError for a role that does not exist."""
    return tuple(dict.fromkeys(scope for role in roles for scope in ROLES[role]))
