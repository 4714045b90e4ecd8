"""The CapabilityStatement, from the catalogue: what it claims is what works.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from typing import Any

from service.fhir.catalogue import Interaction, ResourceSpec, catalogue
from service.fhir.json import JsonObject
from service.fhir.search.parameters import parameters

_CODES: dict[Interaction, str] = {
    "read": "read", "vread": "vread", "create": "create", "update": "update", "patch": "patch",
    "delete": "delete", "history": "history-instance", "search": "search-type",
}  # fmt: skip


def statement(base: str, date: str) -> JsonObject:
    """For the service at `base`, started at `date` (an instant)."""
    oauth = base.removesuffix("/fhir") + "/auth/token"
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "Casebridge"},
        "implementation": {"description": "Casebridge: case management and FHIR R4, joined", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": False,
                    "extension": [
                        {
                            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                            "extension": [{"url": "token", "valueUri": oauth}],
                        }
                    ],
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                    "code": "SMART-on-FHIR",
                                }
                            ],
                            "text": "SMART Backend Services (private_key_jwt)",
                        }
                    ],
                },
                "resource": [_resource(spec) for spec in catalogue.values()],
                "interaction": [{"code": "transaction"}, {"code": "batch"}, {"code": "search-system"}],
            }
        ],
    }


def _resource(spec: ResourceSpec) -> JsonObject:
    row: dict[str, Any] = {
        "type": spec.type,
        "interaction": [{"code": _CODES[each]} for each in spec.interactions],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": spec.upsert,
        "conditionalCreate": True,
        "searchParam": [
            {"name": name, "type": parameter.type} for name, parameter in sorted(parameters(spec.type).items())
        ],
    }
    if spec.profile:
        row["profile"] = spec.profile
    return row
