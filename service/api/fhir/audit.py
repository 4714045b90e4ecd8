"""Trust at the FHIR door: AuditEvent read and search, Patient/$disclosures, Consent/$decide, Patient/$break-glass."""

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer, resource_of
from service.api.fhir.door import door
from service.api.fhir.search import pairs_of
from service.fhir.arguments import Arguments, arguments
from service.fhir.json import JsonObject, encode
from service.flows import grounds
from service.flows.audit import events
from service.flows.audit.decide import Supposed
from service.flows.audit.decide import decide as decide_story
from service.flows.audit.disclosures import Disclosure, archived_before, of_client
from service.flows.caller import Caller
from service.flows.context import Context
from service.kernel.clock import instant

TYPE = events.TYPE
MOST_YEARS = 100


@door
async def read(request: Request, context: Context, caller: Caller) -> Response:
    """GET AuditEvent/{id}"""
    return answer(request, await events.read(context, caller, request.path_params["id"]))


@door
async def search(request: Request, context: Context, caller: Caller) -> Response:
    """GET AuditEvent, POST AuditEvent/_search"""
    return answer(request, await events.search(context, caller, await pairs_of(request)))


@door
async def disclosures(request: Request, context: Context, caller: Caller) -> Response:
    """GET or POST Patient/{id}/$disclosures"""
    given = await _given(request, context, ("years",))
    years = given.number("years", MOST_YEARS)
    lines = [_line(each) for each in await of_client(context, caller, request.path_params["id"], years)]
    if before := await archived_before(context, years):
        lines.append({"name": "archivedBefore", "valueInstant": instant(before)})
    return answer(request, encode({"resourceType": "Parameters", "parameter": lines}))


@door
async def decide(request: Request, context: Context, caller: Caller) -> Response:
    """POST Consent/$decide"""
    given = await _given(request, context, ("recipient", "purpose", "patient", "reference"))
    supposed = Supposed(
        given.text("recipient"), given.text("purpose"), given.text("patient"), tuple(given.texts("reference"))
    )
    return answer(request, encode(await decide_story(context, caller, supposed)))


@door
async def break_glass(request: Request, context: Context, caller: Caller) -> Response:
    """POST Patient/{id}/$break-glass"""
    given = await _given(request, context, (*grounds.FACTS, "type"))
    facts = grounds.Act(
        "emergency", "", types=tuple(given.texts("type")), recipient=given.text("recipient"),
        affiliation=given.text("affiliation"), discloser=given.text("discloser"), nature=given.text("nature"),
    )  # fmt: skip
    told = await grounds.break_glass(context, caller, request.path_params["id"], facts)
    parameters = [
        {"name": "ground", "valueUri": f"urn:uuid:{told['id']}"},
        {"name": "until", "valueInstant": told["until"]},
    ]
    return answer(request, encode({"resourceType": "Parameters", "parameter": parameters}))


async def _given(request: Request, context: Context, known: tuple[str, ...]) -> Arguments:
    sized = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    body = (
        await resource_of(request, context.settings.max_body_bytes)
        if request.method == "POST" and sized
        else None
    )
    return arguments(body, request.query_params.multi_items(), known)


def _line(one: Disclosure) -> JsonObject:
    parts: list[JsonObject] = [
        {"name": "date", "valueInstant": instant(one.date)},
        {"name": "recipient", "valueReference": {"reference": one.organization, "display": one.recipient}},
        {"name": "description", "valueString": one.description},
        {"name": "purpose", "valueCode": one.purpose},
        {"name": "basis", "valueCode": one.basis},
        *(
            {"name": "ground", "valueUri": each}
            if each.startswith("urn:")
            else {"name": "consent", "valueReference": {"reference": each}}
            for each in one.consents
        ),
        {"name": "arrived", "valueCode": one.arrived},
        {"name": "event", "valueReference": {"reference": f"{TYPE}/{one.event}"}},
    ]
    return {"name": "disclosure", "part": parts}
