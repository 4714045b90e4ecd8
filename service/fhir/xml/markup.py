"""The narrative's `div` on its way in: the characters of the document where they can stand alone.

A div that leans on prefixes declared outside itself is written anew with its own namespace.
"""

import re

from service.fhir.xml.layout import XHTML

_TAG = re.compile(rb"""<(?:[^<>"']|"[^"]*"|'[^']*')*>""")
_XML = "http://www.w3.org/XML/1998/namespace"
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_VALUE = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})


class Div:
    """Follows the events of one div and, at its end, answers its text."""

    def __init__(self, raw: bytes, begin: int) -> None:
        self.raw = raw
        self.begin = begin
        self.depth = 0
        self.plain = True
        self.closed: int | None = None
        self.written: list[str] = []

    def start(self, name: str, attributes: dict[str, str], at: int) -> None:
        """An element begins at this byte."""
        self.depth += 1
        local = name.rpartition(" ")[2]
        self.plain = self.plain and self._stands_alone(local, at)
        own = f' xmlns="{XHTML}"' if self.depth == 1 else ""
        texts = [f' {_attribute(key)}="{value.translate(_VALUE)}"' for key, value in attributes.items()]
        self.written.append(f"<{local}{own}{''.join(texts)}>")

    def _stands_alone(self, local: str, at: int) -> bool:
        tag = _TAG.match(self.raw, at)
        text = tag.group() if tag else b""
        after = len(local.encode()) + 1
        if self.depth == 1 and text.endswith(b"/>"):
            self.closed = at + len(text)
        named = text[1:after] == local.encode() and text[after : after + 1] in b" \t\r\n/>"
        return named and (self.depth > 1 or b"xmlns=" in text)

    def text(self, data: str) -> None:
        """Characters between elements."""
        self.written.append(data.translate(_TEXT))

    def end(self, name: str, at: int) -> str | None:
        """An element ends, its end tag at this byte; the whole text when it was the div itself."""
        self.depth -= 1
        self.written.append(f"</{name.rpartition(' ')[2]}>")
        if self.depth:
            return None
        if not self.plain:
            return "".join(self.written)
        tag = _TAG.match(self.raw, at)
        return self.raw[self.begin : self.closed or (tag.end() if tag else at)].decode()


def _attribute(name: str) -> str:
    namespace, _, local = name.rpartition(" ")
    return f"xml:{local}" if namespace == _XML else local
