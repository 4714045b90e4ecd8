"""FHIR XML to a decoded resource: one pass of expat, no DTD, no entities, bounded depth and size."""

import re
from typing import Any, NoReturn
from xml.parsers import expat

from service.fhir.json import MAX_DEPTH, JsonObject, Number
from service.fhir.xml.errors import BadXml
from service.fhir.xml.layout import FHIR, XHTML, Child, Layout, layout
from service.fhir.xml.markup import Div

MAX_BYTES = 64 * 1024 * 1024
_XML = "http://www.w3.org/XML/1998/namespace"
_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_INTEGERS = frozenset(("integer", "positiveInt", "unsignedInt"))


def from_xml(raw: bytes, max_depth: int = MAX_DEPTH) -> JsonObject:
    """Bytes of one resource to the JSON form, or BadXml saying what and where.

    `max_depth` counts as the JSON decoder does: objects and arrays. A number or boolean that is none stays a
    text, for the validator to report with its path.
    """
    if len(raw) > MAX_BYTES:
        raise BadXml(f"a document longer than {MAX_BYTES} bytes", 1, 0)
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or raw[:4].count(0):
        raise BadXml("FHIR is written in UTF-8", 1, 0)
    return _Reader(raw, max_depth).read()


class _Frame:
    """An element that has begun: where its members go and what they may be."""

    __slots__ = ("beside", "child", "depth", "shape", "value")

    def __init__(self, shape: Layout | None, child: Child | None, depth: int) -> None:
        self.shape = shape
        self.child = child
        self.depth = depth
        self.value: Any = None
        self.beside: JsonObject = {}


