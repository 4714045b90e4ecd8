"""References in a resource: finding them, reading them, and rewriting them when ids become known.

https://hl7.org/fhir/R4/references.html and https://hl7.org/fhir/R4/http.html#trules
"""

import re
from collections.abc import Callable, Iterator

from service.fhir.json import Json, JsonObject

_LOCAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?\Z")
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")


def local(reference: str, base: str = "") -> tuple[str, str] | None:
    """`Type/id[/_history/v]`, relative or under `base`, to (type, id); None for anything else."""
    if base and reference.startswith(base + "/"):
        reference = reference[len(base) + 1 :]
    match = _LOCAL.match(reference)
    return (match[1], match[2]) if match else None


def named(resource: JsonObject, elements: tuple[str, ...], type_: str, base: str = "") -> str | None:
    """`type_/id` of the first of these top-level elements that refers to a local resource of that type."""
    for element in elements:
        value = resource.get(element)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and isinstance(each.get("reference"), str):
                found = local(each["reference"], base)
                if found and found[0] == type_:
                    return f"{found[0]}/{found[1]}"
    return None


def texts(value: Json) -> Iterator[str]:
    """Every `reference` text in a value, nested and contained ones too."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key == "reference" and isinstance(member, str):
                yield member
            else:
                yield from texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts(member)


def leading(resource: JsonObject, base: str = "") -> Iterator[tuple[str, tuple[str, str]]]:
    """Every local reference to a resource as it is now: the path of its element (`Task.input.valueReference`) and
    (type, id). One that names a version is none of these: that version stays readable whatever comes after it."""
    return _leading(resource, str(resource.get("resourceType", "")), base)


def _leading(value: Json, path: str, base: str) -> Iterator[tuple[str, tuple[str, str]]]:
    if isinstance(value, list):
        for member in value:
            yield from _leading(member, path, base)
    elif isinstance(value, dict):
        for key, member in value.items():
            if key != "reference" or not isinstance(member, str):
                yield from _leading(member, f"{path}.{key}", base)
            elif "/_history/" not in member and (found := local(member, base)):
                yield path, found


_LINKS = frozenset({"reference", "url", "uri", "valueUrl", "valueUri", "valueOid", "valueUuid"})


def rewritten(value: Json, replace: Callable[[str], str | None]) -> Json:
    """A copy with every Reference.reference (and uri that names an entry, per the transaction rules) replaced
    where `replace` answers a text. Narrative is left alone."""
    if isinstance(value, dict):
        return {
            key: _link(key, member, replace) if isinstance(member, str) else rewritten(member, replace)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [rewritten(member, replace) for member in value]
    return value


def _link(key: str, text: str, replace: Callable[[str], str | None]) -> str:
    if key not in _LINKS:
        return text
    if key != "reference" and not text.startswith(("urn:uuid:", "urn:oid:")):
        return text
    return replace(text) or text


def absolute(resource: JsonObject, base: str) -> JsonObject:
    """A copy whose relative references are absolute under `base`, fit to leave this server."""

    def replace(text: str) -> str | None:
        return f"{base}/{text}" if _LOCAL.match(text) else None

    copy: JsonObject = rewritten(resource, replace)
    return copy
