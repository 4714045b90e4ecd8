"""One answer against its question: type, options, value set, length, range, format.

https://hl7.org/fhir/R4/questionnaire-definitions.html and the extensions of
http://hl7.org/fhir/uv/sdc. Texts a person wrote are never repeated in a finding.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from service.fhir import r4
from service.fhir.fhirpath import Scope, compile
from service.fhir.json import Json, JsonObject
from service.fhir.validate.enabling import ordered
from service.fhir.validate.items import HL7, SDC, Definition, extension, extensions, objects
from service.fhir.validate.matching import equals

MemberOf = Callable[[Json, str], bool | None]
TYPES: dict[str, tuple[str, ...]] = {
    "boolean": ("Boolean",),
    "decimal": ("Decimal",),
    "integer": ("Integer",),
    "date": ("Date",),
    "dateTime": ("DateTime",),
    "time": ("Time",),
    "string": ("String",),
    "text": ("String",),
    "url": ("Uri",),
    "choice": ("Coding",),
    "open-choice": ("Coding", "String"),
    "attachment": ("Attachment",),
    "reference": ("Reference",),
    "quantity": ("Quantity",),
}


class Flaw(NamedTuple):
    """What is wrong with an answer: the rule, the sentence, and True when it could only not be decided."""

    rule: str
    finding: str
    undecided: bool = False


def flaws(item: Definition, key: str, value: Json, member_of: MemberOf) -> list[Flaw]:
    """Everything wrong with one answer; `key` is its JSON key (`valueCoding`)."""
    kind = key.removeprefix("value")
    allowed = TYPES.get(item.type, ())
    options = objects(item.facts.get("answerOption"))
    if kind not in allowed and options and item.type in ("choice", "open-choice"):
        allowed = (*allowed, *(k.removeprefix("value") for o in options for k in o if k.startswith("value")))
    if kind not in allowed:
        wanted = " or ".join(f"value{each}" for each in dict.fromkeys(allowed))
        return [Flaw("qr-type", f"a question of type {item.type} is answered with {wanted}, found {key}")]
    found = [*_choice(item, kind, value, options, member_of), *_limits(item, value)]
    if isinstance(value, str):
        found += _text(item, value)
    elif isinstance(value, dict):
        found += _complex(item, kind, value, member_of)
    return found


def _choice(
    item: Definition, kind: str, value: Json, options: list[JsonObject], member_of: MemberOf
) -> list[Flaw]:
    if item.type == "open-choice" and kind == "String":
        return []
    if options:
        key = f"value{kind}"
        known = [option[key] for option in options if key in option]
        for each in known:
            if _chosen(value, each):
                return []
        listing = _listing(known)
        return [Flaw("qr-option", f"the answer is not one of the options of this question{listing}")]
    url = item.facts.get("answerValueSet")
    if not isinstance(url, str) or kind != "Coding":
        return []
    verdict = member_of(value, url)
    if verdict is None:
        return [Flaw("qr-valueSet", f"whether the answer is in {url} cannot be decided here", True)]
    return [] if verdict else [Flaw("qr-valueSet", f"the answer is not in the value set {url}")]


def _chosen(value: Json, option: Json) -> bool:
    if isinstance(value, dict) and isinstance(option, dict):
        if "code" in option:
            return value.get("code") == option["code"] and value.get("system") == option.get("system")
        if "reference" in option:
            return bool(value.get("reference") == option["reference"])
        return bool(value.get("display") == option.get("display"))
    return equals(value, option)


def _listing(options: list[Json]) -> str:
    codes = [str(o["code"]) for o in options if isinstance(o, dict) and "code" in o]
    return f": {', '.join(codes)}" if codes and len(codes) <= 14 else ""


def _limits(item: Definition, value: Json) -> list[Flaw]:
    if "extension" not in item.facts:
        return []
    found = []
    low = extension(item.facts, f"{HL7}minValue", f"{SDC}sdc-questionnaire-minQuantity")
    high = extension(item.facts, f"{HL7}maxValue", f"{SDC}sdc-questionnaire-maxQuantity")
    places = extension(item.facts, f"{HL7}maxDecimalPlaces")
    if low is not None and ordered(value, low) == -1:
        found.append(Flaw("qr-minValue", f"the answer is below the least allowed, {_limit(low)}"))
    if high is not None and ordered(value, high) == 1:
        found.append(Flaw("qr-maxValue", f"the answer is above the most allowed, {_limit(high)}"))
    if isinstance(places, int) and isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > places:
            found.append(Flaw("qr-decimals", f"at most {places} digits after the point, found {-exponent}"))
    return found


def _limit(value: Json) -> str:
    return f"{value.get('value')} {value.get('unit', '')}".strip() if isinstance(value, dict) else str(value)


def _text(item: Definition, value: str) -> list[Flaw]:
    found = []
    most = item.facts.get("maxLength")
    if isinstance(most, int) and len(value) > most:
        found.append(Flaw("qr-maxLength", f"at most {most} characters, found {len(value)}"))
    if "extension" not in item.facts:
        return found
    least = extension(item.facts, f"{HL7}minLength")
    if isinstance(least, int) and len(value) < least:
        found.append(Flaw("qr-minLength", f"at least {least} characters, found {len(value)}"))
    pattern = extension(item.facts, f"{HL7}regex")
    if isinstance(pattern, str) and not _matches(pattern, value):
        found.append(Flaw("qr-regex", f"the answer does not have the form {pattern}"))
    return found


def _matches(pattern: str, value: str) -> bool:
    # by the FHIRPath engine, which bounds the work a hostile pattern can cause
    try:
        return compile("$this.matches(%pattern)").holds(value, _scope(pattern))
    except Exception:
        return False


def _scope(pattern: str) -> Scope:
    return Scope(variables={"pattern": f"^(?:{pattern})$"})


def _complex(item: Definition, kind: str, value: JsonObject, member_of: MemberOf) -> list[Flaw]:
    if kind == "Quantity":
        return _unit(item, value, member_of)
    if kind == "Attachment":
        return _attachment(item, value)
    return _reference(item, value) if kind == "Reference" else []


def _unit(item: Definition, value: JsonObject, member_of: MemberOf) -> list[Flaw]:
    options = [o for o in extensions(item.facts, f"{HL7}questionnaire-unitOption") if isinstance(o, dict)]
    codes = [(o.get("system"), o.get("code")) for o in options]
    if codes and (value.get("system"), value.get("code")) not in codes:
        listing = ", ".join(str(code) for _, code in codes)
        return [Flaw("qr-unit", f"the unit is not one of those offered: {listing}")]
    url = extension(item.facts, f"{HL7}questionnaire-unitValueSet")
    if isinstance(url, str) and not codes:
        coding = {"system": value.get("system"), "code": value.get("code")}
        if member_of(coding, url) is False:
            return [Flaw("qr-unit", f"the unit is not in the value set {url}")]
    return []


def _attachment(item: Definition, value: JsonObject) -> list[Flaw]:
    found = []
    kinds = list(extensions(item.facts, f"{HL7}mimeType"))
    if kinds and value.get("contentType") not in kinds:
        found.append(
            Flaw("qr-attachment-type", f"the content type must be one of {', '.join(map(str, kinds))}")
        )
    most, size = extension(item.facts, f"{HL7}maxSize"), value.get("size")
    if isinstance(size, int) and most is not None and ordered(size, _bytes(most)) == 1:
        found.append(Flaw("qr-attachment-size", f"at most {most} MB"))
    return found


def _bytes(megabytes: Json) -> Json:
    return megabytes * 1024 * 1024 if isinstance(megabytes, (int, Decimal)) else None


_TYPE = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/.*)?")


def _reference(item: Definition, value: JsonObject) -> list[Flaw]:
    allowed = [str(t) for t in extensions(item.facts, f"{HL7}questionnaire-referenceResource")]
    reference = value.get("reference")
    found = _TYPE.fullmatch(reference) if isinstance(reference, str) else None
    if allowed and found and r4.is_resource(found[1]) and found[1] not in allowed:
        text = f"found a reference to {found[1]}, expected {', '.join(allowed)}"
        return [Flaw("qr-reference-type", text)]
    return []
