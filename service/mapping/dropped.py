"""What a record has no place for, found by mapping it back: named in notes, never dropped in silence.

Elements are compared at the first level, and arrays by their length; a value said in another form of a choice
(`performedDateTime` as `performedPeriod`) is carried.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.mapping.context import note

_OURS: Final = frozenset(("resourceType", "id", "meta", "text", "implicitRules", "language"))
"""What the server or the mapping itself says."""
_TYPE: Final = re.compile(
    r"(?<=[a-z])(DateTime|Period|Timing|Instant|Date|Age|Range|String|Boolean|Integer|Quantity|Ratio|Reference|"
    r"CodeableConcept|Attachment|Money|Identifier|Uri|Canonical)$"
)
_CHOICES: Final = re.compile(
    r"(onset|abatement|performed|occurrence|effective|value|deceased|multipleBirth|occurred|source|asNeeded|"
    r"quantity|medication|product|scheduled|allowed|start|statusReason)(?=[A-Z])"
)


def dropped(
    told: Iterable[JsonObject], again: Iterable[JsonObject], notes: Sequence[Issue]
) -> Iterator[Issue]:
    """Notes on what `told` says and `again`, the record mapped back, does not; without those in `notes`."""
    known = {issue.expression.partition("[")[0] for issue in notes}
    kept: dict[str, list[JsonObject]] = {}
    for resource in again:
        kept.setdefault(resource["resourceType"], []).append(resource)
    for resource in told:
        kind = resource["resourceType"]
        for path in sorted({*_missing(resource, kept.get(kind, []))}):
            if path not in known:
                known.add(path)
                yield note(f"the record has no place for {path}", path)


def _missing(resource: JsonObject, kept: list[JsonObject]) -> Iterator[str]:
    kind = resource["resourceType"]
    lengths: dict[str, int] = {}
    for other in kept:
        for name, value in other.items():
            base = _base(name)
            lengths[base] = max(lengths.get(base, 0), len(value) if isinstance(value, list) else 1)
    for name, value in resource.items():
        base = _base(name)
        if base in _OURS:
            continue
        said = len(value) if isinstance(value, list) else 1
        if base not in lengths or said > lengths[base]:
            yield f"{kind}.{base}"


def _base(name: str) -> str:
    plain = name.removeprefix("_")
    return _TYPE.sub("", plain) if _CHOICES.match(plain) else plain
