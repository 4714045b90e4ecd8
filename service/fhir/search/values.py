"""What a value of a FHIR type offers to a search: forms of tokens, references, texts, intervals.

One function a kind of parameter, each taking the decoded value and its FHIR type and returning a list that is
empty for what it cannot read: a stored resource must never fail to be indexed.
https://hl7.org/fhir/R4/search.html#ptypes
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache

from service.fhir import r4
from service.fhir.json import Json
from service.fhir.references import local
from service.fhir.search import keys, ucum
from service.fhir.search.moments import Interval, interval, period

Measure = tuple[Decimal, Decimal, str]
"""[low, high] and the unit."""

NO_LIMIT = Decimal("1e30")
"""Stands for an open end of a Range: more than any FHIR quantity that means something."""

_END = Decimal("1e80")
"""The same behind a conversion: more than any quantity in any unit."""

SPECIAL = "http://hl7.org/fhir/special-values"
_CURRENCY = "urn:iso:std:iso:4217"


def each(value: Json) -> list[Json]:
    """The members of an array, or the one value."""
    return value if isinstance(value, list) else [value]


def _text(value: Json, name: str) -> str:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


# tokens


@cache
def systems(binding: str) -> Mapping[str, str]:
    """Code → system of a required value set, for codes whose system is implied."""
    found = r4.terms().get(f"ValueSet|{binding.partition('|')[0]}") or {}
    return {code: system for system, codes in (found.get("codes") or {}).items() for code in codes}


def tokens(value: Json, type_: str, binding: str = "") -> list[str]:
    """The forms under which a token is found: code, system|code, |code, system|."""
    if isinstance(value, bool):
        code = "true" if value else "false"
        return [code, keys.coding_of(SPECIAL, code), keys.coding_of("", code)]
    if isinstance(value, str):
        return _coded(systems(binding).get(value, "") if binding else "", value)
    if not isinstance(value, dict):
        return []
    if type_ == "CodeableConcept":
        return [f for coding in each(value.get("coding")) for f in tokens(coding, "Coding")]
    return _coded(_text(value, "system"), _text(value, "value" if type_ in _VALUED else "code"))


def words(value: Json, type_: str) -> list[str]:
    """What a token is ordered by: its code or value, whatever the system."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, str):
        return [value] if value else []
    if not isinstance(value, dict):
        return []
    if type_ == "CodeableConcept":
        return [word for coding in each(value.get("coding")) for word in words(coding, "Coding")]
    word = _text(value, "value" if type_ in _VALUED else "code")
    return [word] if word else []


_VALUED = ("Identifier", "ContactPoint")


def _coded(system: str, code: str) -> list[str]:
    if system:
        forms = [keys.system_of(system)]
        return [keys.code_of(code), keys.coding_of(system, code), *forms] if code else forms
    return [keys.code_of(code), keys.coding_of("", code)] if code else []


def captions(value: Json, type_: str) -> list[str]:
    """What a person reads of a token, for `:text`."""
    if type_ == "CodeableConcept":
        displays = [_text(coding, "display") for coding in each(value.get("coding"))]
        return [text for text in (_text(value, "text"), *displays) if text]
    if type_ == "Identifier":
        return captions(value["type"], "CodeableConcept") if isinstance(value.get("type"), dict) else []
    found = _text(value, "display")
    return [found] if found else []


def typed_identifiers(value: Json) -> Iterator[tuple[str, str]]:
    """(type form, value) of an Identifier, for `:of-type`."""
    number, kind = _text(value, "value"), value.get("type")
    if number and isinstance(kind, dict):
        for coding in each(kind.get("coding")):
            if code := _text(coding, "code"):
                yield keys.coding_of(_text(coding, "system"), code), number


# references and uris


def references(value: Json, base: str = "") -> list[str]:
    """The forms of a Reference, canonical or uri: `Type/id`, with its version too; absolute; canonical."""
    text = value if isinstance(value, str) else _text(value, "reference")
    if not text or text.startswith("#"):
        return []
    if base and text.startswith(base + "/"):
        text = text[len(base) + 1 :]
    bare = text.partition("/_history/")[0].partition("|")[0]
    return [bare, text] if bare != text else [text]


def identifiers(value: Json) -> list[str]:
    """The token forms of a logical reference."""
    found = value.get("identifier") if isinstance(value, dict) else None
    return tokens(found, "Identifier") if found else []


