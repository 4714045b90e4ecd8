"""A resource in a line: what it is, how it stands, when. The words are the resource's own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from service.consent.security import notices
from service.fhir.json import Json, JsonObject, decode_object
from service.fhir.row import Row
from service.mapping.saying import name_of, objects, said

_WHAT = ("code", "description", "title", "type", "class", "service", "topic", "questionnaire")
_WHEN = (
    "period", "occurrencePeriod", "occurrenceDateTime", "performedPeriod", "performedDateTime", "effectiveDateTime",
    "effectivePeriod", "startDate", "authoredOn", "authored", "onsetDateTime", "dateTime", "sent", "date", "start",
    "recordedDate", "created", "identified",
)  # fmt: skip
_STANDS = ("status", "lifecycleStatus", "clinicalStatus")


@dataclass(frozen=True, slots=True)
class Line:
    """One resource for a list; empty where it says nothing."""

    reference: str
    what: str
    stands: str
    when: str
    more: str = ""


def content(row: Row | None) -> JsonObject:
    """The resource of a row; empty for none."""
    return decode_object(row.body) if row is not None and row.body else {}


def noticed(rows: Iterable[Row | None], home: str) -> list[str]:
    """The statement of 42 CFR 2.32 and the consents' scope, where other parties' Part 2 data is on the page."""
    return notices(content(row) for row in rows if row is not None and row.author != home)


def line(row: Row) -> Line:
    """A row in a line."""
    resource = content(row)
    return Line(
        row.reference,
        first(resource, _WHAT) or name_of(resource),
        first(resource, _STANDS),
        first(resource, _WHEN),
        _more(resource),
    )


def first(resource: JsonObject, names: tuple[str, ...]) -> str:
    """The first of these elements that says something."""
    return next((text for name in names if (text := said(resource.get(name)))), "")


def _more(resource: JsonObject) -> str:
    """Who is in it, by whom, for what: the one thing more that a reader of the list wants."""
    match resource:
        case {"participant": list(people)}:
            return "; ".join(_unique(said(_member(each)) for each in people if isinstance(each, dict)))
        case {"note": [{"text": str(text)}, *_]}:
            return text
        case {"valueString": str(text)}:
            return text
    found = first(resource, ("valueCodeableConcept", "achievementStatus", "category", "performer", "author"))
    quantity: Any = resource.get("valueQuantity")
    if isinstance(quantity, dict) and "value" in quantity:
        return f"{quantity['value']} {quantity.get('unit', '')}".strip()
    return found


def _member(participant: JsonObject) -> Json:
    return participant.get("member") or participant.get("individual") or participant.get("actor")


def _unique(texts: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))


def telecom_of(patient: JsonObject) -> str:
    """How to reach the person."""
    return ", ".join(
        f"{each.get('system', '')} {each['value']}".strip()
        for each in objects(patient.get("telecom"))
        if isinstance(each.get("value"), str)
    )
