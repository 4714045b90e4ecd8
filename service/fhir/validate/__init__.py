"""Profile validation: R4's own rules and the profiles of our guides, compiled from snapshots.

`load()` once makes a Validator; `validator.validate(resource, profiles)` answers from any thread;
`check_answers(response, questionnaire, validator.definitions.member_of)` compares answers with questions.
"""

from service.fhir.validate.packages import BrokenPackage
from service.fhir.validate.questionnaire import check_answers
from service.fhir.validate.validator import Validator, load

__all__ = ["BrokenPackage", "Validator", "check_answers", "load"]
