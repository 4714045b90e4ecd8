"""The choice elements of R4: `value` in an expression may be `valueQuantity` in JSON."""

from functools import cache

_NAMES = """
    abatement additive age allowed amount answer asNeeded author born bounds characteristic chargeItem code
    collected content created date deceased defaultValue definingSubstance definition detail diagnosis dose
    doseNumber due effective entity event example fastingStatus fixed identified indication item
    legallyBinding location manufacturer maxValue medication minValue minimumVolume module multipleBirth name
    occurred occurrence offset onset participantEffective pattern performed probability procedure product
    quantity rate reported scheduled seriesDoses serviced source start statusReason studyEffective subject
    substance target time timing topic used value when
"""
_TYPES = """
    Address Age Annotation Attachment CodeableConcept Coding ContactDetail ContactPoint Contributor Count
    DataRequirement Distance Dosage Duration Expression HumanName Identifier Meta Money ParameterDefinition
    Period Quantity Range Ratio Reference RelatedArtifact SampledData Signature Timing TriggerDefinition
    UsageContext base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid
    positiveInt string time unsignedInt uri url uuid
"""
NAMES = frozenset(_NAMES.split())
TYPES = tuple(_TYPES.split())


@cache
def choices(name: str) -> dict[str, str]:
    """JSON key → type for a choice element: `valueQuantity` → `Quantity`; empty for any other name."""
    return {name + t[0].upper() + t[1:]: t for t in TYPES} if name in NAMES else {}
