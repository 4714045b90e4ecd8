"""The CapabilityStatement, from the catalogue: what it claims is what works.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from service.fhir.artefacts import TYPES, offered, shelf
from service.fhir.audit import OFFERED
from service.fhir.catalogue import Interaction, ResourceSpec, catalogue
from service.fhir.json import JsonObject
from service.fhir.message import OPERATION
from service.fhir.search.parameters import SYSTEMWIDE, Parameter, compartment, parameters
from service.fhir.subscriptions.asked import CAPABILITY, TOPIC_EXTENSION
from service.fhir.subscriptions.topics import topics
from service.fhir.validate.packages import Guide

BULK = "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"
_CODES: dict[Interaction, tuple[str, ...]] = {
    "read": ("read",), "vread": ("vread",), "create": ("create",), "update": ("update",), "patch": ("patch",),
    "delete": ("delete",), "history": ("history-instance", "history-type"), "search": ("search-type",),
}  # fmt: skip
_SYSTEM = ("transaction", "batch", "search-system", "history-system")
_COMPARTMENT = "http://hl7.org/fhir/CompartmentDefinition/"
_SECURITY = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_HTTP = {"system": "http://terminology.hl7.org/CodeSystem/message-transport", "code": "http"}
_MESSAGES = (
    "Referrals of partners whose dialect is bser: event v2-0003#I12, focus a Task (BSeR 2.0.0-ballot)."
)
_SECURED = {
    "cors": False,
    "service": [
        {
            "coding": [{"system": _SECURITY, "code": "SMART-on-FHIR"}],
            "text": "SMART Backend Services (private_key_jwt); see .well-known/smart-configuration",
        }
    ],
}


def statement(base: str, date: str, guides: Sequence[Guide] = ()) -> JsonObject:
    """For the service at `base`, started at `date` (an instant); `guides`: those the operator added."""
    supported = _supported(guides)
    listed = [f"{guide.url}|{guide.version}" if guide.version else guide.url for guide in guides]
    whole: JsonObject = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "instantiates": [CAPABILITY, BULK],
        "software": {"name": "Casebridge"},
        "implementation": {"description": "Casebridge: case management and FHIR R4, joined", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json", "application/fhir+xml"],
        "rest": [
            {
                "mode": "server",
                "security": _SECURED,
                "resource": [
                    *(_resource(spec, supported.get(spec.type, ())) for spec in catalogue.values()),
                    *map(_published, TYPES),
                    _offered("AuditEvent", OFFERED),
                ],
                "interaction": [{"code": code} for code in _SYSTEM],
                "searchParam": [{"name": name, "type": parameters("Task")[name].type} for name in SYSTEMWIDE],
                "operation": _operations("system", ""),
                "compartment": [_COMPARTMENT + name.lower() for name in catalogue if compartment(name)],
            }
        ],
        "messaging": [
            {"endpoint": [{"protocol": _HTTP, "address": f"{base}/{OPERATION}"}], "documentation": _MESSAGES}
        ],
    }
    return whole | {"implementationGuide": listed} if listed else whole


def _supported(guides: Sequence[Guide]) -> dict[str, list[str]]:
    """The profiles by resource type: ours first, then the operator's."""
    found: dict[str, list[str]] = {}
    for artefact in shelf("StructureDefinition").values():
        if artefact.resource.get("kind") == "resource":
            found.setdefault(artefact.resource["type"], []).append(artefact.resource["url"])
    for guide in guides:
        for type_, url in guide.profiles:
            found.setdefault(type_, []).append(url)
    return found


def _resource(spec: ResourceSpec, supported: Sequence[str]) -> JsonObject:
    offered = set(spec.interactions)
    found = sorted(parameters(spec.type).items())
    row: dict[str, Any] = {"type": spec.type}
    if spec.profile:
        row["profile"] = spec.profile
    if kept := [*spec.supported, *supported]:
        row["supportedProfile"] = kept
    if offered_topics := [topic.url for topic in topics().values() if spec.type == "Subscription"]:
        row["extension"] = [{"url": TOPIC_EXTENSION, "valueCanonical": url} for url in offered_topics]
    row |= {
        "interaction": [{"code": code} for each in spec.interactions for code in _CODES[each]],
        "versioning": "versioned-update",
        "readHistory": "vread" in offered,
        "updateCreate": spec.upsert and "update" in offered,
        "conditionalCreate": "create" in offered,
        "conditionalRead": "full-support",
        "conditionalUpdate": "update" in offered,
        "conditionalDelete": "single" if "delete" in offered else "not-supported",
        "referencePolicy": ["literal", "logical", "local"],
    }
    if includes := [f"{spec.type}:{code}" for code, parameter in found if _leads(parameter, *catalogue)]:
        row["searchInclude"] = ["*", *includes]
    row["searchRevInclude"] = ["*", *_reverse(spec.type)]
    row["searchParam"] = [
        *({"name": code, "definition": parameter.url, "type": parameter.type} for code, parameter in found),
        {"name": "_list", "type": "special"},
    ]
    row["operation"] = _operations("", spec.type)
    return row


def _reverse(type_: str) -> list[str]:
    """What can refer to the type."""
    return [
        f"{each}:{code}"
        for each in catalogue
        for code, parameter in sorted(parameters(each).items())
        if _leads(parameter, type_)
    ]


def _leads(parameter: Parameter, *types: str) -> bool:
    """Whether references found by it may lead to one of the types."""
    return parameter.type == "reference" and (
        not parameter.targets or not {*types}.isdisjoint(parameter.targets)
    )


def _published(type_: str) -> JsonObject:
    return _offered(type_, offered(type_))


def _offered(type_: str, found: Mapping[str, str]) -> JsonObject:
    """A type that is only read and searched, without versions."""
    return {
        "type": type_,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": [{"name": name, "type": kind} for name, kind in found.items()],
    }


def _operations(level: str, type_: str) -> list[JsonObject]:
    """Operations of the system, or of a type and its instances."""
    return [
        {"name": definition["code"], "definition": _canonical(definition)}
        for artefact in shelf("OperationDefinition").values()
        if (definition := artefact.resource)
        if (level and definition[level])
        or (
            not level
            and (definition["type"] or definition["instance"])
            and (type_ in definition["resource"] or "Resource" in definition["resource"])
        )
    ]


def _canonical(definition: JsonObject) -> str:
    """Ours; of an export the guide's, by which its clients know it (ours says what of it there is)."""
    url: str = definition["base" if definition["code"] == "export" else "url"]
    return url
