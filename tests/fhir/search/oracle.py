"""The slow, obviously correct search: R4's words, one resource at a time, over FHIRPath. No index, no SQL.

`holds(resource, "code:not", "a|b,c")` answers one parameter of one search. It shares nothing with
`service.fhir.search` but the table of parameters.
"""

import math
import re
import unicodedata
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from service.fhir import fhirpath, r4
from service.fhir.catalogue import catalogue
from service.fhir.search.parameters import Parameter, parameters

BASE = "https://casebridge.example/fhir"
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)

Value = tuple[str, Any, str]
"""FHIR type, value, and the system that a code's binding implies."""

FITTING = {
    "token": {"Coding", "CodeableConcept", "Identifier", "ContactPoint"} | r4.PRIMITIVES,
    "reference": {"Reference", "canonical", "uri", "url", "oid", "uuid"},
    "string": {"HumanName", "Address", "ContactPoint", "CodeableConcept", "Coding", "Annotation"}
    | r4.PRIMITIVES,
    "date": {"date", "dateTime", "instant", "Period", "Timing"},
    "number": {"integer", "decimal", "positiveInt", "unsignedInt", "Range"},
    "quantity": {"Quantity", "Age", "Duration", "Count", "Distance", "Money", "Range"},
    "uri": r4.PRIMITIVES,
}


def holds(resource: dict[str, Any], name: str, value: str, now: datetime) -> bool:
    """Whether the resource meets `name=value`."""
    code, _, modifier = name.partition(":")
    parameter = parameters(resource["resourceType"])[code]
    if code == "_id":
        return resource["id"] in [plain(v) for v in split(value, ",")]
    if code == "near":
        return near(resource, modifier, value)
    if parameter.type == "composite":
        if modifier == "missing":
            return (value == "true") == (not whole(resource, parameter))
        return any(composite(resource, parameter, each, now) for each in split(value, ","))
    found = values(resource, parameter.expression, parameter.type, resource["resourceType"])
    if (parameter.base, code, modifier) == ("Patient", "deceased", "missing"):
        found = [
            v for k, v in resource.items() if k.startswith("deceased")
        ]  # the expression always has a value
    if modifier == "missing":
        return (value == "true") == (not found)
    negated = modifier in ("not", "not-in")
    hit = any(
        matches(parameter.type, v, modifier, each, now, parameter)
        for v in found
        for each in split(value, ",")
    )
    return hit != negated


def values(focus: Any, expression: str, kind: str, of: str) -> list[Value]:
    """What the expression selects, of the types that a parameter of this kind can look at."""
    text = re.sub(r"\(([^()|]+) as (\w+)\)", r"\1.ofType(\2)", expression).replace(".as(", ".ofType(")
    text = text.replace("(DateTime)", "(dateTime)")
    found: list[Value] = []
    for node in fhirpath.compile(text).nodes(focus, fhirpath.Scope(resolve=resolve), of):
        type_, value = node.type.removeprefix("System.").replace("Boolean", "boolean"), node.value
        if type_ == "Extension":
            inner = [(k, v) for k, v in value.items() if k.startswith("value")]
            found += [(r4.structure("Extension").by_key[k].type, v, "") for k, v in inner]
        elif value is not None:
            found.append((type_, value, implied_system(node) if type_ == "code" else ""))
    return [each for each in found if each[0] in FITTING[kind]]


def resolve(reference: str) -> dict[str, Any] | None:
    return fhirpath.known_by_type(reference)


def implied_system(node: Any) -> str:
    slot = r4.structure(node.owner).by_key[node.key]
    binding = str(slot.element.facts.get("binding", "")).partition("|")[0]
    codes = (r4.terms().get(f"ValueSet|{binding}") or {}).get("codes") or {}
    return next((system for system, known in reversed(codes.items()) if node.value in known), "")


def composite(resource: dict[str, Any], parameter: Parameter, value: str, now: datetime) -> bool:
    wanted = split(value, "$")
    nodes = fhirpath.compile(parameter.expression).nodes(resource, of=resource["resourceType"])
    return any(
        all(
            any(
                matches(part.type, each, "", text, now, parameter)
                for each in values(node.value, part.expression, part.type, node.type)
            )
            for part, text in zip(parameter.components, wanted, strict=True)
        )
        for node in nodes
    )


