"""Fixed values and patterns: equal to all of it, or containing all of it.

https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_ and pattern_x_
"""

from decimal import Decimal

from service.fhir.json import Json


def equals(value: Json, wanted: Json) -> bool:
    """Is the value exactly the fixed one? Numbers compare by value, objects without regard to order."""
    if isinstance(wanted, dict):
        return (
            isinstance(value, dict)
            and value.keys() == wanted.keys()
            and all(equals(value[key], member) for key, member in wanted.items())
        )
    if isinstance(wanted, list):
        return (
            isinstance(value, list)
            and len(value) == len(wanted)
            and all(equals(a, b) for a, b in zip(value, wanted, strict=True))
        )
    return _same(value, wanted)


def contains(value: Json, wanted: Json) -> bool:
    """Does the value have all the pattern has? Each pattern entry must match some entry of the array."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            key in value and contains(value[key], member) for key, member in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(contains(each, w) for each in value) for w in wanted)
    return _same(value, wanted)


def _same(value: Json, wanted: Json) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, (int, Decimal, float)) and isinstance(wanted, (int, Decimal, float)):
        return Decimal(str(value)) == Decimal(str(wanted))
    return type(value) is type(wanted) and bool(value == wanted)


def extract(shape: Json, steps: tuple[str, ...]) -> list[Json]:
    """The parts of a fixed value or pattern at a path of plain names."""
    found = [shape]
    for step in steps:
        found = [part for each in found for part in _member(each, step)]
    return found


def _member(value: Json, step: str) -> list[Json]:
    if not isinstance(value, dict):
        return []
    member = value.get(step)
    if member is None:
        return []
    return member if isinstance(member, list) else [member]


def written(value: Json) -> str:
    """A fixed value or pattern for a message: `{coding: [{system: 'http://loinc.org', code: '8480-6'}]}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(member) for member in value) + "]"
    return f"'{value}'" if isinstance(value, str) else str(value).lower()
