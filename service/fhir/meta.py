"""What the server sets in a resource: id, versionId, lastUpdated. Everything else stays as it was sent."""

from datetime import datetime

from service.fhir.json import JsonObject
from service.kernel.clock import instant


def stamped(resource: JsonObject, id_: str, version: int, updated: datetime) -> JsonObject:
    """A shallow copy with id and meta set, in FHIR's usual order: resourceType, id, meta, the rest."""
    meta = resource.get("meta")
    rest = {key: value for key, value in resource.items() if key not in ("resourceType", "id", "meta")}
    kept = {key: value for key, value in (meta or {}).items() if key not in ("versionId", "lastUpdated")}
    return {
        "resourceType": resource["resourceType"],
        "id": id_,
        "meta": {"versionId": str(version), "lastUpdated": instant(updated), **kept},
        **rest,
    }


def content(resource: JsonObject) -> JsonObject:
    """The resource without what the server sets: two equal contents are the same version."""
    meta = {k: v for k, v in (resource.get("meta") or {}).items() if k not in ("versionId", "lastUpdated")}
    copy = {key: value for key, value in resource.items() if key not in ("id", "meta")}
    return {**copy, "meta": meta} if meta else copy
