"""The casework door: the case-management system's own records under its own ids, and the events feed.

Errors are RFC 9457 problem details with JSON Pointers into the record.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.api.callers import caller_of
from service.api.content import body_of, expected_version
from service.api.failures import problem_response
from service.api.witness import witnessed
from service.casework.records import kinds, read_answer, schema
from service.fhir.json import BadJson, Json, decode, encode
from service.fhir.outcome import Issue
from service.flows import client_page
from service.flows.answer_referral import answer_referral, is_answer
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.guests import address, make_link
from service.flows.mail_link import mail_link
from service.flows.read_events import read_events
from service.flows.receive_record import receive_record
from service.flows.record_history import record_history, record_version
from service.flows.show_record import show_record
from service.flows.withdraw_record import withdraw_record
from service.kernel.clock import instant
from service.kernel.failures import Failure, Refused

Story = Callable[[Request, Context, Caller], Awaitable[Response]]


def _door(story: Story) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            caller = await caller_of(request)
            return await story(request, request.app.state.wiring.context, caller)
        except Failure as failure:
            return problem_response(failure)

    whole = witnessed(endpoint, lambda _, failure: problem_response(failure), "casework-")
    whole.__doc__ = story.__doc__
    whole.__name__ = story.__name__
    return whole


def _answer(value: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        encode(value), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json"
    )


def _key(request: Request) -> tuple[str, str]:
    kind, id_ = request.path_params["kind"], request.path_params["id"]
    if kind not in kinds:
        raise Refused("absent", f"there is no record kind of this name; there are {', '.join(kinds)}")
    return kind, id_


async def _value(request: Request, context: Context) -> Json:
    return _decoded(request, await body_of(request, context.settings.max_body_bytes))


def _decoded(request: Request, body: bytes) -> Json:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in ("application/json", "application/merge-patch+json"):
        raise Refused("media-type", "send application/json")
    try:
        return decode(body)
    except BadJson as error:
        raise Refused("malformed", f"the body is not usable JSON: {error}") from None


def _notes(issues: list[Issue]) -> list[dict[str, str]]:
    return [
        {
            "severity": issue.severity,
            "text": issue.text,
            **({"pointer": issue.expression} if issue.expression else {}),
        }
        for issue in issues
    ]


@_door
async def put(request: Request, context: Context, caller: Caller) -> Response:
    """File a record (idempotent). `?dry-run=true` answers the FHIR it would become and writes nothing."""
    kind, id_ = _key(request)
    value = await _value(request, context)
    if kind == "referrals" and is_answer(value):
        row = await answer_referral(context, caller, id_, read_answer(value))
        return _answer({"id": id_, "kind": kind, "resources": [row.reference], "status": value["status"]})
    dry = _dry(request)
    filed = await receive_record(
        context, caller, kind, id_, value, dry_run=dry, expected=expected_version(request)
    )
    said: dict[str, Any] = {
        "id": id_,
        "kind": kind,
        "resources": filed.resources,
        "notes": _notes(filed.issues),
    }
    if dry:
        return _answer({**said, "fhir": filed.fhir})
    if filed.provenance:
        said["provenance"] = filed.provenance
    headers = {"ETag": f'W/"{filed.version}"'}
    return _answer({**said, "version": filed.version}, 201 if filed.created else 200, headers)


def _dry(request: Request) -> bool:
    """`dry-run` as said; a parameter we do not know is refused, for it may be a misspelt `dry-run`."""
    for name, text in request.query_params.multi_items():
        if name != "dry-run" or text not in ("true", "false"):
            raise Refused("malformed", "the only parameter here is `dry-run`, which is true or false")
    return request.query_params.get("dry-run") == "true"


@_door
async def get(request: Request, context: Context, caller: Caller) -> Response:
    """A record as it was filed, a referral with its state of now."""
    shown = await show_record(context, caller, *_key(request))
    headers = {"ETag": f'W/"{shown.version}"'} if shown.version else {}
    links = ", ".join(f'</fhir/{reference}>; rel="alternate"' for reference in shown.resources[:20])
    return _answer(shown.record, headers={**headers, **({"Link": links} if links else {})})


@_door
async def history(request: Request, context: Context, caller: Caller) -> Response:
    """`?before=VERSION&limit=N`: every version of a record, newest first, deletions too."""
    query = request.query_params
    before = _whole(query.get("before"), 0) or None
    past = await record_history(context, caller, *_key(request), before, _whole(query.get("limit"), 50))
    kind, id_ = _key(request)
    older = {"older": f"{_BASE}/{kind}/{id_}/_history?before={past.older}"} if past.older else {}
    return _answer({"id": id_, "kind": kind, "versions": past.versions, **older})


@_door
async def version(request: Request, context: Context, caller: Caller) -> Response:
    """One version of a record."""
    text = request.path_params["version"]
    if not text.isdecimal() or len(text) > 9:
        raise Refused("absent", "there is no such version")
    return _answer(await record_version(context, caller, *_key(request), int(text)))


@_door
async def delete(request: Request, context: Context, caller: Caller) -> Response:
    """Take a record back: what it became says entered-in-error, or inactive."""
    await withdraw_record(context, caller, *_key(request), expected_version(request))
    return Response(status_code=204)


@_door
async def batch(request: Request, context: Context, caller: Caller) -> Response:
    """Many records, each for itself: `{"records": [{"kind", "id", "record"}, …]}`, answered in order.

    A row may say `"delete": true` instead of a record, and `"version"`, the version it expects to change.
    """
    value = await _value(request, context)
    rows = value.get("records") if isinstance(value, dict) else None
    if not isinstance(rows, list) or len(rows) > context.settings.max_bundle_entries:
        raise Refused(
            "malformed", f"send {{records: […]}} with at most {context.settings.max_bundle_entries} records"
        )
    dry = request.query_params.get("dry-run") == "true"
    return _answer({"results": [await _one(context, caller, row, dry) for row in rows]})


async def _one(context: Context, caller: Caller, row: Json, dry: bool) -> dict[str, Any]:
    if not isinstance(row, dict) or row.get("kind") not in kinds or not isinstance(row.get("id"), str):
        return {"status": 400, "detail": "a row of a batch has a known `kind`, an `id` and a `record`"}
    said: dict[str, Any] = {"kind": row["kind"], "id": row["id"]}
    expected = row.get("version")
    if isinstance(expected, bool) or not isinstance(expected, int | None):
        return {**said, "status": 400, "detail": "`version` of a row is a whole number"}
    try:
        if row.get("delete") is True and not dry:
            await withdraw_record(context, caller, row["kind"], row["id"], expected)
            return {**said, "status": 204}
        filed = await receive_record(
            context, caller, row["kind"], row["id"], row.get("record"), dry_run=dry, expected=expected
        )
    except Failure as failure:
        answer = problem_response(failure)
        return {**said, "status": answer.status_code, "problem": decode(bytes(answer.body))}
    if dry:
        return {**said, "status": 200, "fhir": filed.fhir, "notes": _notes(filed.issues)}
    status = 201 if filed.created else 200
    return {**said, "status": status, "version": filed.version, "resources": filed.resources,
            "notes": _notes(filed.issues)}  # fmt: skip


@_door
async def link(request: Request, context: Context, caller: Caller) -> Response:
    """A one-time link for an agency without a FHIR server: `{"link", "expires"}` to hand over, or, asked with
    `{"mail": ADDRESS}` (or `"contact"`, who was agreed on), sent there: `{"mailed", "expires"}`."""
    record, to = request.path_params["id"], await _mailbox(request, context)
    if to is None:
        made = await make_link(context, caller, record)
        return _answer({"link": address(context, made), "expires": instant(made.expires)}, 201)
    made, mailed = await mail_link(context, request.app.state.wiring.outside, caller, record, to)
    return _answer({"mailed": mailed, "expires": instant(made.expires)}, 201)


@_door
async def client_link(request: Request, context: Context, caller: Caller) -> Response:
    """A one-time link to hand to a client, to answer what was asked: `{"link", "expires"}`."""
    made = await client_page.make_link(context, caller, request.path_params["id"])
    url = f"{context.base.removesuffix('/fhir')}/c/{made.token}"
    return _answer({"link": url, "expires": instant(made.expires)}, 201)


async def _mailbox(request: Request, context: Context) -> str | None:
    """Where a link is to be mailed; None for a link to hand over, asked for without a body."""
    body = await body_of(request, context.settings.max_body_bytes)
    if not body:
        return None
    value = _decoded(request, body)
    to = value.get("mail") if isinstance(value, dict) and value.keys() == {"mail"} else None
    if not isinstance(to, str):
        raise Refused("malformed", 'send nothing, or {"mail": "an address"}, or {"mail": "contact"}')
    return to


@_door
async def events(request: Request, context: Context, caller: Caller) -> Response:
    """`?after=CURSOR&limit=N&wait=SECONDS`: what partners did, in order."""
    query = request.query_params
    page = await read_events(
        context,
        caller,
        query.get("after"),
        _whole(query.get("limit"), 100),
        float(_whole(query.get("wait"), 0)),
    )
    return _answer({"events": page.events, "cursor": page.cursor})


def _whole(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 6:
        raise Refused("malformed", "`limit` and `wait` are whole numbers")
    return int(text)


async def record_schema(request: Request) -> Response:
    """The JSON Schema of a record kind, with an example; no token is needed to read it."""
    kind = request.path_params["kind"]
    if kind not in kinds:
        return problem_response(
            Refused("absent", f"there is no such record kind; there are {', '.join(kinds)}")
        )
    return Response(encode(schema(kind)), media_type="application/schema+json")


_BASE = "/casework/v1"
routes = [
    Route(f"{_BASE}/events", events, methods=["GET"]),
    Route(f"{_BASE}/batch", batch, methods=["POST"]),
    Route(f"{_BASE}/schema/{{kind}}", record_schema, methods=["GET"]),
    Route(f"{_BASE}/referrals/{{id}}/link", link, methods=["POST"]),
    Route(f"{_BASE}/client-tasks/{{id}}/link", client_link, methods=["POST"]),
    Route(f"{_BASE}/{{kind}}/{{id}}", put, methods=["PUT"]),
    Route(f"{_BASE}/{{kind}}/{{id}}", get, methods=["GET"]),
    Route(f"{_BASE}/{{kind}}/{{id}}", delete, methods=["DELETE"]),
    Route(f"{_BASE}/{{kind}}/{{id}}/_history", history, methods=["GET"]),
    Route(f"{_BASE}/{{kind}}/{{id}}/_history/{{version}}", version, methods=["GET"]),
]
