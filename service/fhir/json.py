"""One strict JSON decoder in front of everything, and the encoder that gives back the same digits.

RFC 8259 as FHIR R4 uses it (https://hl7.org/fhir/R4/json.html): UTF-8 without BOM, no duplicate keys,
no NaN or Infinity, no lone surrogates, no NUL or other C0 control character except tab, CR and LF.
Decimals keep every digit they came with.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import orjson

Json = Any
"""A decoded value: dict, list, str, bool, int, Number or None."""
JsonObject = dict[str, Any]

MAX_DEPTH = 64
MAX_DIGITS = 128
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_ESCAPED = re.compile(rb"\\u(00[01]|[dD][89a-fA-F])")


class Number(Decimal):
    """A decimal that remembers how it was written: `1.00` stays `1.00`, `1e2` stays `1e2`."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> "Number":
        """Read a JSON number literal of at most MAX_DIGITS characters; ValueError otherwise."""
        if len(text) > MAX_DIGITS:
            raise ValueError(f"a number of {len(text)} characters is longer than {MAX_DIGITS}")
        try:
            number = super().__new__(cls, text)
        except InvalidOperation as error:
            raise ValueError("a number outside the representable range") from error
        number.text = text
        return number


class BadJson(ValueError):
    """The bytes are not JSON as FHIR wants it. The message is safe to show: it quotes no content."""


def _integer(text: str) -> int | Number:
    return int(text) if len(text) < 18 and text != "-0" else Number(text)


def _no_constant(text: str) -> NoReturn:
    raise BadJson(f"{text} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadJson(f"the member {printable(twice)} occurs twice in one object")
    return members


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Number, parse_int=_integer, parse_constant=_no_constant
)


def printable(text: str, limit: int = 40) -> str:
    """A member name fit for an error message: quoted, cut, without control characters."""
    return json.dumps(text[:limit])


def decode(raw: bytes, max_depth: int = MAX_DEPTH) -> Json:
    """Bytes to a value, or BadJson saying what and where. Linear in the input; never recurses deeply."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson(f"not UTF-8 at byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise BadJson("a byte order mark is not allowed")
    if raw.count(b"{") + raw.count(b"[") > max_depth:
        _check_depth(raw, max_depth)
    try:
        value, end = _decoder.raw_decode(text, _skip_space(text, 0))
    except BadJson:
        raise
    except json.JSONDecodeError as error:
        raise BadJson(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise BadJson(f"nested deeper than {max_depth} levels") from None
    except ValueError as error:
        raise BadJson(str(error)) from None
    if _skip_space(text, end) != len(text):
        raise BadJson(f"something follows the document at character {end}")
    if b"\\u" in raw and _ESCAPED.search(raw):
        _check_text(value)
    return value


def decode_object(raw: bytes, max_depth: int = MAX_DEPTH) -> JsonObject:
    """As `decode`, for the usual case that only an object will do."""
    value = decode(raw, max_depth)
    if not isinstance(value, dict):
        raise BadJson("the document is not a JSON object")
    return value


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _check_depth(raw: bytes, limit: int) -> None:
    """Peel the brackets level by level; every step runs in C, and there are at most `limit` of them.

    Brackets that do not pair are no JSON; the decoder says where.
    """
    brackets = _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS)
    for _ in range(limit):
        peeled = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if peeled == brackets:
            return
        brackets = peeled
    if brackets:
        raise BadJson(f"nested deeper than {limit} levels")


def _check_text(value: Json) -> None:
    """Refuse escapes that PostgreSQL and XML cannot carry: NUL, other C0 controls, lone surrogates."""
    if isinstance(value, str):
        if _FORBIDDEN.search(value):
            raise BadJson("a text holds a control character or half a surrogate pair")
    elif isinstance(value, dict):
        for key, member in value.items():
            _check_text(key)
            _check_text(member)
    elif isinstance(value, list):
        for member in value:
            _check_text(member)


def _digits(value: object) -> orjson.Fragment:
    if isinstance(value, Number):
        return orjson.Fragment(value.text)
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{type(value).__name__} is not JSON")


def encode(value: Json) -> bytes:
    """A value to compact UTF-8 bytes; a decoded document comes out digit for digit."""
    return orjson.dumps(value, default=_digits)


def pretty(value: Json) -> bytes:
    """As `encode`, indented by two for people (`_pretty=true`)."""
    return orjson.dumps(value, default=_digits, option=orjson.OPT_INDENT_2)
