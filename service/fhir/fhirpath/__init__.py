"""FHIRPath (http://hl7.org/fhirpath/N1, with the functions of FHIR R4) over decoded JSON.

    compile("name.where(use = 'official').given").evaluate(patient, Scope(resource=patient))
    compile("start.hasValue().not() or end.hasValue().not() or start <= end").holds(period)

Parsed once, compiled to closures, cached; no I/O, no clock; the work of one evaluation is bounded.
"""

from service.fhir.fhirpath.errors import BadExpression, EvaluationError
from service.fhir.fhirpath.node import Node
from service.fhir.fhirpath.program import Program, compile
from service.fhir.fhirpath.quantity import Quantity
from service.fhir.fhirpath.scope import Scope, known_by_type
from service.fhir.fhirpath.temporal import Temporal

__all__ = [
    "BadExpression",
    "EvaluationError",
    "Node",
    "Program",
    "Quantity",
    "Scope",
    "Temporal",
    "compile",
    "known_by_type",
]
