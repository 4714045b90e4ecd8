"""The system: metadata, batch and transaction. https://hl7.org/fhir/R4/http.html#transaction"""

from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer, preference, resource_of
from service.api.failures import issues_of, status_of
from service.api.fhir.door import door, expect_parameters, open_door
from service.consent.security import bundled
from service.fhir.arguments import arguments
from service.fhir.bundle import Entry, entries_alone
from service.fhir.capability import statement
from service.fhir.json import encode
from service.fhir.outcome import operation_outcome
from service.fhir.validate.packages import Guide
from service.flows.audit.witness import refused_part
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.receive_bundle import Done, receive_bundle, receive_entries
from service.flows.receive_message import receive_message
from service.flows.writing import expect_type
from service.kernel.clock import instant
from service.kernel.failures import Failure, Refused


@open_door
async def metadata(request: Request, context: Context) -> Response:
    """GET metadata: the CapabilityStatement, the same for everybody."""
    wiring = request.app.state.wiring
    return answer(request, _statement(context.base, instant(wiring.started), wiring.rules().guides))


@lru_cache(maxsize=4)
def _statement(base: str, date: str, guides: tuple[Guide, ...]) -> bytes:
    return encode(statement(base, date, guides))


@door
async def bundle(request: Request, context: Context, caller: Caller) -> Response:
    """POST to the base: a transaction (all or nothing) or a batch (each for itself)."""
    expect_parameters(request)
    resource = await resource_of(request, context.settings.max_body_bytes)
    expect_type(resource, "Bundle")
    wanted = preference(request)
    match resource.get("type"):
        case "transaction":
            done = await receive_bundle(context, caller, resource)
            return answer(
                request, bundled("transaction-response", [], [_entry(d, context.base, wanted) for d in done])
            )
        case "batch":
            rows = entries_alone(resource, context.settings.max_bundle_entries)
            answers = [await _alone(context, caller, entry, wanted) for entry in rows]
            return answer(request, bundled("batch-response", [], answers))
        case _:
            raise Refused("malformed", "a Bundle sent to the base must be of type transaction or batch")


@door
async def message(request: Request, context: Context, caller: Caller) -> Response:
    """POST $process-message: a message, or the parameter `content` that holds it."""
    body = await resource_of(request, context.settings.max_body_bytes)
    known = ("content", "async", "response-url")
    given = arguments(body, request.query_params.multi_items(), known)
    if given.flag("async") or given.text("response-url"):
        raise Refused("unsupported", "a message is answered at once, where it was sent from")
    held = given.values.get("content", [given.resource])
    if len(held) != 1 or not isinstance(held[0], dict):
        raise Refused("malformed", "one message is needed: a Bundle, alone or as the parameter content")
    return answer(request, await receive_message(context, caller, held[0]))


async def _alone(context: Context, caller: Caller, entry: Entry | Refused, wanted: str) -> bytes:
    """One entry of a batch, as a transaction of its own."""
    if isinstance(entry, Refused):
        return _failed(entry)
    try:
        [done] = await receive_entries(context, caller, [entry], alone=True)
        return _entry(done, context.base, wanted)
    except Failure as failure:
        refused_part(entry.method, "", failure)
        return _failed(failure)


def _failed(failure: Failure) -> bytes:
    outcome = operation_outcome(issues_of(failure))
    return encode({"response": {"status": str(status_of(failure)), "outcome": outcome}})


def _entry(done: Done, base: str, wanted: str) -> bytes:
    if done.refused is not None:
        return _failed(done.refused)
    if done.body is not None:
        return b'{"resource":' + done.body + b',"response":' + encode({"status": done.status}) + b"}"
    response: dict[str, Any] = {"status": done.status}
    if done.row is None:
        return encode({"response": response})
    row = done.row
    response |= {
        "location": f"{base}/{row.reference}/_history/{row.version}",
        "etag": f'W/"{row.version}"',
        "lastModified": instant(row.updated),
    }
    if wanted == "OperationOutcome":
        response["outcome"] = operation_outcome(done.issues)
    resource = b'"resource":' + row.body + b"," if row.body and wanted == "representation" else b""
    url = encode(f"{base}/{row.reference}")
    return b'{"fullUrl":' + url + b"," + resource + b'"response":' + encode(response) + b"}"
