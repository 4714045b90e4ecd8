"""The agency's FHIR endpoint: what a small R4 server offers, over its store."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.fhir.json import BadJson, JsonObject, decode_object, encode
from service.kernel.clock import instant, system_clock
from service.kernel.ids import new_id
from service.simulator.agency import Agency
from service.simulator.bell import TOPIC
from service.simulator.search import search
from service.simulator.store import Put, Refusal, Version
from service.simulator.transaction import if_match, one_match, transaction

FHIR = "application/fhir+json"
_TOPICS = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/capabilitystatement-subscriptiontopic-canonical"
_TYPES = ("Patient", "ServiceRequest", "Task", "Procedure")
_OFFERED = ("read", "vread", "update", "delete", "history-instance", "create", "search-type")
Story = Callable[[Request, Agency], Awaitable[Response]]


def _door(story: Story) -> Callable[[Request], Awaitable[Response]]:
    """Token first, then the story; a Refusal becomes an OperationOutcome."""

    async def endpoint(request: Request) -> Response:
        agency: Agency = request.app.state.agency
        if agency.guarded and not agency.desk.accepts(request.headers.get("authorization", "")):
            return _outcome(401, "login", "a bearer token from our token endpoint is needed")
        try:
            return await story(request, agency)
        except Refusal as refusal:
            return _outcome(refusal.status, refusal.code, refusal.text)
        except BadJson as error:
            return _outcome(400, "structure", f"the body is not usable JSON: {error}")

    return endpoint


def _outcome(status: int, code: str, text: str) -> Response:
    issue = {"severity": "error", "code": code, "details": {"text": text}, "diagnostics": text}
    return _answer({"resourceType": "OperationOutcome", "issue": [issue]}, status)


def _answer(value: JsonObject, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encode(value), status, headers, FHIR)


def _said(version: Version, status: int = 200, base: str = "") -> Response:
    headers = {"ETag": version.etag}
    if status == 201:
        headers["Location"] = f"{base}/{version.reference}/_history/{version.number}"
    return _answer(version.resource or {}, status, headers)


async def metadata(request: Request) -> Response:
    """GET metadata: needs no token."""
    agency: Agency = request.app.state.agency
    rest = {
        "mode": "server",
        "security": {"service": [{"coding": [{"code": "SMART-on-FHIR"}]}]},
        "interaction": [{"code": "transaction"}],
        "resource": [
            *({"type": type_, "interaction": [{"code": code} for code in _OFFERED]} for type_ in _TYPES),
            {
                "type": "Subscription",
                "extension": [{"url": _TOPICS, "valueCanonical": TOPIC}],
                "interaction": [{"code": code} for code in ("read", "create", "update", "delete")],
            },
        ],
    }
    software = {"name": "Casebridge partner simulator"}
    return _answer(
        {
            "resourceType": "CapabilityStatement", "status": "active", "date": instant(system_clock()),
            "kind": "instance", "fhirVersion": "4.0.1", "format": ["json"], "software": software,
            "implementation": {"description": agency.name, "url": agency.base}, "rest": [rest],
        }
    )  # fmt: skip


@_door
async def bundle(request: Request, agency: Agency) -> Response:
    """POST the base: a transaction."""
    answer, made = transaction(agency.store, decode_object(await request.body()))
    agency.received(made)
    return _answer(answer)


@_door
async def process_message(request: Request, agency: Agency) -> Response:
    """POST $process-message: taken whatever the agency speaks otherwise."""
    answer, made = agency.mail.take(decode_object(await request.body()))
    agency.received(made)
    return _answer(answer)


@_door
async def create(request: Request, agency: Agency) -> Response:
    """POST a type, with If-None-Exist."""
    resource, type_ = _own_type(request, await request.body()), request.path_params["type"]
    if type_ == "Subscription" and not agency.rings:
        raise Refusal(404, "not-supported", "this agency offers no Subscriptions")
    condition = request.headers.get("if-none-exist")
    found = one_match(agency.store, type_, condition) if condition else None
    if found is not None:
        return _said(found)
    [made] = agency.store.keep([Put(type_, new_id(), resource)])
    agency.received([made])
    return _said(made, 201, agency.base)


@_door
async def update(request: Request, agency: Agency) -> Response:
    """PUT by id (with If-Match), or by a condition on the type."""
    resource, type_ = _own_type(request, await request.body()), request.path_params["type"]
    id_ = request.path_params.get("id")
    if id_ is None:
        found = one_match(agency.store, type_, request.url.query)
        id_ = found.id if found else new_id()
    existed = agency.store.current(type_, id_) is not None
    [made] = agency.store.keep([Put(type_, id_, resource, if_match(request.headers.get("if-match")))])
    agency.received([made])
    return _said(made, 200 if existed else 201, agency.base)


def _own_type(request: Request, body: bytes) -> JsonObject:
    resource = decode_object(body)
    if resource.get("resourceType") != request.path_params["type"]:
        raise Refusal(400, "invalid", "the resource is of another type than the URL")
    return resource


@_door
async def read(request: Request, agency: Agency) -> Response:
    """GET one resource."""
    versions = _known(request, agency)
    if versions[-1].resource is None:
        raise Refusal(410, "deleted", "it was deleted")
    return _said(versions[-1])


@_door
async def vread(request: Request, agency: Agency) -> Response:
    """GET one version."""
    wanted = request.path_params["vid"]
    for version in _known(request, agency):
        if str(version.number) == wanted and version.resource is not None:
            return _said(version)
    raise Refusal(404, "not-found", "there is no such version")


@_door
async def history(request: Request, agency: Agency) -> Response:
    """GET every version of one resource, newest first."""
    versions = _known(request, agency)[::-1]
    rows = [
        {
            "fullUrl": f"{agency.base}/{version.reference}",
            **({"resource": version.resource} if version.resource else {}),
            "request": {"method": "PUT" if version.resource else "DELETE", "url": version.reference},
            "response": {"status": "200", "etag": version.etag, "lastModified": version.at},
        }
        for version in versions
    ]
    return _answer({"resourceType": "Bundle", "type": "history", "total": len(rows), "entry": rows})


def _known(request: Request, agency: Agency) -> list[Version]:
    versions = agency.store.history(request.path_params["type"], request.path_params["id"])
    if not versions:
        raise Refusal(404, "not-found", "there is no such resource here")
    return versions


@_door
async def delete(request: Request, agency: Agency) -> Response:
    """DELETE one resource."""
    _known(request, agency)
    agency.store.keep([Put(request.path_params["type"], request.path_params["id"], None)])
    return Response(status_code=204)


@_door
async def search_type(request: Request, agency: Agency) -> Response:
    """GET a type, or POST `_search`."""
    text = request.url.query
    if request.method == "POST":
        text = f"{text}&{(await request.body()).decode('ascii', 'replace')}"
    found = search(agency.store, request.path_params["type"], parse_qsl(text, keep_blank_values=True))
    rows = [
        {"fullUrl": f"{agency.base}/{each.reference}", "resource": each.resource, "search": {"mode": "match"}}
        for each in found
    ]
    return _answer({"resourceType": "Bundle", "type": "searchset", "total": len(rows), "entry": rows})


@_door
async def subscription_status(request: Request, agency: Agency) -> Response:
    """GET Subscription/{id}/$status"""
    ring = agency.bell.known(request.path_params["id"])
    entry = {"resource": agency.bell.status(ring, "query-status", []), "search": {"mode": "match"}}
    return _answer({"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [entry]})


@_door
async def subscription_events(request: Request, agency: Agency) -> Response:
    """GET Subscription/{id}/$events"""
    ring = agency.bell.known(request.path_params["id"])
    query = request.query_params
    first, last = query.get("eventsSinceNumber", "1"), query.get("eventsUntilNumber", str(len(ring.events)))
    if not (first.isdecimal() and last.isdecimal()):
        raise Refusal(400, "value", "event numbers are numbers")
    numbers = range(max(int(first), 1), min(int(last), len(ring.events)) + 1)
    return _answer(agency.bell.notification(ring, "query-event", list(numbers)))


routes = [
    Route("/fhir/Subscription/{id}/$status", subscription_status, methods=["GET"]),
    Route("/fhir/Subscription/{id}/$events", subscription_events, methods=["GET"]),
    Route("/fhir/metadata", metadata, methods=["GET"]),
    Route("/fhir/$process-message", process_message, methods=["POST"]),
    Route("/fhir", bundle, methods=["POST"]),
    Route("/fhir/", bundle, methods=["POST"]),
    Route("/fhir/{type}/_search", search_type, methods=["POST"]),
    Route("/fhir/{type}", search_type, methods=["GET"]),
    Route("/fhir/{type}", create, methods=["POST"]),
    Route("/fhir/{type}", update, methods=["PUT"]),
    Route("/fhir/{type}/{id}/_history/{vid}", vread, methods=["GET"]),
    Route("/fhir/{type}/{id}/_history", history, methods=["GET"]),
    Route("/fhir/{type}/{id}", read, methods=["GET"]),
    Route("/fhir/{type}/{id}", update, methods=["PUT"]),
    Route("/fhir/{type}/{id}", delete, methods=["DELETE"]),
]
