"""What we publish: read and search of our own profiles, value sets, operations. Anybody may; nobody may write."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer
from service.api.fhir.door import expect_parameters, open_door
from service.fhir.artefacts import Artefact, find, offered, shelf
from service.fhir.bundle import join
from service.fhir.json import encode
from service.flows.context import Context
from service.kernel.failures import Refused


@open_door
async def read(request: Request, context: Context) -> Response:
    """GET {type}/{id}"""
    expect_parameters(request)
    type_, id_ = request.path_params["type"], request.path_params["id"]
    found = shelf(type_).get(id_)
    if found is None:
        raise Refused("absent", f"{type_}/{id_} is not among the definitions published here")
    return answer(request, found.body, headers={"Cache-Control": "max-age=3600"})


@open_door
async def search(request: Request, context: Context) -> Response:
    """GET {type}?url=…"""
    type_ = request.path_params["type"]
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] not in ("_format", "_pretty")]
    expect_parameters(
        request,
        {name for name, _ in pairs if name.partition(":")[0] in (*offered(type_), "_count", "_offset")},
    )
    found = find(type_, pairs)
    here = f"{context.base}/{type_}"
    links = [{"relation": "self", "url": f"{here}?{urlencode(pairs)}".rstrip("?")}]
    if found.following:
        rest = [pair for pair in pairs if pair[0] != "_offset"]
        links.append(
            {"relation": "next", "url": f"{here}?{urlencode([*rest, ('_offset', str(found.following))])}"}
        )
    members = [("total", encode(found.total)), ("link", encode(links))]
    return answer(request, join("searchset", members, (_entry(context.base, each) for each in found.page)))


def _entry(base: str, found: Artefact) -> bytes:
    url = encode(f"{base}/{found.reference}")
    return b'{"fullUrl":' + url + b',"resource":' + found.body + b',"search":{"mode":"match"}}'
