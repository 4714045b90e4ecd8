"""The parts records and resources share, both ways: names, contacts, addresses, languages, concepts,
spans, notes.

`fhir_x` writes, `x` reads. Readers take what any partner may have sent and never fail on what R4 allows.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError

from service.casework.records import words
from service.fhir.json import JsonObject
from service.mapping.names import ABSENT, BCP47, CONTACT_PERMITTED

_KINDS: Final = {"text": "sms"}
_SYSTEMS: Final = {"sms": "text"}
_CONTACT_KINDS: Final = frozenset(get_args(words.Contact.model_fields["kind"].annotation))
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_WHEN: Final = TypeAdapter[str](words.When)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
X = TypeVar("X")


def fhir_name(name: words.PersonName) -> JsonObject:
    """HumanName; one of words only says that its parts are not known (us-core-6)."""
    partless = None if name.family or name.given else [{"url": ABSENT, "valueCode": "unknown"}]
    return {
        "extension": partless,
        "use": name.use,
        "text": name.text,
        "family": name.family,
        "given": list(name.given),
        "prefix": list(name.prefix),
        "suffix": list(name.suffix),
    }


def name(value: JsonObject) -> words.PersonName | None:
    """From HumanName; one that names nobody says nothing."""
    family, given, whole = text(value.get("family")), texts(value.get("given")), text(value.get("text"))
    if not (family or given or whole):
        return None
    return words.PersonName(
        family=family, given=given, prefix=texts(value.get("prefix")), suffix=texts(value.get("suffix")),
        text=whole, use=value.get("use"),
    )  # fmt: skip


def full_name(name: words.PersonName) -> str | None:
    """A name for a Reference.display."""
    return name.text or " ".join((*name.given, *([name.family] if name.family else []))) or None


def fhir_contact(contact: words.Contact) -> JsonObject:
    """ContactPoint, with our contact-permitted extension where the client said so."""
    made: JsonObject = {
        "system": _KINDS.get(contact.kind, contact.kind), "value": contact.value, "use": contact.use,
        "rank": contact.rank,
    }  # fmt: skip
    if contact.permitted is not None:
        made["extension"] = [{"url": CONTACT_PERMITTED, "valueBoolean": contact.permitted}]
    return made


def contact(value: JsonObject) -> words.Contact | None:
    """From ContactPoint; one without a value says nothing."""
    said = text(value.get("value"))
    system = _SYSTEMS.get(value.get("system", "other"), value.get("system", "other"))
    if not said:
        return None
    kind: Any = system if system in _CONTACT_KINDS else "other"
    return words.Contact(
        kind=kind, value=said, use=value.get("use"),
        rank=value.get("rank") if value.get("rank", 1) < 100 else None,
        permitted=extension(value, CONTACT_PERMITTED, "valueBoolean"),
    )  # fmt: skip


def fhir_address(address: words.Address) -> JsonObject:
    """Address."""
    return {
        "use": address.use, "text": address.text, "line": list(address.lines), "city": address.city,
        "district": address.district, "state": address.state, "postalCode": address.postal_code,
        "country": address.country,
    }  # fmt: skip


def address(value: JsonObject) -> words.Address | None:
    """From Address; one without any place says nothing."""
    if not value.keys() & {"line", "city", "district", "state", "postalCode", "country", "text"}:
        return None
    return words.Address(
        lines=texts(value.get("line")), city=text(value.get("city")), district=text(value.get("district")),
        state=text(value.get("state")), postal_code=text(value.get("postalCode")),
        country=text(value.get("country")), text=text(value.get("text")), use=value.get("use"),
    )  # fmt: skip


def fhir_other_identifier(other: words.OtherIdentifier) -> JsonObject:
    """Identifier with its label as type.text."""
    return {"type": {"text": other.label}, "system": other.system, "value": other.value}


def other_identifiers(values: Iterable[JsonObject], *ours: str) -> tuple[words.OtherIdentifier, ...]:
    """From Identifiers that are not of our own systems; one without system or value is nobody's."""
    return tuple(
        words.OtherIdentifier(system=v["system"], value=v["value"].strip(), label=concept_text(v.get("type")))
        for v in values
        if v.get("system") not in (None, *ours) and _URI.fullmatch(v["system"]) and v.get("value", "").strip()
    )


def fhir_language(code: str) -> JsonObject:
    """CodeableConcept of a BCP 47 language."""
    return {"coding": [{"system": BCP47, "code": code}]}


