"""Casework records beside the FHIR they became; one FHIR resource; codes that no map knows."""

from service.casework.records import kinds
from service.fhir.json import JsonObject, decode_object
from service.fhir.narrative import harmless
from service.flows.console.telling import content, noticed
from service.flows.console.visit import PAGE, View, Visit
from service.flows.permit import visible
from service.flows.read import read
from service.flows.report_unmapped import newest
from service.flows.show_record import show_record
from service.kernel.failures import Refused
from service.store import resources
from service.store.console import records as store
from service.store.trail import current

LOOKED_AT = 200
"""Records whose codes the page of unmapped codes looks at: the newest."""


async def listing(visit: Visit) -> View:
    """Records of a kind by their own ids."""
    kind = visit.word("kind") or "referrals"
    if kind not in kinds:
        raise Refused("absent", "there is no record kind of this name")
    after = visit.asked.get("after", "")
    async with visit.context.database.reading() as connection:
        found = await store.page(connection, visit.caller.client_id, kind, after, PAGE + 1)
    rows = found[:PAGE]
    return {
        "kinds": list(kinds),
        "kind": kind,
        "rows": rows,
        "next": rows[-1].id if len(found) > PAGE else None,
    }


async def beside(visit: Visit) -> View:
    """A record and what it became. Refused: absent, gone."""
    kind, id_ = visit.parts["kind"], visit.parts["id"]
    if kind not in kinds:
        raise Refused("absent", "there is no record kind of this name")
    shown = await show_record(visit.context, visit.caller, kind, id_)
    keys = [(type_, each) for type_, _, each in (reference.partition("/") for reference in shown.resources)]
    async with visit.context.database.reading() as connection:
        rows = await resources.known(connection, keys, visit.caller.viewer)
        rows = await visible(visit.context, connection, visit.caller, rows)
    current().show(rows)
    order = {reference: place for place, reference in enumerate(shown.resources)}
    rows = sorted(rows, key=lambda row: order.get(row.reference, len(order)))
    return {
        "kind": kind,
        "id": id_,
        "version": shown.version,
        "record": shown.record,
        "notice": noticed(rows, visit.caller.client_id),
        "resources": [_resource(row.reference, row.version, content(row)) for row in rows],
    }


async def resource(visit: Visit) -> View:
    """One resource as it is stored, its narrative made harmless. Refused: absent, gone."""
    row = await read(visit.context, visit.caller, visit.parts["type"], visit.parts["id"])
    shown = _resource(row.reference, row.version, decode_object(row.body or b"{}"))
    return {"resource": shown, "notice": noticed([row], visit.caller.client_id)}


def _resource(reference: str, version: int, body: JsonObject) -> View:
    text = body.get("text")
    div = text.get("div") if isinstance(text, dict) else None
    return {
        "reference": reference,
        "version": version,
        "narrative": harmless(div) if isinstance(div, str) else "",
        "body": {name: value for name, value in body.items() if name != "text"},
    }


async def unmapped(visit: Visit) -> View:
    """Codes that no ConceptMap translates, in the records written last."""
    return {"rows": await newest(visit.context, LOOKED_AT), "looked": LOOKED_AT}
