"""Search of a type, of the system, of a compartment; by GET and by POST _search.

https://hl7.org/fhir/R4/http.html#search
"""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer, body_of
from service.api.fhir.door import door
from service.api.negotiation import wishes
from service.fhir.references import ID
from service.fhir.search.parameters import compartment as members_of
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.search import Question, search
from service.kernel.failures import Refused

_FORM = "application/x-www-form-urlencoded"
MAX_QUERY_BYTES = 65_536
MAX_FIELDS = 200


@door
async def type_(request: Request, context: Context, caller: Caller) -> Response:
    """GET {type}, POST {type}/_search"""
    question = Question(request.path_params["type"], await pairs_of(request), _lenient(request))
    return answer(request, await search(context, caller, question))


@door
async def system(request: Request, context: Context, caller: Caller) -> Response:
    """GET of the base, POST _search, with `_type` to narrow it."""
    question = Question(None, await pairs_of(request), _lenient(request))
    return answer(request, await search(context, caller, question))


@door
async def compartment(request: Request, context: Context, caller: Caller) -> Response:
    """GET {type}/{id}/{member}: the member type inside the compartment of one resource; `*` for all types."""
    home, id_, member = (request.path_params[name] for name in ("type", "id", "member"))
    if not members_of(home) or member.startswith(("$", "_")) or not ID.match(id_):
        raise Refused("absent", "this path does not exist here")
    question = Question(
        None if member == "*" else member, await pairs_of(request), _lenient(request), (home, id_)
    )
    return answer(request, await search(context, caller, question))


def _lenient(request: Request) -> bool:
    """`Prefer: handling=lenient`; strict is the default and any other wish is ignored (RFC 7240)."""
    wishes = [wish.strip().lower() for wish in request.headers.get("prefer", "").replace(";", ",").split(",")]
    return "handling=lenient" in wishes


async def pairs_of(request: Request) -> tuple[tuple[str, str], ...]:
    """Name and value pairs of the URL and, for POST, of the form, in this order."""
    found = _decoded(request.scope["query_string"])
    if request.method != "POST":
        return found
    body = await body_of(request, MAX_QUERY_BYTES)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if body and kind != _FORM:
        raise Refused("media-type", f"send the search as {_FORM}")
    posted = _decoded(body)
    wishes(request, posted)
    return found + posted


def _decoded(raw: bytes) -> tuple[tuple[str, str], ...]:
    try:
        text = raw.decode("ascii")
        return tuple(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS))
    except ValueError:
        raise Refused("malformed", "the search parameters are not percent-encoded UTF-8") from None