def language_code(value: JsonObject) -> str | None:
    """The BCP 47 code of a language CodeableConcept."""
    codes = (c.get("code", "") for c in value.get("coding", []))
    return next((code for code in codes if _LANGUAGE.fullmatch(code)), None)


def fhir_communication(language: words.Language) -> JsonObject:
    """Patient.communication."""
    return {"language": fhir_language(language.code), "preferred": language.preferred}


def communications(values: Iterable[JsonObject]) -> tuple[words.Language, ...]:
    """From Patient.communication."""
    read = ((language_code(v.get("language", {})), v.get("preferred")) for v in values)
    return tuple(words.Language(code=code, preferred=preferred) for code, preferred in read if code)


def fhir_coding(coding: words.Coding) -> JsonObject:
    """Coding."""
    return {"system": coding.system, "code": coding.code, "display": coding.display}


def codings(values: Iterable[JsonObject]) -> tuple[words.Coding, ...]:
    """From Codings; an empty one says nothing."""
    return tuple(
        words.Coding(system=uri(v.get("system")), code=v.get("code"), display=text(v.get("display")))
        for v in values
        if v.get("code") or text(v.get("display"))
    )


def fhir_concept(concept: words.Concept) -> JsonObject:
    """CodeableConcept."""
    return {"coding": [fhir_coding(c) for c in concept.codings], "text": concept.text}


def concept(value: JsonObject) -> words.Concept | None:
    """From CodeableConcept; an empty one says nothing."""
    held, said = codings(value.get("coding", [])), text(value.get("text"))
    return words.Concept(text=said, codings=held) if held or said else None


def concept_text(value: JsonObject | None) -> str | None:
    """What a person reads in a CodeableConcept."""
    if not value:
        return None
    displays = (text(c.get("display")) or text(c.get("code")) for c in value.get("coding", []))
    return text(value.get("text")) or next((d for d in displays if d), None)


def code_in(value: JsonObject | None, system: str) -> str | None:
    """The code of this system in a CodeableConcept."""
    return next((c.get("code") for c in (value or {}).get("coding", []) if c.get("system") == system), None)


def fhir_span(span: words.Span | None) -> JsonObject | None:
    """Period."""
    return {"start": span.start, "end": span.end} if span else None


def span(value: JsonObject | None) -> words.Span | None:
    """From Period."""
    start, end = when((value or {}).get("start")), when((value or {}).get("end"))
    try:
        return words.Span(start=start, end=end) if start or end else None
    except ValidationError:  # a partner says start and end not equally exactly
        return words.Span(start=start)


def fhir_note(note: words.Note) -> JsonObject:
    """Annotation."""
    return {"authorString": note.by, "time": note.at, "text": note.text}


def notes(values: Iterable[JsonObject]) -> tuple[words.Note, ...]:
    """From Annotations."""
    return tuple(
        words.Note(
            text=said,
            at=when(v.get("time")),
            by=text(v.get("authorString")) or text(v.get("authorReference", {}).get("display")),
        )
        for v in values
        if (said := text(v.get("text")))
    )


def fhir_moment(moment: datetime) -> str:
    """dateTime, in the zone it was said in."""
    return moment.isoformat().replace("+00:00", "Z")


def when(value: object) -> str | None:
    """A FHIR date or dateTime as we keep it; None for what is not one."""
    try:
        return _WHEN.validate_python(value) if isinstance(value, str) else None
    except ValidationError:
        return None


def text(value: object) -> str | None:
    """A string with something in it, trimmed, and no longer than a record holds."""
    return value[:20_000].strip() or None if isinstance(value, str) else None


def uri(value: object) -> str | None:
    """A URI as a record holds one; None for what is not one."""
    return value if isinstance(value, str) and _URI.fullmatch(value) else None


def texts(values: Sequence[object] | None) -> tuple[str, ...]:
    """The strings with something in them."""
    return tuple(said for value in values or () if (said := text(value)))


def extension(value: JsonObject, url: str, kind: str) -> Any:
    """The value of the first extension of this url: `extension(patient, CONTACT_NOTE, "valueString")`."""
    return next((e.get(kind) for e in value.get("extension", []) if e.get("url") == url), None)


def several(read: Callable[[JsonObject], X | None], values: Iterable[JsonObject] | None) -> tuple[X, ...]:
    """Each value read, without those that said nothing."""
    return tuple(said for value in values or () if (said := read(value)) is not None)


def fhir_extension(url: str, kind: str, value: object) -> JsonObject | None:
    """An extension with this value; None when nothing was said."""
    return None if value is None else {"url": url, kind: value}
