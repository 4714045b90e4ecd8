"""The operations of a FHIRPath Patch as they are written in a Parameters resource."""

from dataclasses import dataclass
from typing import Any, Literal, cast

from service.fhir.json import Json, JsonObject
from service.fhir.patch.places import copied
from service.fhir.r4 import Element, Structure, find
from service.kernel.failures import Refused

Kind = Literal["add", "insert", "delete", "replace", "move"]
MAX_OPERATIONS = 1_000
_NEEDS = {
    "add": ("path", "name", "value"),
    "insert": ("path", "index", "value"),
    "delete": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "source", "destination"),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `value` is the part that holds the value, in whatever form it was given."""

    kind: Kind
    path: str
    name: str = ""
    index: int = 0
    source: int = 0
    destination: int = 0
    value: JsonObject | None = None


def operations(parameters: Json) -> list[Operation]:
    """The operations in order, or Refused("malformed") naming the one that cannot be read."""
    if not isinstance(parameters, dict) or parameters.get("resourceType") != "Parameters":
        raise Refused("malformed", "a FHIRPath Patch is a Parameters resource")
    rows = parameters.get("parameter")
    if not isinstance(rows, list) or not rows:
        raise Refused("malformed", "the patch holds no operation")
    if len(rows) > MAX_OPERATIONS:
        raise Refused("malformed", f"a FHIRPath Patch has at most {MAX_OPERATIONS} operations")
    return [_operation(row, number + 1) for number, row in enumerate(rows)]


def _operation(row: Json, number: int) -> Operation:
    if not isinstance(row, dict) or row.get("name") != "operation" or not isinstance(row.get("part"), list):
        raise Refused("malformed", f"parameter {number} of the patch is not an operation with parts")
    parts: dict[str, Any] = {}
    for part in row["part"]:
        if not isinstance(part, dict) or not isinstance(part.get("name"), str) or part["name"] in parts:
            raise Refused("malformed", f"operation {number}: a part without a name, or one given twice")
        parts[part["name"]] = part
    kind = _text(parts.pop("type", {}), number)
    if kind not in _NEEDS:
        raise Refused("malformed", f"operation {number}: type is one of add, insert, delete, replace, move")
    if set(parts) != set(_NEEDS[kind]):
        raise Refused("malformed", f"operation {number}: {kind} takes {', '.join(_NEEDS[kind])}")
    return Operation(
        kind=cast(Kind, kind),
        path=_text(parts["path"], number),
        name=_text(parts["name"], number) if "name" in parts else "",
        index=_position(parts, "index", number),
        source=_position(parts, "source", number),
        destination=_position(parts, "destination", number),
        value=parts.get("value"),
    )


def _text(part: JsonObject, number: int) -> str:
    value = next((part[key] for key in ("valueCode", "valueString") if key in part), None)
    if not isinstance(value, str):
        raise Refused("malformed", f"operation {number}: type, path and name are texts")
    return value


def _position(parts: JsonObject, name: str, number: int) -> int:
    if name not in parts:
        return 0
    value = next((v for key, v in parts[name].items() if key in _INTEGERS), None)
    if type(value) is not int or value < 0:
        raise Refused("malformed", f"operation {number}: {name} is an integer, 0 or more")
    return value


_INTEGERS = ("valueInteger", "valueUnsignedInt", "valuePositiveInt")


@dataclass(frozen=True, slots=True)
class Given:
    """A value as the patch gives it, with the FHIR type it was given as ("" for parts or a resource)."""

    value: Json
    beside: JsonObject | None
    type: str


def given(part: JsonObject | None, element: Element) -> Given:
    """The value of a part, for this element: a `value[x]`, a resource, or parts that name child elements."""
    part = copied(part or {})
    if "resource" in part:
        return Given(part["resource"], None, "")
    if isinstance(part.get("part"), list):
        return Given(_assembled(part["part"], find(element.types[0])), None, element.types[0])
    for key in part:
        name = key.removeprefix("_")
        if name.startswith("value") and len(name) > 5:
            beside = part.get("_" + name)
            return Given(part.get(name), beside if isinstance(beside, dict) else None, _type(name[5:]))
    raise Refused("malformed", "the value of an operation is a value[x], a resource, or parts")


def _type(suffix: str) -> str:
    lowered = suffix[0].lower() + suffix[1:]
    return lowered if find(lowered) else suffix


def _assembled(parts: list[Json], structure: Structure | None) -> JsonObject:
    """An element put together from parts, each named like a child element (R4: for anonymous types)."""
    if structure is None:
        raise Refused("malformed", "parts cannot describe a value of this type")
    built: JsonObject = {}
    for part in parts:
        name = part.get("name") if isinstance(part, dict) else None
        element = structure.by_name.get(name) if isinstance(name, str) else None
        if element is None:
            raise Refused("unprocessable", f"{structure.name} has no element of the name a part gives")
        _put(built, element, given(part, element))
    return built


def _put(built: JsonObject, element: Element, one: Given) -> None:
    key = key_for(element, one.type)
    if element.many:
        built.setdefault(key, []).append(one.value)
    elif key in built:
        raise Refused("malformed", f"{element.path} is given twice")
    else:
        built[key] = one.value
    if one.beside is not None and not element.many:
        built["_" + key] = one.beside


def key_for(element: Element, type_name: str) -> str:
    """The JSON key for a value of this type, or Refused where a choice does not allow the type."""
    if element.choice and type_name not in element.types:
        raise Refused("unprocessable", f"{element.path} cannot be a {type_name or 'resource'}")
    return element.key(type_name)
