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
INTENSITY_TIER: Final = profile("intensity")
CRISIS_PROCEDURE: Final = profile("crisis-procedure")
NEXT_REVIEW: Final = profile("next-review")
DIRECT_CONTACT: Final = profile("direct-contact")
NEXT_STEPS: Final = profile("next-steps")
TOOK_PART: Final = profile("took-part")
PLACE: Final = profile("place")
GPRA_INTERVIEW: Final = profile("gpra-interview")
PRIMARY: Final = profile("primary-case-manager")
COVERS_FOR: Final = profile("covers-for")
ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
CLOSING_PLANNED: Final = profile("closing-planned")
SESSIONS: Final = profile("sessions")
GOAL_SERVED: Final = "http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal"
INTERPRETER: Final = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"

SDOHCC: Final = "http://hl7.org/fhir/us/sdoh-clinicalcare"
SDOHCC_CODES: Final = f"{SDOHCC}/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"
CAPACITY: Final = f"{SDOHCC}/StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus"
ASSURED_ON: Final = profile("assured-on")
FOR_APPOINTMENT: Final = f"{SDOHCC}/StructureDefinition/SDOHCC-ExtensionHealthcareServiceTelecomAppointment"

SNOMED: Final = "http://snomed.info/sct"
HCPCS: Final = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
LOINC: Final = "http://loinc.org"
BCP47: Final = "urn:ietf:bcp:47"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
CONSENT_ACTION: Final = "http://terminology.hl7.org/CodeSystem/consentaction"
UCUM: Final = "http://unitsofmeasure.org"
OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
US_CORE_CATEGORY: Final = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category"
SDC_TEMP: Final = "http://hl7.org/fhir/uv/sdc/CodeSystem/temp"
TASK_CODE: Final = "http://hl7.org/fhir/CodeSystem/task-code"

RSS_SERVICE: Final = code_system("rss-service")
SERVICE_AREA: Final = code_system("service-area")
INFORMATION: Final = code_system("information-category")
PURPOSE: Final = code_system("consent-purpose")
CASE_ROLE: Final = code_system("case-role")
DUE_TASK: Final = code_system("due-task")
TASK_DETAIL: Final = code_system("task-detail")
RELATIONSHIP: Final = code_system("support-relationship")
AGENCY_KIND: Final = code_system("agency-kind")
AGREEMENT: Final = code_system("agency-agreement")
ORDER_DETAIL: Final = code_system("order-detail")
BUSINESS_STATUS: Final = code_system("referral-business-status")
REFERRAL_OUTPUT: Final = code_system("referral-output")
QUALIFICATION: Final = code_system("qualification")
RECIPIENT_CLASS: Final = code_system("recipient-class")
WITHHELD: Final = code_system("information-withheld")
CONSENT_ACTOR: Final = code_system("consent-actor-role")
EXPIRY: Final = code_system("consent-expiry-event")
INTENSITY: Final = code_system("intensity")
CONTACT_MODE: Final = code_system("contact-mode")
ACTIVITY: Final = code_system("case-management-activity")
BILLING: Final = code_system("contact-billing")
GOAL_PROGRESS: Final = code_system("goal-progress")
NO_SERVICE: Final = code_system("no-service-reason")
PLAN_CATEGORY: Final = code_system("plan-category")
PLAN_SIGNER: Final = code_system("plan-signer")
SCORE: Final = code_system("instrument-score")
CLIENT_FLAG: Final = code_system("client-flag")
CLOSING: Final = code_system("closing")
CLOSING_REASON: Final = code_system("closing-reason")
