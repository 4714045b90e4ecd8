"""Where resources come from: one Provenance for each filing of a record (US Core Provenance, our profile of it).

It names the versions that were made, the record and its version, and the version of the mapping. Built by hand
and not through the typed models: it is the same every time, and it is on the hot path of every record.
"""

from collections.abc import Sequence
from typing import Final, Literal

from service.fhir.json import JsonObject
from service.kernel.clock import instant
from service.mapping.context import MappingContext
from service.mapping.identity import own_identifier, own_organization
from service.mapping.names import profile

Act = Literal["CREATE", "UPDATE", "NULLIFY"]
"""v3-DataOperation: the record was new, or changed (or mapped anew), or taken back."""

_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_ASSEMBLER: Final = {
    "type": {"coding": [{"system": _PARTICIPANT, "code": "assembler"}]},
    "who": {"display": "Casebridge"},
}
_PROFILE: Final = profile("casebridge-provenance")
_MAPPING_VERSION: Final = profile("mapping-version")
_RECORD_VERSION: Final = profile("record-version")


def filing(
    context: MappingContext, kind: str, record: str, version: int, mapping: str, made: Sequence[str], act: Act
) -> JsonObject:
    """The Provenance of `made` (`Task/x/_history/2`), without an id."""
    organization = own_organization(context)
    return {
        "resourceType": "Provenance",
        "meta": {"profile": [_PROFILE]},
        "extension": [{"url": _MAPPING_VERSION, "valueString": mapping}],
        "target": [{"reference": each} for each in made],
        "recorded": instant(context.now),
        "activity": {"coding": [{"system": _OPERATION, "code": act}]},
        "agent": [
            {
                "type": {"coding": [{"system": _PARTICIPANT, "code": "author"}]},
                "who": organization,
                "onBehalfOf": organization,
            },
            _ASSEMBLER,
        ],
        "entity": [
            {
                "extension": [{"url": _RECORD_VERSION, "valueString": str(version)}],
                "role": "source",
                "what": {"identifier": own_identifier(context, kind, record)},
            }
        ],
    }