class _Reader:
    def __init__(self, raw: bytes, max_depth: int) -> None:
        self.raw = raw
        self.max_depth = max_depth
        self.frames: list[_Frame] = []
        self.div: Div | None = None
        self.result: JsonObject | None = None
        self.parser = expat.ParserCreate("UTF-8", " ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.XmlDeclHandler = self.declaration
        self.parser.StartDoctypeDeclHandler = self.doctype

    def read(self) -> JsonObject:
        try:
            self.parser.Parse(self.raw, True)
        except expat.ExpatError as error:
            raise BadXml(expat.ErrorString(error.code), error.lineno, error.offset) from None
        if self.result is None:
            self.fail("no resource")
        return self.result

    def fail(self, text: str) -> NoReturn:
        raise BadXml(text, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber)

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8"):
            self.fail("FHIR is written in UTF-8; another encoding is declared")

    def doctype(self, *_arguments: object) -> None:
        self.fail("a document type declaration is not allowed")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.div is not None:
            self.begin_markup(self.div, name, attributes)
            return
        namespace, _, local = name.rpartition(" ")
        above = self.frames[-1] if self.frames else None
        if above is None or (above.child is not None and above.child.kind == "resource"):
            self.begin_resource(namespace, local, attributes, above)
        else:
            self.begin_child(namespace, local, attributes, above)

    def begin_resource(
        self, namespace: str, local: str, attributes: dict[str, str], above: _Frame | None
    ) -> None:
        shape = layout(local) if namespace == FHIR else None
        if shape is None or not shape.is_resource:
            self.fail(f"a resource of a type that R4 defines, in the namespace {FHIR}, is expected")
        if above is not None and above.value is not None:
            self.fail("more than one resource where one is expected")
        frame = self.push(shape, None, above.depth + 1 if above else 1)
        frame.value = {"resourceType": local}
        if any(not name.startswith(_SCHEMA + " ") for name in attributes):
            self.fail("a resource has no attributes")

    def begin_child(self, namespace: str, local: str, attributes: dict[str, str], above: _Frame) -> None:
        if above.shape is None:
            self.fail("no element is expected here")
        child = above.shape.children.get(local)
        if child is None or child.attribute or namespace != (XHTML if child.kind == "xhtml" else FHIR):
            self.fail(f"{above.shape.name} has no such element in this namespace")
        if child.kind == "xhtml":
            self.frames.append(_Frame(None, child, above.depth))
            self.div = Div(self.raw, self.parser.CurrentByteIndex)
            self.begin_markup(self.div, f"{namespace} {local}", attributes)
            return
        self.begin_plain(child, attributes, above.depth + 1 + child.many)

    def begin_markup(self, div: Div, name: str, attributes: dict[str, str]) -> None:
        if not name.startswith(XHTML + " "):
            self.fail("something other than XHTML in the narrative")
        if any(" " in key and not key.startswith(_XML + " ") for key in attributes):
            self.fail("an attribute with a prefix in the narrative")
        div.start(name, attributes, self.parser.CurrentByteIndex)

    def begin_plain(self, child: Child, attributes: dict[str, str], depth: int) -> None:
        if child.kind == "resource":
            if attributes:
                self.fail("an attribute that R4 does not define")
            self.push(None, child, depth - 1)
            return
        shape = layout("Element" if child.kind == "primitive" else child.type)
        frame = self.push(shape, child, depth)
        if child.kind == "complex":
            frame.value = {}
        self.take_attributes(frame, child, attributes)

    def push(self, shape: Layout | None, child: Child | None, depth: int) -> _Frame:
        if depth > self.max_depth or len(self.frames) > self.max_depth:
            self.fail(f"nested deeper than {self.max_depth} levels")
        frame = _Frame(shape, child, depth)
        self.frames.append(frame)
        return frame

    def take_attributes(self, frame: _Frame, child: Child, attributes: dict[str, str]) -> None:
        for name, text in attributes.items():
            if child.kind == "primitive" and name == "value":
                frame.value = typed(text, child.type)
                continue
            attribute = frame.shape.children.get(name) if frame.shape else None
            if attribute is None or not attribute.attribute:
                self.fail("an attribute that R4 does not define")
            (frame.beside if child.kind == "primitive" else frame.value)[name] = text

    def text(self, data: str) -> None:
        if self.div is not None:
            self.div.text(data)
        elif data.strip(" \t\r\n"):
            self.fail("text where only elements are expected")

    def end(self, name: str) -> None:
        if self.div is not None:
            finished = self.div.end(name, self.parser.CurrentByteIndex)
            if finished is None:
                return
            self.div = None
            self.frames[-1].value = finished
        frame = self.frames.pop()
        if not self.frames:
            self.result = frame.value
        elif frame.child is None:
            self.frames[-1].value = frame.value
        else:
            self.place(self.frames[-1], frame, frame.child)

    def place(self, above: _Frame, frame: _Frame, child: Child) -> None:
        holder = above.value if isinstance(above.value, dict) and self.is_holder(above) else above.beside
        if frame.value is None and not frame.beside:
            self.fail("an element with neither value nor content")
        if child.many:
            self.append(holder, child.key, frame)
            return
        if child.key in holder or "_" + child.key in holder:
            self.fail("an element occurs twice that may occur once")
        if frame.value is not None:
            holder[child.key] = frame.value
        if frame.beside:
            holder["_" + child.key] = frame.beside

    @staticmethod
    def is_holder(frame: _Frame) -> bool:
        return frame.child is None or frame.child.kind != "primitive"

    @staticmethod
    def append(holder: JsonObject, key: str, frame: _Frame) -> None:
        values = holder.get(key)
        besides = holder.get("_" + key)
        count = len(values if values is not None else besides or ())
        if frame.value is not None and values is None:
            values = holder[key] = [None] * count
        if frame.beside and besides is None:
            besides = holder["_" + key] = [None] * count
        if values is not None:
            values.append(frame.value)
        if besides is not None:
            besides.append(frame.beside or None)


def typed(text: str, type_name: str) -> Any:
    """The JSON value of a primitive's text; a text that is no such value stays a text."""
    if type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if type_name in _INTEGERS or type_name == "decimal":
        return _number(text, type_name)
    return text


def _number(text: str, type_name: str) -> Any:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text
    fine = found.group(1) or found.group(2)
    if fine and type_name != "decimal":
        return text
    if not fine and len(text) < 18 and text != "-0":
        return int(text)
    try:
        return Number(text)
    except ValueError:
        return text
