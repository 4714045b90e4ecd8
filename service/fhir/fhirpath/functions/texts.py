"""Functions of text (N1 section 5.6, and split, join, trim, encode, decode of its successor)."""

import base64
import binascii
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import regex

from service.fhir.fhirpath.code import single
from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.functions.function import of_text, on_text, over_items
from service.fhir.fhirpath.node import Items, plain
from service.fhir.fhirpath.operators import bounded
from service.fhir.fhirpath.scope import MAX_TEXT, Run

PATIENCE = 0.1
"""Seconds one pattern may search one text: partners send questionnaires, and patterns can explode."""
MAX_PATTERN = 2_000


@lru_cache(maxsize=512)
def _pattern(text: str) -> regex.Pattern[str]:
    if len(text) > MAX_PATTERN:
        raise EvaluationError("a pattern too long to be tried")
    try:
        return regex.compile(text, regex.DOTALL)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise EvaluationError("a pattern that is no regular expression") from error


def matches(text: str, pattern: str) -> bool:
    """`matches()`: the pattern occurs in the text; only `^…$` ties it to both ends."""
    try:
        return _pattern(pattern).search(text, timeout=PATIENCE) is not None
    except TimeoutError:
        raise EvaluationError("a pattern that takes too long") from None


def _matches_full(text: str, pattern: str) -> bool:
    try:
        return _pattern(pattern).fullmatch(text, timeout=PATIENCE) is not None
    except TimeoutError:
        raise EvaluationError("a pattern that takes too long") from None


def _replace_matches(text: str, pattern: str, substitution: str) -> str:
    template = regex.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", substitution.replace("\\", "\\\\"))
    try:
        return str(bounded(_pattern(pattern).sub(template, text, timeout=PATIENCE)))
    except TimeoutError:
        raise EvaluationError("a pattern that takes too long") from None
    except (regex.error, IndexError) as error:
        raise EvaluationError("a substitution that names no group") from error


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


def _join(_run: Run, items: Items, separator: Items = ()) -> Items:  # type: ignore[assignment]
    mark = single(list(separator)) or ""
    return [bounded(mark.join(str(plain(item)) for item in items))] if items else []


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
    "matches": on_text(matches, 1),
    "matchesFull": on_text(_matches_full, 1),
    "replaceMatches": of_text(_replace_matches, 2),
    "length": of_text(len),
    "toChars": over_items(_characters),
    "split": over_items(_split, 1),
    "join": over_items(_join, 0, 1),
    "encode": of_text(_encode, 1),
    "decode": of_text(_decode, 1),
}
