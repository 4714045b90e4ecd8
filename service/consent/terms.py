"""The words consent is written in, as tables: purposes, labels, roles, and which data concerns nobody.

HL7 v3-ActReason, v3-ActCode and v3-Confidentiality (UTG 11.0.0); 42 CFR Part 2. Where our tables differ from
the code system it says so.
"""

from collections.abc import Mapping
from types import MappingProxyType

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"

PURPOSE_PARENT: Mapping[str, str] = MappingProxyType(
    {
        "TREAT": "TPO",
        "HPAYMT": "TPO",
        "HOPERAT": "TPO",
        "COC": "TREAT",
        "CLINTRCH": "TREAT",
        "ETREAT": "TREAT",
        "BTG": "ETREAT",
        "ERTREAT": "TREAT",
        "POPHLTH": "TREAT",
        "CAREMGT": "HOPERAT",
        "HACCRED": "HOPERAT",
        "HCOMPL": "HOPERAT",
        "HOUTCOMS": "HOPERAT",
        "HPRGRP": "HOPERAT",
        "HQUALIMP": "HOPERAT",
        "HSYSADMIN": "HOPERAT",
        "MEMADMIN": "HOPERAT",
        "PATADMIN": "HOPERAT",
        "PATSFTY": "HOPERAT",
        "PERFMSR": "HOPERAT",
        "RECORDMGT": "HOPERAT",
        "TRAIN": "HOPERAT",
        "CLMATTCH": "HPAYMT",
        "COVAUTH": "HPAYMT",
        "COVERAGE": "HPAYMT",
        "ELIGDTRM": "HPAYMT",
        "ELIGVER": "HPAYMT",
        "ENROLLM": "HPAYMT",
    }
)
"""Purpose → the wider purpose it is part of. TPO is the rule's phrase (2.31(a)(4)(i)), not a code.
HLEGAL is a HOPERAT in the code system; here it is not, for 2.31(d) wants proceedings consented apart."""

PROCEEDINGS = "HLEGAL"
RESEARCH = "HRESCH"

SENSITIVITY_PARENT: Mapping[str, str] = MappingProxyType(
    {
        "MH": "BH",
        "PSY": "BH",
        "SUD": "BH",
        "COGN": "BH",
        "DVD": "BH",
        "EMOTDIS": "BH",
        "ETHUD": "SUD",
        "OPIOIDUD": "SUD",
        "PSYTHPN": "PSY",
        "MST": "SDV",
        "STD": "SEX",
    }
)
SENSITIVITY_ALIAS: Mapping[str, str] = MappingProxyType({"ETH": "SUD"})
"""ETH, 'substance abuse information', is the older word for SUD."""

SENSITIVITIES = frozenset(
    {
        *SENSITIVITY_PARENT,
        *SENSITIVITY_PARENT.values(),
        *SENSITIVITY_ALIAS,
        *("HIV", "VIO", "GDIS", "SICKLE", "SPI", "B42", "ADOL", "CEL", "DIA", "EMP", "LOCIS", "SSP"),
    }
)
COUNSELLING_NOTES = "PSYTHPN"
PART2 = "42CFRPart2"

RANK: Mapping[str, int] = MappingProxyType({"U": 0, "L": 1, "M": 2, "N": 3, "R": 4, "V": 5})
"""v3-Confidentiality, a high-water mark: a label covers itself and everything lower."""

RECIPIENT_CLASS = "https://casebridge.example/fhir/CodeSystem/recipient-class"
"""The system of the classes that a consent may name instead of a recipient (2.31(a)(4))."""

TREATING, TEAM, OPERATORS, PARTICIPANTS = (
    f"{RECIPIENT_CLASS}|{code}"
    for code in ("treating-providers", "care-team", "program-operators", "intermediary-participants")
)
INTERMEDIARY = "intermediary"

RECIPIENT_ROLES = frozenset({"IRCP", "PRCP"})
CUSTODIAN_ROLES = frozenset({"CST"})
DISCLOSING_ACTIONS = frozenset({"access", "disclose"})

CONFORMANCE = frozenset(
    {
        *("CapabilityStatement", "StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap"),
        *("SearchParameter", "OperationDefinition", "CompartmentDefinition", "ImplementationGuide"),
        *("NamingSystem", "Questionnaire", "PlanDefinition", "ActivityDefinition", "Measure", "Library"),
        *("SubscriptionTopic", "OperationOutcome", "TerminologyCapabilities", "MessageDefinition"),
        "MessageHeader",
    }
)
"""Definitions and answers without a client in them, beside what the catalogue knows."""

NOTICE = (
    "This record which has been disclosed to you is protected by Federal confidentiality rules (42 "
    "CFR part 2). These rules prohibit you from using or disclosing this record, or testimony that "
    "describes the information contained in this record, in any civil, criminal, administrative, or "
    "legislative proceedings by any Federal, State, or local authority, against the patient, unless "
    "authorized by the consent of the patient, except as provided at 42 CFR 2.12(c)(5) or as "
    "authorized by a court in accordance with 42 CFR 2.64 or 2.65. In addition, the Federal rules "
    "prohibit you from making any other use or disclosure of this record unless at least one of the "
    "following applies: (i) Further use or disclosure is expressly permitted by the written consent "
    "of the individual whose information is being disclosed in this record or as otherwise permitted "
    "by 42 CFR part 2. (ii) You are a covered entity or business associate and have received the "
    "record for treatment, payment, or health care operations, or (iii) You have received the record "
    "from a covered entity or business associate as permitted by 45 CFR part 164, subparts A and E. A "
    "general authorization for the release of medical or other information is NOT sufficient to meet "
    "the required elements of written consent to further use or redisclose the record (see 42 CFR "
    "2.31)."
)
"""42 CFR 2.32(a)(1), word for word."""

SHORT_NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
"""42 CFR 2.32(a)(2), word for word."""

PURPOSE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "TPO": "treatment, payment and health care operations",
        "TREAT": "treatment",
        "COC": "coordination of care",
        "CAREMGT": "care management",
        "ETREAT": "emergency treatment",
        "BTG": "a medical emergency",
        "HPAYMT": "payment",
        "HOPERAT": "health care operations",
        "HPRGRP": "programme reporting",
        "HLEGAL": "legal proceedings",
        "HRESCH": "research",
        "PATRQT": "the client's own request",
        "PUBHLTH": "public health",
    }
)


def purpose_within(narrow: str, wide: str) -> bool:
    """True when everything done for `narrow` is also done for `wide` (COC ⊂ TREAT ⊂ TPO)."""
    return wide in _upwards(narrow, PURPOSE_PARENT)


def sensitivity_within(narrow: str, wide: str) -> bool:
    """True when information of kind `narrow` is also of kind `wide` (OPIOIDUD ⊂ SUD ⊂ BH)."""
    return SENSITIVITY_ALIAS.get(wide, wide) in _upwards(
        SENSITIVITY_ALIAS.get(narrow, narrow), SENSITIVITY_PARENT
    )


def purpose_words(purpose: str) -> str:
    """A purpose for people."""
    return PURPOSE_WORDS.get(purpose, f"the purpose {purpose}")


def _upwards(code: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    chain = [code]
    while chain[-1] in parents:
        chain.append(parents[chain[-1]])
    return tuple(chain)
