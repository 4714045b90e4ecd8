"""Search as a small FHIR server offers it: identifier, status, references, `_id`, `_lastUpdated`.

https://hl7.org/fhir/R4/search.html. An unknown parameter is refused: ignoring it would answer too much.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from service.fhir.json import JsonObject
from service.simulator.store import Refusal, Store, Version

_ELEMENT = {
    "patient": ("subject", "for", "patient"),
    "subject": ("subject", "for"),
    "owner": ("owner",),
    "requester": ("requester",),
    "focus": ("focus",),
    "based-on": ("basedOn",),
    "performer": ("performer",),
}
_TOKEN = {"status": "status", "intent": "intent", "gender": "gender"}
_SILENT = frozenset({"_count", "_sort", "_format", "_pretty", "_total"})
_SPLIT = re.compile(r"(?<!\\)[,|]")
_PREFIX: dict[str, Callable[[datetime, datetime], bool]] = {
    "gt": lambda at, limit: at > limit,
    "ge": lambda at, limit: at >= limit,
    "lt": lambda at, limit: at < limit,
    "le": lambda at, limit: at <= limit,
}


def search(store: Store, type_: str, query: Sequence[tuple[str, str]]) -> list[Version]:
    """The current versions that match every parameter, oldest change first (newest with `_sort=-…`)."""
    found = [version for version in store.all(type_) if all(_matches(version, *each) for each in query)]
    found.sort(key=lambda version: version.at, reverse=("_sort", "-_lastUpdated") in query)
    count = next((int(value) for name, value in query if name == "_count" and value.isdecimal()), len(found))
    return found[:count]


def _matches(version: Version, name: str, value: str) -> bool:
    resource = version.resource or {}
    if name in _SILENT:
        return True
    if name == "_lastUpdated":
        return _dated(version.at, value)
    choices = _split(value, ",")
    if name == "_id":
        return version.id in choices
    if name == "identifier":
        return any(_identified(resource, choice) for choice in choices)
    if name in _TOKEN:
        return resource.get(_TOKEN[name]) in [_split(choice, "|")[-1] for choice in choices]
    if name in _ELEMENT:
        return any(_refers(resource, element, choice) for element in _ELEMENT[name] for choice in choices)
    raise Refusal(400, "not-supported", f"the search parameter {name} is not offered here")


def _split(text: str, mark: str) -> list[str]:
    r"""At every mark that is not escaped with `\`; the escapes taken away."""
    parts, start = [], 0
    for match in _SPLIT.finditer(text):
        if match[0] == mark:
            parts.append(text[start : match.start()])
            start = match.end()
    parts.append(text[start:])
    if mark == ",":
        return parts
    return [re.sub(r"\\(.)", r"\1", part) for part in parts]


def _identified(resource: JsonObject, token: str) -> bool:
    parts = _split(token, "|")
    held = resource.get("identifier")
    for each in held if isinstance(held, list) else [held]:
        if not isinstance(each, dict) or each.get("value") != parts[-1]:
            continue
        if len(parts) == 1 or each.get("system", "") == parts[0]:
            return True
    return False


def _refers(resource: JsonObject, element: str, wanted: str) -> bool:
    held = resource.get(element)
    for each in held if isinstance(held, list) else [held]:
        reference = each.get("reference") if isinstance(each, dict) else None
        if isinstance(reference, str) and (reference == wanted or reference.endswith(f"/{wanted}")):
            return True
    return False


def _dated(at: str, value: str) -> bool:
    prefix, text = (value[:2], value[2:]) if value[:2] in _PREFIX else ("", value)
    if not prefix:
        return at.startswith(text.removesuffix("Z"))
    try:
        limit = datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError:
        raise Refusal(400, "value", "_lastUpdated takes a prefix and an instant") from None
    return _PREFIX[prefix](datetime.fromisoformat(at), limit)
