"""The system: metadata, batch and transaction. https://hl7.org/fhir/R4/http.html#transaction"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer, preference, resource_of
from service.api.failures import issues_of, status_of
from service.api.fhir.door import door, open_door
from service.fhir.bundle import Entry, entries, join
from service.fhir.capability import statement
from service.fhir.json import encode
from service.fhir.outcome import operation_outcome
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.receive_bundle import Done, receive_bundle
from service.flows.writing import expect_type
from service.kernel.clock import instant
from service.kernel.failures import Failure, Refused


@open_door
async def metadata(request: Request, context: Context) -> Response:
    """GET metadata: the CapabilityStatement, the same for everybody."""
    started = request.app.state.wiring.started
    return answer(request, encode(statement(context.base, instant(started))))


@door
async def bundle(request: Request, context: Context, caller: Caller) -> Response:
    """POST to the base: a transaction (all or nothing) or a batch (each for itself)."""
    resource = await resource_of(request, context.settings.max_body_bytes)
    expect_type(resource, "Bundle")
    minimal = preference(request) == "minimal"
    match resource.get("type"):
        case "transaction":
            done = await receive_bundle(context, caller, resource)
            return answer(
                request, join("transaction-response", [], [_entry(d, context.base, minimal) for d in done])
            )
        case "batch":
            rows = entries(resource, context.settings.max_bundle_entries)
            answers = [await _alone(context, caller, entry, minimal) for entry in rows]
            return answer(request, join("batch-response", [], answers))
        case _:
            raise Refused("malformed", "a Bundle sent to the base must be of type transaction or batch")


async def _alone(context: Context, caller: Caller, entry: Entry, minimal: bool) -> bytes:
    """One entry of a batch, as a transaction of its own."""
    try:
        [done] = await receive_bundle(context, caller, {"type": "transaction", "entry": [_row(entry)]})
        return _entry(done, context.base, minimal)
    except Failure as failure:
        outcome = operation_outcome(issues_of(failure))
        return encode({"response": {"status": str(status_of(failure)), "outcome": outcome}})


def _row(entry: Entry) -> dict[str, Any]:
    request = {"method": entry.method, "url": entry.url}
    optional = {
        "ifMatch": entry.if_match,
        "ifNoneExist": entry.if_none_exist,
        "ifNoneMatch": entry.if_none_match,
    }
    row: dict[str, Any] = {"request": request | {name: text for name, text in optional.items() if text}}
    if entry.resource is not None:
        row["resource"] = entry.resource
    if entry.full_url:
        row["fullUrl"] = entry.full_url
    return row


def _entry(done: Done, base: str, minimal: bool) -> bytes:
    response: dict[str, Any] = {"status": done.status}
    if done.row is None:
        return encode({"response": response})
    row = done.row
    response |= {
        "location": f"{base}/{row.reference}/_history/{row.version}",
        "etag": f'W/"{row.version}"',
        "lastModified": instant(row.updated),
    }
    resource = b'"resource":' + row.body + b"," if row.body and not minimal else b""
    url = encode(f"{base}/{row.reference}")
    return b'{"fullUrl":' + url + b"," + resource + b'"response":' + encode(response) + b"}"