def whole(resource: dict[str, Any], parameter: Parameter) -> bool:
    """Some element has all parts of the composite."""
    nodes = fhirpath.compile(parameter.expression).nodes(resource, of=resource["resourceType"])
    first, second = parameter.components
    return any(
        any(
            any(c)
            for each in values(node.value, first.expression, first.type, node.type)
            for c in codings(each)
        )
        and values(node.value, second.expression, second.type, node.type)
        for node in nodes
    )


def matches(kind: str, value: Value, modifier: str, text: str, now: datetime, parameter: Parameter) -> bool:
    match kind:
        case "token":
            return token(value, modifier, text)
        case "reference":
            return reference(value, modifier, text, parameter)
        case "string":
            return string(value, modifier, text)
        case "uri":
            return uri(value[1], modifier, plain(text))
        case "date":
            return any(related_dates(each, text, now) for each in intervals(value))
        case "number" | "quantity":
            return any(related_numbers(low, high, units, text) for low, high, units in ranges(value))
        case _:
            raise NotImplementedError(kind)


# tokens


def codings(value: Value) -> list[tuple[str, str]]:
    type_, it, system = value
    if type_ == "CodeableConcept":
        return [(c.get("system", ""), c.get("code", "")) for c in it.get("coding", [])]
    if type_ == "Coding":
        return [(it.get("system", ""), it.get("code", ""))]
    if type_ in ("Identifier", "ContactPoint"):
        return [(it.get("system", ""), it.get("value", ""))]
    if isinstance(it, bool):
        text = "true" if it else "false"
        return [("", text), ("http://hl7.org/fhir/special-values", text)]
    return [(system, str(it))]


def token(value: Value, modifier: str, text: str) -> bool:
    type_, it, _ = value
    if modifier == "text":
        return any(folded(t).startswith(folded(plain(text))) for t in captions(type_, it))
    if modifier == "of-type":
        if type_ != "Identifier":
            return False
        kinds = [(c.get("system", ""), c.get("code", "")) for c in it.get("type", {}).get("coding", [])]
        system, code, number = (plain(part) for part in split(text, "|"))
        return (system, code) in kinds and it.get("value") == number
    if modifier in ("in", "not-in"):
        codes = SETS.get(plain(text)) or r4.terms()[f"ValueSet|{plain(text)}"]["codes"]
        return any(code in codes.get(system, ()) for system, code in codings(value))
    if modifier in ("below", "above"):
        system, wanted = (plain(part) for part in split(text, "|"))
        mine = [code for its, code in codings(value) if its == system]
        return any(is_a(code, wanted) if modifier == "below" else is_a(wanted, code) for code in mine)
    return any(coding_is(system, code, text) for system, code in codings(value))


SETS = {"http://x.example/vs": {"urn:one": ["b", "c"], "http://two.example/cs": ["a", "d$e"]}}
PARENTS = {"b": {"a"}, "x|y": {"b"}, "c": {"b", "p,q"}}
"""Of `urn:one`, by hand."""


def is_a(code: str, wanted: str) -> bool:
    return code == wanted or any(is_a(above, wanted) for above in PARENTS.get(code, ()))


def captions(type_: str, it: Any) -> list[str]:
    if type_ == "CodeableConcept":
        texts = [it.get("text"), *(c.get("display") for c in it.get("coding", []))]
    elif type_ == "Coding":
        texts = [it.get("display")]
    elif type_ == "Identifier" and "type" in it:
        return captions("CodeableConcept", it["type"])
    else:
        texts = []
    return [text for text in texts if text]


def coding_is(system: str, code: str, text: str) -> bool:
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) == 1:
        return bool(code) and code == parts[0]
    if not parts[1]:
        return system == parts[0]
    return (system, code) == (parts[0], parts[1])


# references and uris


def reference(value: Value, modifier: str, text: str, parameter: Parameter) -> bool:
    it = value[1]
    if modifier == "identifier":
        identifier = it.get("identifier") if isinstance(it, dict) else None
        return bool(identifier) and token(("Identifier", identifier, ""), "", text)
    target = it.get("reference", "") if isinstance(it, dict) else it
    if not bare(target):
        return False
    target, wanted = target.removeprefix(BASE + "/"), plain(text).removeprefix(BASE + "/")
    if re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", wanted):
        types = [modifier] if modifier else list(parameter.targets or catalogue)
        local = re.fullmatch(r"([A-Z]\w+)/([^/]+)", bare(target))
        return bool(local) and local[2] == wanted and (not types or local[1] in types)  # type: ignore[index]
    if modifier and wanted.split("/_history/")[0].split("/")[-2:-1] != [modifier]:
        return False
    return wanted in (target, bare(target))


