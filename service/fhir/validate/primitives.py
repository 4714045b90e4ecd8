"""The primitive types of R4: what a JSON value must look like, calendar included.

https://hl7.org/fhir/R4/datatypes.html#primitive. Each check answers None for a good value, otherwise a
phrase saying what was expected. A phrase never repeats the value.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from decimal import Decimal

Check = Callable[[object], str | None]

MAX_STRING = 1024 * 1024
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_YEAR = r"(?P<year>(?!0000)[0-9]{4})"
_DAY = rf"{_YEAR}(?:-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>0[1-9]|[12][0-9]|3[01]))?)?"
_WHOLE_DAY = rf"{_YEAR}-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

_date = re.compile(_DAY).fullmatch
_date_time = re.compile(rf"{_DAY}(?P<time>T{_CLOCK}{_ZONE})?").fullmatch
_instant = re.compile(rf"{_WHOLE_DAY}T{_CLOCK}{_ZONE}").fullmatch
_time = re.compile(_CLOCK).fullmatch
_id = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_code = re.compile(r"[^\s]+(?: [^\s]+)*").fullmatch
_uri = re.compile(r"\S+").fullmatch
_oid = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+").fullmatch
_uuid = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE).fullmatch
_base64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?").fullmatch


def json_kind(value: object) -> str:
    """How a person calls the JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "an array"
    return "an object" if isinstance(value, dict) else "a number"


def _not_text(value: object) -> str:
    return f"a JSON string, not {json_kind(value)}"


def check_string(value: object) -> str | None:
    """A text: not empty, not only white space, at most 1 MB, no control characters."""
    if not isinstance(value, str):
        return _not_text(value)
    if not value or value.isspace():
        return "a text that is not empty and not only white space"
    if len(value) > MAX_STRING:
        return "at most 1048576 characters"
    if not value.isprintable() and _CONTROL.search(value):
        return "no control characters other than tab, line feed and carriage return"
    return None


def _lexical(match: Callable[[str], object], expected: str) -> Check:
    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return f"{expected} as {_not_text(value)}"
        return None if match(value) else expected

    return check


def _calendar(match: Callable[[str], re.Match[str] | None], expected: str) -> Check:
    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return f"{expected} as {_not_text(value)}"
        found = match(value)
        if not found:
            return expected
        day = found["day"]
        if day is not None and int(day) > monthrange(int(found["year"]), int(found["month"]))[1]:
            return "a day that exists in the calendar"
        return None

    return check


def check_date_time(value: object) -> str | None:
    """YYYY, YYYY-MM, YYYY-MM-DD or a full time with zone; a time needs a whole day before it."""
    fault = _any_date_time(value)
    if fault is None and isinstance(value, str) and "T" in value and value.index("T") != 10:
        return "a whole day (YYYY-MM-DD) before the time"
    return fault


_any_date_time = _calendar(
    _date_time, "a dateTime such as 2024, 2024-05, 2024-05-31 or 2024-05-31T14:30:00Z (a time needs its zone)"
)


def check_boolean(value: object) -> str | None:
    """True or false, unquoted."""
    return None if isinstance(value, bool) else f"true or false, not {json_kind(value)}"


def check_decimal(value: object) -> str | None:
    """A JSON number; never a string."""
    if isinstance(value, (int, Decimal, float)) and not isinstance(value, bool):
        return None if not isinstance(value, float) or value - value == 0 else "a finite number"
    return f"a JSON number, not {json_kind(value)}"


def _integer(low: int, expected: str) -> Check:
    def check(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, (int, Decimal, float)):
            return f"{expected} as a JSON number, not {json_kind(value)}"
        if not isinstance(value, int):
            return f"{expected} without fraction or exponent"
        return None if low <= value <= 2147483647 else expected

    return check


def check_base64(value: object) -> str | None:
    """Base64, white space between groups allowed."""
    if not isinstance(value, str):
        return f"base64 as {_not_text(value)}"
    packed = value if value.isascii() and value.isalnum() else "".join(value.split())
    return None if packed and _base64(packed) else "base64 content (RFC 4648) that is not empty"


def _uri_check(kind: str) -> Check:
    return _lexical(_uri, f"a {kind} without white space")


_FORMAL = frozenset(("date", "dateTime", "instant", "time", "id", "oid", "uuid"))
_DIGIT, _LETTER = re.compile(r"[0-9]"), re.compile(r"[^\W\d_]")


def form_of(type_: str, value: object) -> str:
    """The form of a formal value, without what it says: `99/99/9999`; empty where it tells nothing."""
    if type_ not in _FORMAL or not isinstance(value, str) or len(value) > 40 or not value.isprintable():
        return ""
    return _LETTER.sub("a", _DIGIT.sub("9", value))


CHECKS: dict[str, Check] = {
    "string": check_string,
    "markdown": check_string,
    "xhtml": check_string,
    "code": _lexical(_code, "a code without leading, trailing or double spaces"),
    "id": _lexical(_id, "an id of 1 to 64 letters, digits, '-' and '.'"),
    "uri": _uri_check("URI"),
    "url": _uri_check("URL"),
    "canonical": _uri_check("canonical URL"),
    "oid": _lexical(_oid, "an OID such as urn:oid:1.2.3"),
    "uuid": _lexical(_uuid, "a UUID such as urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
    "date": _calendar(_date, "a date such as 2024, 2024-05 or 2024-05-31"),
    "dateTime": check_date_time,
    "instant": _calendar(_instant, "an instant to the second with its zone, such as 2024-05-31T14:30:00Z"),
    "time": _lexical(_time, "a time of day such as 14:30:00, without zone"),
    "boolean": check_boolean,
    "decimal": check_decimal,
    "integer": _integer(-2147483648, "a whole number from -2147483648 to 2147483647"),
    "unsignedInt": _integer(0, "a whole number from 0 to 2147483647"),
    "positiveInt": _integer(1, "a whole number from 1 to 2147483647"),
    "base64Binary": check_base64,
}
