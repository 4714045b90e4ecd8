"""Every function of the language by name."""

from service.fhir.fhirpath.functions import (
    clock,
    conversion,
    existence,
    fhir,
    filtering,
    numbers,
    patterns,
    subsetting,
    texts,
)
from service.fhir.fhirpath.functions.function import Function

TABLE: dict[str, Function] = {
    **existence.FUNCTIONS,
    **filtering.FUNCTIONS,
    **subsetting.FUNCTIONS,
    **conversion.FUNCTIONS,
    **texts.FUNCTIONS,
    **numbers.FUNCTIONS,
    **patterns.FUNCTIONS,
    **clock.FUNCTIONS,
    **fhir.FUNCTIONS,
}
