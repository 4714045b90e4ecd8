"""Narrative: XHTML with formatting only, no scripts, no forms, and something to read.

https://hl7.org/fhir/R4/narrative.html, invariants txt-1 and txt-2.
"""

from typing import Literal
from xml.parsers import expat

from service.fhir.json import JsonObject
from service.fhir.outcome import Severity
from service.fhir.validate.facts import Child
from service.fhir.validate.place import Place
from service.fhir.validate.run import Run

PAGE = "https://hl7.org/fhir/R4/narrative.html"
_XHTML = "http://www.w3.org/1999/xhtml"

_TAGS = """
    p br div h1 h2 h3 h4 h5 h6 a span b em i strong small big tt dfn q var abbr acronym cite blockquote hr
    address bdo kbd sub sup ul ol li dl dt dd pre table caption colgroup col thead tr tfoot tbody th td code
    samp img map area ins del
"""
_KEYS = """
    id class style title lang dir accesskey tabindex name href src alt longdesc height width usemap ismap cite
    datetime charset type hreflang rel rev shape coords nohref summary border frame rules cellspacing
    cellpadding span align valign char charoff abbr axis headers scope rowspan colspan bgcolor nowrap xml:lang
    xmlns start value compact size noshade clear
"""
_ELEMENTS = frozenset(_TAGS.split())
_ATTRIBUTES = frozenset(_KEYS.split())
_ACTIVE = ("javascript:", "vbscript:", "data:text/html")


class _Reader:
    """Follows expat through one div and keeps the first thing that is not allowed."""

    def __init__(self) -> None:
        self.fault = ""
        self.says_something = False
        self.is_template = False
        self.started = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition("|")
        if not self.started:
            self.started = True
            if local != "div" or space != _XHTML:
                self.fault = f"the narrative must be one div in the namespace {_XHTML}"
        elif space != _XHTML or local not in _ELEMENTS:
            self.blame(f"the element <{local[:20]}> is not allowed in a narrative")
        if local == "img":
            self.says_something = True
        for key, value in attributes.items():
            self.attribute(key, value)

    def attribute(self, key: str, value: str) -> None:
        plain = key.rpartition("|")[2]
        if plain not in _ATTRIBUTES:
            self.blame(f"the attribute {plain[:20]} is not allowed in a narrative")
        elif plain in ("href", "src") and value.strip().lower().startswith(_ACTIVE):
            self.blame(f"the attribute {plain} must not run a script")

    def blame(self, fault: str) -> None:
        self.fault = self.fault or fault

    def text(self, data: str) -> None:
        if not data.isspace():
            self.says_something = True
        elif "\n" in data:
            self.is_template = True

    def entity(self, name: str, is_parameter: bool) -> None:
        self.blame(
            f"the entity &{name[:20]}; is not defined in XML; write the character, or &#…; with its number"
        )

    @property
    def silence(self) -> Severity | Literal[""]:
        """How bad it is that nothing is said: R4's own examples carry empty templates over several lines."""
        if self.says_something:
            return ""
        return "warning" if self.is_template else "error"

    def doctype(self, *_: object) -> None:
        self.blame("a document type declaration is not allowed")
        raise _Stop

    def instruction(self, *_: object) -> None:
        self.blame("a processing instruction is not allowed")


class _Stop(Exception):
    """Ends parsing early."""


def faults(div: str) -> tuple[str, Severity | Literal[""]]:
    """(what is not allowed in this div or "", "error" or "warning" when it says nothing, otherwise "")."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator="|")
    parser.UseForeignDTD(True)
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    parser.SkippedEntityHandler = reader.entity
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.ProcessingInstructionHandler = reader.instruction
    try:
        parser.Parse(div.encode("utf-8", "replace"), True)
    except _Stop:
        return reader.fault, ""
    except expat.ExpatError as problem:
        return f"not well-formed XHTML (line {problem.lineno}, column {problem.offset})", ""
    return reader.fault, reader.silence


def check_narrative(run: Run, child: Child, value: JsonObject, at: Place) -> None:
    """Check `Narrative.div` of a narrative that has one."""
    div = value.get("div")
    if not isinstance(div, str) or not div.strip():
        return
    fault, silence = faults(div)
    place = (at, "div", -1)
    if fault:
        run.report(place, "invariant", "txt-1", PAGE, fault)
    elif silence:
        finding = "the narrative must say something, found only white space"
        run.report(place, "invariant", "txt-2", PAGE, finding, severity=silence)
