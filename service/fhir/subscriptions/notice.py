"""Notifications: history Bundles whose first entry says how the subscription is, written and read.

https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/notifications.html. In R4 event numbers are strings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.fhir.json import Json, JsonObject, decode_object
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.fhir.subscriptions.asked import GUIDE, Content
from service.kernel.clock import instant
from service.kernel.failures import Refused

BUNDLE = f"{GUIDE}/StructureDefinition/backport-subscription-notification-r4"
STATUS = f"{GUIDE}/StructureDefinition/backport-subscription-status-r4"

Kind = Literal["handshake", "heartbeat", "event-notification", "query-status", "query-event"]
Word = Literal["create", "update", "delete"]
_METHOD: dict[str, tuple[str, str]] = {
    "create": ("POST", "201"),
    "update": ("PUT", "200"),
    "delete": ("DELETE", "204"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """The subscription as a notification tells it. `counter`: events since its start, delivered or not."""

    base: str
    id: str
    topic: str
    status: str
    content: Content
    counter: int
    error: str = ""

    @property
    def url(self) -> str:
        """Absolute."""
        return f"{self.base}/Subscription/{self.id}"


@dataclass(frozen=True, slots=True)
class Happened:
    """One event: number, when, what was done to `reference`. `shown` is the version as the subscriber may see it now.

    `shown` None: it may not be seen any more, and the event goes out as its number and time alone.
    """

    number: int
    at: datetime
    word: Word
    reference: str
    shown: Row | None


def status(said: Said, kind: Kind, happened: Sequence[Happened] = (), id_: str = "") -> JsonObject:
    """The Parameters of profile backport-subscription-status-r4."""
    rows: list[JsonObject] = [{"name": "subscription", "valueReference": {"reference": said.url}}]
    if said.content != "empty":
        rows.append({"name": "topic", "valueCanonical": said.topic})
    rows += [
        {"name": "status", "valueCode": said.status},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(said.counter)},
        *({"name": "notification-event", "part": _parts(said, each)} for each in happened),
    ]
    if said.error:
        rows.append({"name": "error", "valueCodeableConcept": {"text": said.error}})
    whole: JsonObject = {"resourceType": "Parameters"}
    return whole | ({"id": id_} if id_ else {}) | {"meta": {"profile": [STATUS]}, "parameter": rows}


def _parts(said: Said, one: Happened) -> list[JsonObject]:
    parts: list[JsonObject] = [
        {"name": "event-number", "valueString": str(one.number)},
        {"name": "timestamp", "valueInstant": instant(one.at)},
    ]
    if said.content != "empty" and one.shown is not None:
        focus = {"reference": f"{said.base}/{one.reference}"}
        parts.append({"name": "focus", "valueReference": focus})
    return parts


def notification(said: Said, kind: Kind, happened: Sequence[Happened], now: datetime, id_: str) -> JsonObject:
    """The whole Bundle. `id_`: a UUID for the status entry, stable over retries of the same events."""
    first: JsonObject = {
        "fullUrl": f"urn:uuid:{id_}",
        "resource": status(said, kind, happened, id_),
        "request": {"method": "GET", "url": f"{said.url}/$status"},
        "response": {"status": "200"},
    }
    rest = [_entry(said, each) for each in happened if said.content != "empty" and each.shown is not None]
    return {
        "resourceType": "Bundle",
        "id": id_,
        "meta": {"profile": [BUNDLE]},
        "type": "history",
        "timestamp": instant(now),
        "entry": [first, *rest],
    }


def _entry(said: Said, one: Happened) -> JsonObject:
    method, code = _METHOD[one.word]
    type_ = one.reference.partition("/")[0]
    entry: JsonObject = {"fullUrl": f"{said.base}/{one.reference}"}
    body = one.shown.body if one.shown is not None else None
    if said.content == "full-resource" and one.word != "delete" and body is not None:
        entry["resource"] = decode_object(body)
    entry["request"] = {"method": method, "url": type_ if method == "POST" else one.reference}
    entry["response"] = {"status": code}
    return entry


@dataclass(frozen=True, slots=True)
class Event:
    """An event as a subscriber reads it: its number and what it is about (absolute or relative, or nothing)."""

    number: int
    focus: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A notification as it was received."""

    kind: str
    subscription: str
    status: str
    counter: int
    events: tuple[Event, ...]


def heard(bundle: JsonObject) -> Heard:
    """A notification Bundle read; Refused("invalid") for what is none, naming the place. R4's form, and leniently R5's
    numbers where a server writes them as integers."""
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "history":
        raise _no("a notification is a Bundle of type history", "Bundle.type")
    entries = bundle.get("entry")
    first = entries[0] if isinstance(entries, list) and entries else None
    resource = first.get("resource") if isinstance(first, dict) else None
    if not isinstance(resource, dict) or resource.get("resourceType") != "Parameters":
        raise _no(
            "the first entry of a notification is its status, a Parameters resource",
            "Bundle.entry[0].resource",
        )
    rows = resource.get("parameter")
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    values = {str(row.get("name")): row for row in rows if row.get("name") != "notification-event"}
    kind, standing = _code(values, "type"), _code(values, "status")
    events = tuple(
        _event(row, place) for place, row in enumerate(rows) if row.get("name") == "notification-event"
    )
    counter = _whole(values.get("events-since-subscription-start", {}), "")
    if counter is None:
        counter = max((each.number for each in events), default=0)
    return Heard(kind, _reference(values.get("subscription")), standing, counter, events)


def _no(text: str, at: str) -> Refused:
    return Refused("invalid", text, [Issue("error", "structure", text, at)])


_PLACE = "Bundle.entry[0].resource.parameter"


def _code(values: dict[str, JsonObject], name: str) -> str:
    found = values.get(name, {}).get("valueCode")
    if not isinstance(found, str):
        raise _no(f"the status has no {name}", _PLACE)
    return found


def _event(row: JsonObject, place: int) -> Event:
    parts = row.get("part")
    named = {
        str(part.get("name")): part
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, dict)
    }
    number = _whole(named.get("event-number", {}), "")
    if number is None:
        raise _no("a notification-event has no event-number", f"{_PLACE}[{place}]")
    return Event(number, _reference(named.get("focus")))


def _whole(row: JsonObject, default: str) -> int | None:
    for name in ("valueString", "valueInteger64", "valueInteger", "valueUnsignedInt"):
        text = str(row.get(name, default))
        if text.isascii() and text.isdecimal() and len(text) < 19:
            return int(text)
    return None


def _reference(row: Json) -> str:
    value = row.get("valueReference") if isinstance(row, dict) else None
    reference = value.get("reference") if isinstance(value, dict) else None
    return reference if isinstance(reference, str) else ""