def refers_to(value: Json, type_: str) -> bool:
    """Whether a Reference is, as far as it says, to a resource of the type."""
    if not isinstance(value, dict):
        return False
    text = _text(value, "reference")
    found = local(text) or local("/".join(text.partition("/_history/")[0].split("/")[-2:]))
    return found[0] == type_ if found else _text(value, "type") == type_


# strings

_PARTS = {
    "HumanName": ("text", "family", "given", "prefix", "suffix"),
    "Address": ("text", "line", "city", "district", "state", "postalCode", "country"),
    "ContactPoint": ("value",),
    "Identifier": ("value",),
    "CodeableConcept": ("text",),
    "Coding": ("display",),
    "Annotation": ("text",),
    "Reference": ("display",),
}


def texts(value: Json, type_: str) -> list[str]:
    """The strings of a value: of a name or an address, each part."""
    if isinstance(value, str):
        return [value] if value else []
    if not isinstance(value, dict):
        return []
    parts = (part for name in _PARTS.get(type_, ()) for part in each(value.get(name)))
    return [part for part in parts if isinstance(part, str) and part]


# dates


def intervals(value: Json, type_: str) -> list[Interval]:
    """The intervals of a date, dateTime, instant, Period or Timing."""
    if isinstance(value, str):
        found = interval(value)
    elif type_ == "Timing":
        return _timing(value)
    else:
        found = period(value)
    return [found] if found else []


def _timing(value: Json) -> list[Interval]:
    if not isinstance(value, dict):
        return []
    events = [interval(event) for event in each(value.get("event")) if isinstance(event, str)]
    repeat = value.get("repeat")
    bounds = period(repeat.get("boundsPeriod")) if isinstance(repeat, dict) else None
    return [found for found in (*events, bounds) if found]


# numbers


def decimal(value: Json) -> Decimal | None:
    """A JSON number as a plain Decimal within limits."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value) or Decimal(0)  # 0e999999999 is nothing too
    size = number.copy_abs()  # unlike abs(), never overflows
    return number if size < NO_LIMIT and number.as_tuple().exponent >= -100 else None  # type: ignore[operator]


def measures(value: Json, type_: str) -> list[Measure]:
    """The closed ranges of a number, Quantity, Money or Range, once for every way to name the unit.

    A Range that ends before it begins holds no number.
    """
    if not isinstance(value, dict):
        number = decimal(value)
        return [] if number is None else [(number, number, "")]
    if type_ == "Range":
        return _range(value)
    number = decimal(value.get("value"))
    return [] if number is None else [_measure(number, number, unit) for unit in units(value)]


def _range(value: dict[str, Json]) -> list[Measure]:
    ends = [end if isinstance(end := value.get(name), dict) else {} for name in ("low", "high")]
    low, high = (decimal(end.get("value")) for end in ends)
    if low is None and high is None:
        return []
    low, high = -NO_LIMIT if low is None else low, NO_LIMIT if high is None else high
    return [_measure(low, high, unit) for unit in units(ends[0] or ends[1])] if low <= high else []


def _measure(low: Decimal, high: Decimal, unit: str) -> Measure:
    """In the unit of its kind, where it is named by UCUM and can be converted."""
    factor, unit = converted(unit)
    return (low, high, unit) if factor is None else (_scaled(low, factor), _scaled(high, factor), unit)


def _scaled(end: Decimal, factor: Decimal) -> Decimal:
    return _END.copy_sign(end) if end.copy_abs() == NO_LIMIT else ucum.EXACT.multiply(end, factor)


def converted(unit: str) -> tuple[Decimal | None, str]:
    """`system|code` to its factor and `=[unit of its kind]`; the unit as it is, with None, for all others."""
    system, _, code = unit.partition("|")
    found = ucum.canonical(code) if system == ucum.SYSTEM else None
    return (found[0], f"={found[1]}") if found else (None, unit)


def units(value: Json) -> list[str]:
    """The ways a Quantity names its unit: `system|code`, `|code` (code or unit text); [""] without one."""
    if currency := _text(value, "currency"):
        return [f"{_CURRENCY}|{currency}", f"|{currency}"]
    system, code, unit = (_text(value, name) for name in ("system", "code", "unit"))
    found = [f"{system}|{code}"] if system and code else []
    found += [f"|{name}" for name in dict.fromkeys((code, unit)) if name]
    return found or [""]
