"""Messages: a Bundle whose first entry says what it is about, and the Bundle that answers it.

https://hl7.org/fhir/R4/messaging.html; the event is that of BSeR 2.0.0-ballot: a referral (`v2-0003#I12`), for every
step of which the same event is used.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

from service.fhir.json import Json, JsonObject, encode
from service.fhir.outcome import Issue, operation_outcome
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.kernel.ids import derived_id

REFERRAL: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v2-0003",
    "code": "I12",
    "display": "REF/RRI - Patient referral",
}
OPERATION: Final = "$process-message"
HEADER: Final = "Bundle.entry[0].resource"
Code = Literal["ok", "transient-error", "fatal-error"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came. `id` is its sender's for it; `digest` is of what it says, whatever its envelope."""

    id: str
    header: JsonObject
    rows: list[JsonObject]
    digest: str

    def focus(self, type_: str) -> tuple[int, JsonObject]:
        """(place, resource) of the one entry of this type that the message is about; Refused when there is none."""
        names = [each.get("reference") for each in _rows(self.header.get("focus")) if isinstance(each, dict)]
        for place, row in enumerate(self.rows):
            if row["resource"]["resourceType"] == type_ and row.get("fullUrl", "") in names:
                return place, row["resource"]
        raise fault(f"the message names no {type_} in it as its focus", f"{HEADER}.focus", "required")


def fault(text: str, place: str, code: Literal["required", "value", "not-found", "business-rule"]) -> Refused:
    """Why a message is not taken, and where in it that is."""
    return Refused("unprocessable", text, [Issue("error", code, text, place, "message")])


def message_of(bundle: JsonObject, most: int) -> Message:
    """Read a message. Refused("malformed") for what is none, or says nothing by which it could be answered."""
    rows = _rows(bundle.get("entry"))
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "message" or not rows:
        raise _none("a Bundle of type message is expected", "Bundle.type")
    if len(rows) > most:
        raise Refused("too-large", f"the Bundle has {len(rows)} entries; at most {most} are taken at once")
    for place, row in enumerate(rows):
        resource = row.get("resource") if isinstance(row, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise _none("every entry of a message has a resource", f"Bundle.entry[{place}].resource")
        if not isinstance(row.get("fullUrl", ""), str):
            raise _none("a fullUrl is a text", f"Bundle.entry[{place}].fullUrl")
    header = rows[0]["resource"]
    if header["resourceType"] != "MessageHeader":
        raise _none("the first entry of a message is its MessageHeader", HEADER)
    id_ = header.get("id") or _identifier(bundle.get("identifier"))
    if not isinstance(id_, str) or not 0 < len(id_) <= 200:
        raise _none("a message has an id: MessageHeader.id, or Bundle.identifier", f"{HEADER}.id")
    return Message(id_, header, rows, sha256(encode(_ordered(rows))).hexdigest())


def answer(message: Message, code: Code, issues: list[Issue], base: str, now: datetime) -> JsonObject:
    """The message that answers: taken, to be sent again, or refused with every reason."""
    id_ = derived_id("answer", message.id, message.digest, code)
    outcome = f"urn:uuid:{derived_id('outcome', id_)}"
    said: JsonObject = {"identifier": message.id, "code": code}
    if issues:
        said["details"] = {"reference": outcome}
    header: JsonObject = {"resourceType": "MessageHeader", "id": id_, "eventCoding": REFERRAL}
    source = message.header.get("source")
    to = source.get("endpoint") if isinstance(source, dict) else None
    if isinstance(to, str):
        header["destination"] = [{"endpoint": to}]
    header |= {"source": {"name": "Casebridge", "endpoint": f"{base}/{OPERATION}"}, "response": said}
    entries: list[Json] = [{"fullUrl": f"urn:uuid:{id_}", "resource": header}]
    if issues:
        entries.append({"fullUrl": outcome, "resource": operation_outcome(issues)})
    return {
        "resourceType": "Bundle", "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{id_}"},
        "type": "message", "timestamp": instant(now), "entry": entries,
    }  # fmt: skip


def expect_referral(message: Message, base: str) -> None:
    """Refused unless it is about a referral, and to us if it says to whom."""
    event = message.header.get("eventCoding")
    known = isinstance(event, dict) and all(event.get(name) == REFERRAL[name] for name in ("system", "code"))
    if not known:
        text = f"this event is not known here; the one that is: {REFERRAL['system']}#{REFERRAL['code']}"
        raise fault(text, f"{HEADER}.event", "value")
    to = [each.get("endpoint") for each in _rows(message.header.get("destination")) if isinstance(each, dict)]
    if to and not any(isinstance(each, str) and f"{each}/".startswith(f"{base}/") for each in to):
        raise fault("this message is addressed to another endpoint", f"{HEADER}.destination", "value")


def _rows(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _none(text: str, place: str) -> Refused:
    return Refused("malformed", text, [Issue("error", "structure", text, place)])


def _identifier(value: Json) -> str:
    if not isinstance(value, dict) or not value.get("value"):
        return ""
    return f"{value.get('system', '')}|{value['value']}"


def _ordered(value: Json) -> Json:
    """The same whatever the order of its members."""
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    return [_ordered(each) for each in value] if isinstance(value, list) else value
