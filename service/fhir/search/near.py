"""`Location?near=[latitude]|[longitude]|[distance]|[units]`: positions within a distance of a point.

https://hl7.org/fhir/R4/location.html#search
"""

from service.fhir.json import JsonObject
from service.fhir.search import keys
from service.fhir.search.asking import Wrong
from service.fhir.search.escapes import plain, split
from service.fhir.search.found import Found
from service.fhir.search.query import Near
from service.fhir.search.values import decimal

LATITUDE, LONGITUDE = "near.latitude", "near.longitude"
DEFAULT_KM = 50.0
"""R4 leaves the distance to the server where a search names none."""

_KILOMETRES = {"km": 1.0, "m": 0.001, "[mi_i]": 1.609344, "[mi_us]": 1.609347, "mi": 1.609344, "": 1.0}


def derive(resource: JsonObject, found: Found) -> None:
    """A Location's position as two numbers."""
    position = resource.get("position")
    if not isinstance(position, dict):
        return
    latitude, longitude = decimal(position.get("latitude")), decimal(position.get("longitude"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return
    found.keys.add(keys.present(keys.name("Location", "near")))
    found.numbers.add((LATITUDE, latitude, latitude, ""))
    found.numbers.add((LONGITUDE, longitude, longitude, ""))


def understand(text: str) -> Near:
    """One alternative of the value, still escaped, to the condition. Raises Wrong."""
    parts = [plain(part) for part in split(text, "|")]
    try:
        latitude, longitude, distance = (float(part) for part in [*parts[:2], _third(parts)])
        scale = _KILOMETRES[parts[3] if len(parts) > 3 else ""]
    except (ValueError, KeyError):
        raise _form() from None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180 and 0 <= distance <= 50_000_000) or len(parts) > 4:
        raise _form()
    return Near(latitude, longitude, distance * scale)


def _third(parts: list[str]) -> str:
    return parts[2] if len(parts) > 2 and parts[2] else str(DEFAULT_KM)


def _form() -> Wrong:
    return Wrong("near is written [latitude]|[longitude]|[distance]|[units], units km, m or [mi_i]")