def bare(target: str) -> str:
    """Without our own base, without a version; nothing for a contained resource."""
    return (
        "" if target.startswith("#") else target.removeprefix(BASE + "/").split("/_history/")[0].split("|")[0]
    )


def uri(it: str, modifier: str, text: str) -> bool:
    if modifier == "below":
        text = text.rstrip("/")
        return it == text or it.startswith(text + "/")
    if modifier == "above":
        return any(
            text == known or text.startswith(known.rstrip("/") + "/") for known in (it, it.split("|")[0])
        )
    return text in (it, it.split("|")[0])


# strings


def folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(c for c in unicodedata.normalize("NFKD", apart) if not unicodedata.combining(c))
    return " ".join(unicodedata.normalize("NFKC", bare).split())


PARTS = {
    "HumanName": ("text", "family", "given", "prefix", "suffix"),
    "Address": ("text", "line", "city", "district", "state", "postalCode", "country"),
    "ContactPoint": ("value",),
    "CodeableConcept": ("text",),
    "Coding": ("display",),
    "Annotation": ("text",),
}


def string(value: Value, modifier: str, text: str) -> bool:
    type_, it, _ = value
    if isinstance(it, dict):
        parts = [it.get(name) for name in PARTS[type_]]
        texts = [t for part in parts if part for t in (part if isinstance(part, list) else [part])]
    else:
        texts = [it]
    wanted = plain(text)
    if modifier == "exact":
        return wanted in texts
    if modifier == "contains":
        return any(folded(wanted) in folded(t) for t in texts)
    return any(folded(t).startswith(folded(wanted)) for t in texts)


# dates


def intervals(value: Value) -> list[tuple[datetime, datetime]]:
    type_, it, _ = value
    if type_ == "Period":
        if "start" not in it and "end" not in it:
            return []
        low = stretch(it["start"])[0] if "start" in it else EARLIEST
        high = stretch(it["end"])[1] if "end" in it else LATEST
        return [(low, high)] if low < high else []
    if type_ == "Timing":
        bounds = it.get("repeat", {}).get("boundsPeriod")
        inner = intervals(("Period", bounds, "")) if bounds else []
        return [stretch(event) for event in it.get("event", [])] + inner
    return [stretch(it)]


def stretch(text: str) -> tuple[datetime, datetime]:
    """From the first to just behind the last instant that the text may mean; no zone means UTC."""
    if "T" not in text:
        parts = [int(part) for part in text.split("-")]
        year, month, day = (*parts, *[0] * (3 - len(parts)))
        low = datetime(year, month or 1, day or 1, tzinfo=UTC)
        last = datetime(year, month or 12, day or monthrange(year, month or 12)[1], tzinfo=UTC)
        return low, last + timedelta(days=1)
    clock = text.split("T")[1].rstrip("Z").split("+")[0].split("-")[0]
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    if "." in clock:
        return moment, moment + timedelta(seconds=1) / 10 ** len(clock.split(".")[1])
    return moment, moment + (timedelta(seconds=1) if clock.count(":") == 2 else timedelta(minutes=1))


def prefix_of(text: str) -> tuple[str, str]:
    return (text[:2], text[2:]) if text[:2].isalpha() else ("eq", text)


def related_dates(stored: tuple[datetime, datetime], text: str, now: datetime) -> bool:
    prefix, rest = prefix_of(text)
    (low, high), (from_, to) = stretch(rest), stored
    contained = low <= from_ and to <= high
    above, below = to > high, from_ < low
    if prefix == "ap":
        slack = abs(now - low) / 10
        return from_ < high + slack and to > low - slack
    return {
        "eq": contained, "ne": not contained, "gt": above, "lt": below, "ge": above or contained,
        "le": below or contained, "sa": from_ >= high, "eb": to <= low,
    }[prefix]  # fmt: skip


