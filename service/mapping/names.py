"""Every URL the mapping writes, once: canonicals, identifier systems, profiles, extensions, code systems."""

from typing import Final

CANONICAL: Final = "https://casebridge.example/fhir"
"""Where our artefacts live; an operator re-bases them with one setting."""


def profile(name: str) -> str:
    """The canonical of one of our profiles or extensions."""
    return f"{CANONICAL}/StructureDefinition/{name}"


def code_system(name: str) -> str:
    """The canonical of one of our code systems."""
    return f"{CANONICAL}/CodeSystem/{name}"


def identifier_system(noun: str) -> str:
    """The identifier system of one kind of record, noun in the singular: `…/identifier/referral`."""
    return f"{CANONICAL}/identifier/{noun}"


CONTACT_PERMITTED: Final = profile("contact-permitted")
CONTACT_NOTE: Final = profile("contact-note")
BACKGROUND_CHECK: Final = profile("background-check")
SUPERVISOR: Final = profile("supervisor")
PART2_PROGRAM: Final = profile("part2-program")
COVERED_ENTITY: Final = profile("hipaa-covered-entity")
ALL_INFORMATION: Final = profile("consent-all-information")
EXPIRY_EVENT: Final = profile("consent-expiry-event")
STATEMENT: Final = profile("consent-statement")
SIGNER: Final = profile("consent-signer")
REVOCATION: Final = profile("consent-revocation")
GOAL_SERVED: Final = "http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal"
INTERPRETER: Final = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"

SDOHCC: Final = "http://hl7.org/fhir/us/sdoh-clinicalcare"
SDOHCC_CODES: Final = f"{SDOHCC}/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"
CAPACITY: Final = f"{SDOHCC}/StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus"
FOR_APPOINTMENT: Final = f"{SDOHCC}/StructureDefinition/SDOHCC-ExtensionHealthcareServiceTelecomAppointment"

SNOMED: Final = "http://snomed.info/sct"
LOINC: Final = "http://loinc.org"
BCP47: Final = "urn:ietf:bcp:47"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
CONSENT_ACTION: Final = "http://terminology.hl7.org/CodeSystem/consentaction"
TASK_CODE: Final = "http://hl7.org/fhir/CodeSystem/task-code"

RSS_SERVICE: Final = code_system("rss-service")
SERVICE_AREA: Final = code_system("service-area")
INFORMATION: Final = code_system("information-category")
PURPOSE: Final = code_system("consent-purpose")
WORKER_ROLE: Final = code_system("worker-role")
RELATIONSHIP: Final = code_system("support-relationship")
AGENCY_KIND: Final = code_system("agency-kind")
ORDER_DETAIL: Final = code_system("order-detail")
REFERRAL_OUTPUT: Final = code_system("referral-output")
QUALIFICATION: Final = code_system("qualification")
RECIPIENT_CLASS: Final = code_system("recipient-class")
WITHHELD: Final = code_system("information-withheld")
CONSENT_ACTOR: Final = code_system("consent-actor-role")
EXPIRY: Final = code_system("consent-expiry-event")
INTENSITY: Final = code_system("intensity")
CLIENT_FLAG: Final = code_system("client-flag")
