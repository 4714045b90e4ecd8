"""The XHTML inside: kept character for character, but never trusted to be well-formed."""

import re
from typing import NoReturn
from xml.parsers import expat

from service.fhir.xml.layout import XHTML

_NAMESPACE = re.compile(r"<div(?=[\s/>])")


def embedded(div: str) -> str | None:
    """A `div` fit to stand inside an XML document, or None when it is no well-formed XHTML."""
    text = div.strip()
    names: list[str] = []
    parser = expat.ParserCreate("UTF-8", " ")
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = lambda name, _attributes: names.append(name) if not names else None
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError, _Doctype):
        return None
    if not text.startswith("<"):
        return None
    if names == [f"{XHTML} div"]:
        return text if not text.startswith("<?") else None
    if names == ["div"]:
        return _NAMESPACE.sub(f'<div xmlns="{XHTML}"', text, count=1)
    return None


class _Doctype(Exception):
    pass


def _refuse(*_arguments: object) -> NoReturn:
    raise _Doctype