# numbers


def ranges(value: Value) -> list[tuple[Decimal, Decimal, list[tuple[str, str]]]]:
    type_, it, _ = value
    if not isinstance(it, dict):
        return [(Decimal(it), Decimal(it), [])]
    if type_ == "Range":
        low, high = it.get("low", {}), it.get("high", {})
        if "value" not in low and "value" not in high:
            return []
        start = Decimal(low.get("value", Decimal("-Infinity")))
        end = Decimal(high.get("value", Decimal("Infinity")))
        return [(start, end, names(low or high))] if start <= end else []
    return [(Decimal(it["value"]), Decimal(it["value"]), names(it))] if "value" in it else []


def names(it: dict[str, Any]) -> list[tuple[str, str]]:
    """(system, name) of the unit, and each name alone."""
    if "currency" in it:
        return [("urn:iso:std:iso:4217", it["currency"]), ("", it["currency"])]
    found = [("", it[key]) for key in ("code", "unit") if key in it]
    return found + ([(it["system"], it["code"])] if "system" in it and "code" in it else [])


UCUM = "http://unitsofmeasure.org"
KINDS = {
    "mg": ("mass", Decimal("0.001")), "g": ("mass", Decimal(1)), "kg": ("mass", Decimal(1000)),
    "min": ("time", Decimal(60)), "h": ("time", Decimal(3600)), "[lb_av]": ("mass", Decimal("453.59237")),
}  # fmt: skip


def related_numbers(low: Decimal, high: Decimal, units: list[tuple[str, str]], text: str) -> bool:
    number, *unit = [plain(part) for part in split(text, "|")]
    prefix, rest = prefix_of(number)
    asked = Decimal(rest)
    half = Decimal(5).scaleb(int(asked.as_tuple().exponent) - 1)
    if unit and unit[0] == UCUM and unit[1] in KINDS:
        kind, factor = KINDS[unit[1]]
        mine = [
            KINDS[code][1] for system, code in units if system == UCUM and KINDS.get(code, "?")[0] == kind
        ]
        if not mine:
            return False
        low, high, asked, half = low * mine[0], high * mine[0], asked * factor, half * factor
    elif unit and (unit[0], unit[1]) not in units:
        return False
    equal = asked - half <= low and high < asked + half
    if prefix == "ap":
        around = max(half, abs(asked) / 10)
        return low <= asked + around and high >= asked - around
    return {
        "eq": equal, "ne": not equal, "gt": high > asked, "lt": low < asked, "ge": high >= asked,
        "le": low <= asked, "sa": low > asked, "eb": high < asked,
    }[prefix]  # fmt: skip


def near(resource: dict[str, Any], modifier: str, value: str) -> bool:
    place = resource.get("position", {})
    there = (place.get("latitude"), place.get("longitude"))
    known = None not in there and abs(there[0]) <= 90 and abs(there[1]) <= 180
    if modifier == "missing":
        return known != (value == "true")
    return known and any(kilometres(there, text) for text in split(value, ","))


def kilometres(there: tuple[Any, Any], text: str) -> bool:
    """Within the distance, by the angle between two vectors from the middle of the earth."""
    latitude, longitude, distance, unit = (
        (*text.split("|"), "50", "km")[:4] if text.count("|") != 2 else (*text.split("|"), "km")
    )
    limit = float(distance) * {"km": 1, "m": 0.001, "[mi_i]": 1.609344}[unit]
    one, two = (vector(float(y), float(x)) for y, x in (there, (latitude, longitude)))
    cosine = sum(a * b for a, b in zip(one, two, strict=True))
    return 6371.0088 * math.acos(max(-1.0, min(1.0, cosine))) <= limit + 1e-6


def vector(latitude: float, longitude: float) -> tuple[float, float, float]:
    y, x = math.radians(latitude), math.radians(longitude)
    return math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)


# escapes


def split(text: str, separator: str) -> list[str]:
    parts, escaped = [""], False
    for character in text:
        if character == separator and not escaped:
            parts.append("")
        else:
            parts[-1] += character
        escaped = character == "\\" and not escaped
    return parts


def plain(text: str) -> str:
    out, escaped = "", False
    for character in text:
        if escaped:
            out += character if character in ",|$\\" else "\\" + character
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            out += character
    return out
