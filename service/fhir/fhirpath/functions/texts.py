"""Functions of text (N1 section 5.6, and split, join, trim, encode, decode of its successor)."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from service.fhir.fhirpath.code import single
from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.functions.function import of_text, on_text, over_items
from service.fhir.fhirpath.node import Items, plain
from service.fhir.fhirpath.operators.arithmetic import bounded
from service.fhir.fhirpath.scope import MAX_TEXT, Run


def _replace(text: str, pattern: str, substitution: str) -> str:
    if (len(text) + 1) * max(len(substitution), 1) > MAX_TEXT and pattern in text:
        raise EvaluationError("a text has grown too long")
    return text.replace(pattern, substitution)


def _substring(text: str, start: Any, length: Any = None) -> str | None:
    if type(start) is not int or type(length) not in (int, type(None)):
        raise EvaluationError("an integer is expected")
    if not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(length, 0)]


def _index_of(text: str, part: str) -> int:
    return text.find(part)


def _split(run: Run, items: Items, separator: Items) -> Items:
    text, mark = single(items), single(separator)
    if type(text) is not str or type(mark) is not str or not mark:
        return items
    parts: Items = list(text.split(mark))
    run.charge(len(parts))
    return parts


def _join(run: Run, items: Items, separator: Items = ()) -> Items:  # type: ignore[assignment]
    mark = single(list(separator)) or ""
    return [bounded(mark.join(str(plain(item)) for item in items), run)] if items else []


def _characters(run: Run, items: Items) -> Items:
    text = single(items)
    if text is None:
        return []
    run.charge(len(text))
    return list(text)


_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "hex": binascii.hexlify,
    "base64": base64.b64encode,
    "urlbase64": base64.urlsafe_b64encode,
}
_DECODERS: dict[str, Callable[[str], bytes]] = {
    "hex": binascii.unhexlify,
    "base64": base64.b64decode,
    "urlbase64": base64.urlsafe_b64decode,
}


def _encode(text: str, form: str) -> str | None:
    return _ENCODERS[form](text.encode()).decode() if form in _ENCODERS else None


def _decode(text: str, form: str) -> str | None:
    try:
        return _DECODERS[form](text).decode() if form in _DECODERS else None
    except ValueError:
        return None


FUNCTIONS = {
    "indexOf": of_text(_index_of, 1),
    "lastIndexOf": of_text(lambda text, part: text.rfind(part), 1),
    "substring": of_text(_substring, 1, 2),
    "startsWith": on_text(lambda text, part: text.startswith(part), 1),
    "endsWith": on_text(lambda text, part: text.endswith(part), 1),
    "contains": on_text(lambda text, part: part in text, 1),
    "upper": of_text(str.upper),
    "lower": of_text(str.lower),
    "trim": of_text(str.strip),
    "replace": of_text(_replace, 2),
    "length": of_text(len),
    "toChars": over_items(_characters),
    "split": over_items(_split, 1),
    "join": over_items(_join, 0, 1),
    "encode": of_text(_encode, 1),
    "decode": of_text(_decode, 1),
}
