"""What is this resource, for consent? Part 2, sensitivities, one confidentiality.

Provenance first (a Part 2 programme's record is Part 2 whatever it says), then what its codes, its instrument and
its profile reveal (`sensitive`), then labels received, which persist (DS4P).
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo
from typing import Literal

from service.consent import terms
from service.consent.model import Token, reference
from service.consent.request import Labelled, Labels, Path, Sensitive
from service.consent.sensitive import CANONICAL, Categories, revealed
from service.consent.spans import Span, period, span
from service.fhir.catalogue import catalogue
from service.fhir.json import Json, JsonObject

_WHEN = (
    *("effectiveDateTime", "effectivePeriod", "effectiveInstant", "performedDateTime", "performedPeriod"),
    *("occurrenceDateTime", "occurrencePeriod", "onsetDateTime", "onsetPeriod", "period", "authored"),
    *("authoredOn", "recordedDate", "startDate", "created", "sent", "date", "issued", "dateTime", "recorded"),
)
"""The element that says when the content happened, the first present wins."""

_INSTEAD = {"Task": ("reasonCode",), "DetectedIssue": ("evidence",)}
"""What says of types without a category which needs they are about."""

_PATIENT = ("patient", "subject", "for", "beneficiary", "individual")
_AUTHORS = ("author", "asserter", "recorder", "requester", "performer", "sender", "source")


def label(
    resource: JsonObject,
    *,
    part2_source: bool,
    categories: Categories,
    author: str = "",
    custodian: str = "",
    patient: str = "",
    raw: bytes | None = None,
    zone: tzinfo = UTC,
) -> Labelled:
    """Label one resource (not a Bundle: label its entries). Contained resources count as part of it.

    `part2_source`: the record comes from a Part 2 programme. `categories`: the operator's value sets.
    """
    type_ = str(resource.get("resourceType", ""))
    nature = _nature(resource)
    if nature != "client":
        return Labelled(
            reference_to(resource), type_, nature, resource, author=author, custodian=custodian, raw=raw
        )
    sensitive = tuple(_sensitive(resource, categories))
    mentions, written_by = named(resource)
    when = _when(resource, zone)
    return Labelled(
        reference=reference_to(resource),
        type=type_,
        nature=nature,
        resource=resource,
        labels=labels(_security(resource), part2_source, (one.marks for one in sensitive)),
        patient=patient or _patient(resource),
        author=author,
        custodian=custodian,
        raw=raw,
        classes=frozenset(_classes(resource)),
        codes=frozenset(_token(coding) for _, coding in _codings(resource, ())),
        mentions=mentions,
        written_by=written_by,
        span=(when.start, when.end) if when else None,
        sensitive=sensitive,
    )


def named(resource: JsonObject) -> tuple[frozenset[str], frozenset[str]]:
    """What a resource refers to, and who wrote it: the names that a consent uses (`mentions`, `written_by`)."""
    return frozenset(_references(resource)), frozenset(_authors(resource))


def labels(received: Iterable[Token], part2_source: bool, found: Iterable[frozenset[str]] = ()) -> Labels:
    """Labels from what was received, where it comes from, and the sensitivities found in it."""
    codes = tuple(received)
    marks = {mark for group in found for mark in group}
    marks |= {code for _, code in codes if code in terms.SENSITIVITIES}
    part2 = part2_source or any(code == terms.PART2 for _, code in codes)
    floor = "V" if terms.COUNSELLING_NOTES in marks else "R" if part2 or marks else "N"
    ranks = [code for system, code in codes if system == terms.CONFIDENTIALITY and code in terms.RANK]
    known = {*terms.SENSITIVITIES, *terms.RANK, terms.PART2}
    return Labels(
        part2=part2,
        marks=frozenset(marks),
        confidentiality=max([*ranks, floor], key=terms.RANK.__getitem__),
        handling=tuple(dict.fromkeys(token for token in codes if token[1] not in known)),
    )


def _nature(resource: JsonObject) -> Literal["client", "directory", "definition"]:
    """A resource that contains a client's resource is a client's resource."""
    type_ = str(resource.get("resourceType", ""))
    row = catalogue.get(type_)
    known = row.nature if row else "definition" if type_ in terms.CONFORMANCE else "client"
    inner = [one for one in _objects(resource.get("contained")) if _nature(one) == "client"]
    if inner or known not in ("directory", "definition"):
        return "client"
    return "directory" if known == "directory" else "definition"


def reference_to(resource: JsonObject) -> str:
    """`Type/id`, the name a resource has here."""
    return f"{resource.get('resourceType', '')}/{resource.get('id', '')}"


def _security(resource: JsonObject) -> list[Token]:
    tokens: list[Token] = []
    for one in (resource, *_objects(resource.get("contained"))):
        meta = one.get("meta")
        tokens += map(_token, _objects(meta.get("security")) if isinstance(meta, dict) else [])
    return tokens


def _patient(resource: JsonObject) -> str:
    if resource.get("resourceType") == "Patient":
        return reference_to(resource)
    for element in _PATIENT:
        target = reference(resource.get(element))
        if target.split("/")[-2:-1] == ["Patient"] or target.startswith("urn:uuid:"):
            return target
    return ""


def _classes(resource: JsonObject) -> Iterator[Token]:
    """What `provision.class` may name: the resource type, its profiles, its document type, its category."""
    yield terms.RESOURCE_TYPES, str(resource.get("resourceType", ""))
    meta = resource.get("meta")
    for profile in (meta.get("profile") or []) if isinstance(meta, dict) else []:
        yield "urn:ietf:rfc:3986", str(profile)
    for element in ("type", "category", *_INSTEAD.get(str(resource.get("resourceType")), ())):
        for _, coding in _codings(resource.get(element), ()):
            yield _token(coding)


def _sensitive(resource: JsonObject, categories: Categories) -> Iterator[Sensitive]:
    for path, coding in _codings(resource, ()):
        if path[:1] != ("meta",) and (marks := revealed(_token(coding), categories)):
            yield Sensitive(path, marks)
    for element, canonical in _canonicals(resource):
        if marks := revealed((CANONICAL, canonical.partition("|")[0]), categories):
            yield Sensitive((element,), marks)


def _canonicals(resource: JsonObject) -> Iterator[tuple[str, str]]:
    """The instrument a response answers, and the profiles a resource claims."""
    yield "questionnaire", str(resource.get("questionnaire", ""))
    meta = resource.get("meta")
    for profile in (meta.get("profile") or []) if isinstance(meta, dict) else []:
        yield "meta", str(profile)


def _codings(value: Json, path: Path) -> Iterator[tuple[Path, JsonObject]]:
    """Every Coding (an object with a code and a system) and where it is; codes hide at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("code"), str) and isinstance(value.get("system"), str):
            yield path, value
        for key, member in value.items():
            yield from _codings(member, (*path, key))
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from _codings(member, (*path, place))


def _references(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        target = reference(value)
        if target:
            yield target
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for member in value:
            yield from _references(member)


def _authors(resource: JsonObject) -> Iterator[str]:
    for element in _AUTHORS:
        yield from _references(resource.get(element))


def _when(resource: JsonObject, zone: tzinfo) -> Span | None:
    for element in _WHEN:
        if element in resource:
            value = resource[element]
            return period(value, zone) if isinstance(value, dict) else span(value, zone)
    return None


def _token(coding: JsonObject) -> Token:
    return str(coding.get("system", "")), str(coding.get("code", ""))


def _objects(value: object) -> list[JsonObject]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
