"""Patient/$primary-case-manager at the FHIR door."""

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer, resource_of
from service.api.fhir.door import door
from service.fhir.arguments import Arguments, arguments
from service.fhir.json import encode
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.lead.ask import Asking, say_who, who_leads
from service.kernel.failures import Refused

_TEXTS = ("reason", "as", "start", "end")
_REFERENCES = ("caseManager", "agency", "instead")


@door
async def read(request: Request, context: Context, caller: Caller) -> Response:
    """GET Patient/{id}/$primary-case-manager"""
    arguments(None, request.query_params.multi_items(), ())
    return answer(request, encode(await who_leads(context, caller, request.path_params["id"])))


@door
async def say(request: Request, context: Context, caller: Caller) -> Response:
    """POST Patient/{id}/$primary-case-manager"""
    body = await resource_of(request, context.settings.max_body_bytes)
    given = arguments(body, request.query_params.multi_items(), (*_TEXTS, *_REFERENCES))
    role = given.text("as") or "lead"
    if role not in ("lead", "cover"):
        raise Refused("malformed", "the parameter as is lead or cover")
    asking = Asking(
        _reference(given, "caseManager"), _reference(given, "agency"), _reference(given, "instead"),
        given.text("reason"), role == "cover", given.text("start"), given.text("end"),
    )  # fmt: skip
    return answer(request, encode(await say_who(context, caller, request.path_params["id"], asking)))


def _reference(given: Arguments, name: str) -> str:
    """The literal reference of a parameter, given as a Reference or as text; empty when it is not given."""
    found = given.values.get(name, [])
    value = found[0] if len(found) == 1 else ""
    literal = value.get("reference") if isinstance(value, dict) else value
    if len(found) > 1 or not isinstance(literal, str):
        raise Refused("malformed", f"the parameter {name} is one reference")
    return literal
