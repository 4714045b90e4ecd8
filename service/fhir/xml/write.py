"""A decoded resource to FHIR XML."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from service.fhir.json import Json, JsonObject, Number
from service.fhir.xml.errors import NotXml
from service.fhir.xml.layout import FHIR, Child, Layout, layout
from service.fhir.xml.narrative import embedded

_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEADER = '<?xml version="1.0" encoding="UTF-8"?>'


def to_xml(resource: JsonObject, *, pretty: bool = False) -> bytes:
    """The resource as UTF-8 FHIR XML; NotXml naming the element that R4 does not know or XML cannot carry.

    `pretty`: an element a line, indented; the narrative as it is.
    """
    out = [_HEADER]
    try:
        _resource(out, resource, "", f' xmlns="{FHIR}"')
    except RecursionError:
        raise NotXml("nested too deeply", "the document") from None
    return "".join(_laid_out(out) if pretty else out).encode()


def _laid_out(pieces: list[str]) -> Iterator[str]:
    """The pieces with a new line before each tag. FHIR has no text between tags, but for the narrative, one piece."""
    depth = 0
    for piece in pieces:
        if piece.startswith("</"):
            depth -= 1
            yield "\n" + "  " * depth
        elif piece == "/>":
            depth -= 1
        elif piece.startswith("<") and piece != _HEADER:
            yield "\n" + "  " * depth
            depth += not piece.endswith("/>") and not piece.startswith(("<div ", "<div>"))
        yield piece
    yield "\n"


def _resource(out: list[str], value: Json, path: str, namespace: str = "") -> None:
    name = value.get("resourceType") if isinstance(value, dict) else None
    shape = layout(name) if isinstance(name, str) else None
    if shape is None or not shape.is_resource:
        raise NotXml("a resource of a type that R4 defines is expected", path or "the document")
    members = {key: member for key, member in value.items() if key != "resourceType"}
    _element(out, shape.name + namespace, members, shape, f"{path}.{shape.name}" if path else shape.name)


def _element(out: list[str], start: str, value: Json, shape: Layout, path: str) -> None:
    """`<start>` with the members of a complex value as attributes and children, in the order of the table."""
    if not isinstance(value, dict):
        raise NotXml("an object is expected", path)
    out.append(f"<{start}")
    children = _ordered(value, shape, path)
    for child in children:
        if child.attribute:
            out.append(f' {child.key}="{_attribute(value, child, path)}"')
    nested = [child for child in children if not child.attribute]
    if not nested:
        out.append("/>")
        return
    out.append(">")
    for child in nested:
        _child(out, value, child, f"{path}.{child.key}")
    out.append(f"</{start.partition(' ')[0]}>")


def _ordered(value: JsonObject, shape: Layout, path: str) -> list[Child]:
    found: dict[str, Child] = {}
    for key in value:
        child = shape.children.get(key) or shape.children.get(key.removeprefix("_"))
        if child is None or (child.key != key and child.kind != "primitive"):
            raise NotXml(f"R4 defines no such element of {shape.name}", path)
        found[child.key] = child
    return sorted(found.values(), key=lambda child: child.order)


def _attribute(value: JsonObject, child: Child, path: str) -> str:
    if "_" + child.key in value:
        raise NotXml("an attribute can carry no extension", f"{path}.{child.key}")
    return _text(value[child.key], child, f"{path}.{child.key}")


def _child(out: list[str], holder: JsonObject, child: Child, path: str) -> None:
    value, beside = holder.get(child.key), holder.get("_" + child.key)
    if not child.many:
        _one(out, child, value, beside, path)
        return
    values, besides = _list(value, path), _list(beside, path)
    for index in range(max(len(values), len(besides))):
        one = values[index] if index < len(values) else None
        _one(out, child, one, besides[index] if index < len(besides) else None, f"{path}[{index}]")


def _list(value: Json, path: str) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise NotXml("an array is expected", path)
    return value or []


def _one(out: list[str], child: Child, value: Json, beside: Json, path: str) -> None:
    if child.kind == "primitive":
        _primitive(out, child, value, beside, path)
    elif child.kind == "complex":
        shape = layout(child.type)
        if shape is None:
            raise NotXml("R4 defines no such type", path)
        _element(out, child.key, value, shape, path)
    elif child.kind == "resource":
        out.append(f"<{child.key}>")
        _resource(out, value, path)
        out.append(f"</{child.key}>")
    else:
        out.append(_div(value, path))


def _primitive(out: list[str], child: Child, value: Json, beside: Json, path: str) -> None:
    if value is None and not beside:
        raise NotXml("a value or an extension is expected", path)
    if beside is not None and (not isinstance(beside, dict) or beside.keys() - {"id", "extension"}):
        raise NotXml("beside a primitive there is room for an id and extensions only", path)
    members: JsonObject = dict(beside) if beside else {}
    attribute = "" if value is None else f' value="{_text(value, child, path)}"'
    shape = layout("Element")
    if not members or shape is None:
        out.append(f"<{child.key}{attribute}/>")
        return
    _element(out, child.key + attribute, members, shape, path)


def _text(value: Json, child: Child, path: str) -> str:
    """The text of a primitive, escaped; the JSON kind of the value must be the one its type has."""
    if child.type == "boolean":
        if isinstance(value, bool):
            return "true" if value else "false"
    elif child.type in ("integer", "positiveInt", "unsignedInt", "decimal"):
        if isinstance(value, Number):
            return value.text
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return str(value)
    elif isinstance(value, str):
        if _FORBIDDEN.search(value):
            raise NotXml("a character that XML cannot carry", path)
        return value.translate(_ESCAPES)
    raise NotXml(f"a {child.type} is expected", path)


def _div(value: Json, path: str) -> str:
    text = embedded(value) if isinstance(value, str) and not _FORBIDDEN.search(value) else None
    if text is None:
        raise NotXml("the narrative is not a well-formed XHTML div", path)
    return text
