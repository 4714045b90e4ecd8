"""Profile validation: R4's own rules and the profiles of our guides, compiled from snapshots.

validator = load()
issues = validator.validate(resource, ["https://…/StructureDefinition/…"])
"""

from service.fhir.validate.packages import BrokenPackage
from service.fhir.validate.questionnaire import check_answers
from service.fhir.validate.validator import Validator, load

__all__ = ["BrokenPackage", "Validator", "check_answers", "load"]
