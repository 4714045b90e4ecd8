"""Patient/[id]/$coordination-summary: how the case stands, in one document, for whoever may know (000 6b1, 6b3).

Read as everything is read: what exists for the caller, what the token covers, what the client's consents release, each
masked, labelled and with its notice. The document is made of that and of nothing else, so it hints at nothing else.
"""

from typing import Any

from service.consent.security import together
from service.fhir.json import JsonObject, decode_object
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.permit import visible
from service.flows.read import read_in
from service.flows.search.scoped import covered
from service.kernel.ids import new_id
from service.mapping.names import GPRA_INTERVIEW
from service.mapping.summary import SOURCES, beside, chosen, document
from service.mapping.summary_sections import Whole
from service.store import partners, resources
from service.store.console.clients import newest
from service.store.trail import current

_EACH = 500
"""Resources of a type that are looked through: the newest."""
_STEPS = 4
"""How far what is named is followed: a plan, its referral, the worker, the worker's agency."""


async def coordination_summary(context: Context, caller: Caller, id_: str) -> JsonObject:
    """The document Bundle. Refused as for a read of the Patient."""
    caller.expect_some("Patient", "r")
    async with context.database.reading() as connection:
        patient = await read_in(context, connection, caller, "Patient", id_, None)
        rows = await newest(connection, patient.reference, SOURCES, _EACH)
        keys = [(row.type, row.id) for row in rows]
        told = await _seen(
            context, connection, caller, await resources.known(connection, keys, caller.viewer)
        )
        home = await partners.home(connection)
        custodian = (
            {"reference": home.organization, "display": home.name} if home else {"display": "Casebridge"}
        )
        held = await _with_named(context, connection, caller, chosen(told), custodian)
    person = decode_object(patient.body or b"{}")
    interviews = tuple(each for each in told if _is_interview(each))
    labels = together(_labels(each) for each in (person, *held.values(), *interviews))
    whole = Whole(person, held, interviews, custodian, context.base, context.clock(), context.settings.zone)
    return document(whole, new_id(), labels)


async def _seen(context: Context, connection: Any, caller: Caller, rows: list[Row]) -> list[JsonObject]:
    """Those that the caller may see now, as it may see them."""
    seen = await visible(context, connection, caller, covered(context, caller, rows, "r"))
    current().show(seen)
    return [decode_object(row.body or b"{}") for row in seen]


async def _with_named(
    context: Context, connection: Any, caller: Caller, chosen: list[JsonObject], custodian: JsonObject
) -> dict[str, JsonObject]:
    """Resources by reference, with what they name and what that names, as far as the caller may see it."""
    held = {f"{each['resourceType']}/{each['id']}": each for each in chosen}
    asked: set[tuple[str, str]] = set()
    for _ in range(_STEPS):
        missing = beside(held, custodian) - asked
        rows = await resources.known(connection, sorted(missing), caller.viewer) if missing else []
        asked |= missing
        found = await _seen(context, connection, caller, rows) if rows else []
        held |= {f"{each['resourceType']}/{each['id']}": each for each in found}
    return held


def _is_interview(resource: JsonObject) -> bool:
    return any(each.get("url") == GPRA_INTERVIEW for each in resource.get("extension", []))


def _labels(resource: JsonObject) -> list[JsonObject]:
    found: list[JsonObject] = resource.get("meta", {}).get("security", [])
    return found
