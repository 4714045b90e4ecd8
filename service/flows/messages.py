"""What a partner is sent as a message (BSeR 2.0.0-ballot, push): one Bundle that says what it is about and to whom.

MessageHeader → Task → ServiceRequest, and beside them what travels with the referral. The initiator's identifiers are
of type PLAC, the recipient's of type FILL. A message's id is derived from the delivery and from what it says: sent
again after a lost answer it is the same message. If it says something else by then, since the Task has moved or a
consent was revoked, it is another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from service.consent.permit import Permit
from service.consent.release import Released, release
from service.fhir.json import Json, JsonObject, encode
from service.fhir.message import OPERATION, REFERRAL
from service.flows.advance_referral import side_of
from service.flows.outgoing import OURS, full_url, stable_identifier
from service.kernel.clock import instant
from service.kernel.ids import derived_id
from service.referral import lifecycle
from service.referral import loop as referral
from service.store.loops import Loop
from service.store.partners import Partner

_TYPES: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
_ASKED: Final = ("Task", "ServiceRequest")


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes what we say to `partner` about the referral `loop`; `home` is the agency that speaks."""

    home: Partner | None
    partner: Partner
    loop: Loop
    base: str

    def worded(self, resource: JsonObject) -> JsonObject:
        """The resource with its identifiers by type; our Task with the business status that it implies."""
        if resource["id"] == self.loop.id:
            dialect = side_of(self.partner).dialect
            state = lifecycle.spoken(dialect, referral.state(resource))
            resource = referral.standing(referral.unclaimed(resource), dialect, state)
        if self.loop.direction == "inbound":
            return {**resource, "identifier": [*resource.get("identifier", []), self._filler()]}
        return _placed(resource, self.base) if resource["resourceType"] in _ASKED else resource

    def released(
        self, permit: Permit, delivery: str, resources: Sequence[JsonObject], said: datetime
    ) -> Released:
        """The message, with the id that its content gives it. `said`: when the newest of the resources was written."""
        draft = release(permit, self._bundle("", resources, said)).document
        content = draft if isinstance(draft, bytes) else encode(draft)
        id_ = derived_id("message", delivery, sha256(content).hexdigest())
        return release(permit, self._bundle(id_, resources, said))

    def _bundle(self, id_: str, resources: Sequence[JsonObject], said: datetime) -> JsonObject:
        entries: list[Json] = [{"fullUrl": f"urn:uuid:{id_}", "resource": self._header(id_)}]
        first = sorted(resources, key=lambda each: _place(each["resourceType"]))
        entries += [
            {"fullUrl": full_url(f"{each['resourceType']}/{each['id']}"), "resource": each} for each in first
        ]
        return {
            "resourceType": "Bundle", "identifier": {"system": f"{OURS}message", "value": id_}, "type": "message",
            "timestamp": instant(said), "entry": entries,
        }  # fmt: skip

    def _header(self, id_: str) -> JsonObject:
        header: JsonObject = {"resourceType": "MessageHeader", "id": id_, "eventCoding": REFERRAL}
        there = (self.partner.fhir_base or "").rstrip("/")
        header["destination"] = [{"name": self.partner.name, "endpoint": f"{there}/{OPERATION}"}]
        if self.home is not None:
            header["sender"] = self._ourselves()
        header["source"] = {"name": "Casebridge", "endpoint": f"{self.base}/{OPERATION}"}
        return {**header, "focus": [{"reference": full_url(f"Task/{self.loop.id}")}]}

    def _filler(self) -> JsonObject:
        """Under which number the referral is known to us, who are asked."""
        kind = {"coding": [{"system": _TYPES, "code": "FILL"}]}
        return {
            "type": kind, "system": f"{OURS}filler", "value": self.loop.id, "assigner": self._ourselves(),
        }  # fmt: skip

    def _ourselves(self) -> JsonObject:
        if self.home is None:
            return {"display": "Casebridge"}
        return {"reference": f"{self.base}/{self.home.organization}", "display": self.home.name}


def _placed(resource: JsonObject, base: str) -> JsonObject:
    """Under which number the referral is known to us, who ask."""
    ours = stable_identifier(resource, base)
    kind = {"coding": [{"system": _TYPES, "code": "PLAC"}]}
    rows = [
        {"type": kind, **each}
        if (each.get("system"), each.get("value")) == (ours["system"], ours["value"])
        else each
        for each in resource.get("identifier", [])
    ]
    return {**resource, "identifier": rows}


def _place(type_: str) -> int:
    return _ASKED.index(type_) if type_ in _ASKED else len(_ASKED)
