"""After closing nobody plans a contact with the client that they did not permit."""

from collections.abc import Sequence
from typing import Any

from service.casework import records as words
from service.casework.records.client import Client
from service.casework.records.closing import Closing
from service.coordination.aftercare import Permission, objection
from service.fhir.json import decode_object
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.flows.caller import Caller
from service.kernel.failures import Refused
from service.mapping.planned_contact import PLANS, planned_contact, whom
from service.store import leads, records
from service.store.unit import Unit


async def expect_permitted(unit: Unit, caller: Caller, filed: Sequence[Row]) -> None:
    """Refused("unprocessable") for what the home agency plans against the client's word. A partner's own plans with
    its own client are its own; what was done is documented and not refused."""
    if not caller.custodian:
        return
    for row in filed:
        resource = decode_object(row.body) if row.type in PLANS and row.body else {}
        contact = planned_contact(resource) if resource else None
        patient = row.patient or whom(resource)
        if contact is None or not patient or not await _closed(unit, patient):
            continue
        text = objection(await _permission(unit, caller.client_id, patient), contact)
        if text:
            raise Refused(
                "unprocessable",
                text,
                [Issue("error", "business-rule", text, "/status", "contact-after-closing")],
            )


async def _closed(connection: Any, patient: str) -> bool:
    """Was the case closed, and not opened again?"""
    case = await leads.last_of(connection, patient)
    return case is not None and case.course.closed is not None


async def _permission(connection: Any, source: str, patient: str) -> Permission | None:
    """What the last closing says of it, else the client's record."""
    said = await records.about(connection, source, "closings", patient)
    for kept in sorted(said, key=lambda each: each.updated, reverse=True):
        closing = words.read("closings", kept.id, decode_object(kept.body))
        if isinstance(closing, Closing) and closing.status == "closed" and closing.follow_up:
            return Permission(closing.follow_up.permitted, closing.follow_up.by or "")
    whose = await records.becoming(connection, source, patient)
    client = words.read("clients", whose.id, decode_object(whose.body)) if whose else None
    return Permission(client.follow_up) if isinstance(client, Client) and client.follow_up else None
