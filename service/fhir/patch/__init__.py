"""Changing a resource by a description of the change: JSON Patch and FHIRPath Patch, both pure.

    json_patch(document, operations) -> document          RFC 6902, application/json-patch+json
    fhirpath_patch(resource, parameters) -> resource      https://hl7.org/fhir/R4/fhirpatch.html

What goes in is never touched. `Refused("malformed")` when the patch itself makes no sense, and
`Refused("unprocessable")` when it does not apply to this resource; neither may change `id` or `resourceType`.
The result is not validated here.
"""

from service.fhir.patch.fhirpath_patch import fhirpath_patch
from service.fhir.patch.json_patch import json_patch

__all__ = ["fhirpath_patch", "json_patch"]
