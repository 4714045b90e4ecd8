"""The binary operators by their symbols: each takes compiled operands and gives compiled code."""

from collections.abc import Callable

from service.fhir.fhirpath.code import Code
from service.fhir.fhirpath.operators.arithmetic import ARITHMETIC
from service.fhir.fhirpath.operators.comparison import COMPARISON
from service.fhir.fhirpath.operators.logic import LOGIC

BINARY: dict[str, Callable[[Code, Code], Code]] = {**LOGIC, **COMPARISON, **ARITHMETIC}
