"""Questionnaire/$populate, QuestionnaireResponse/$extract, and the forms we ship.

https://hl7.org/fhir/uv/sdc/OperationDefinition-Questionnaire-populate.html,
https://hl7.org/fhir/uv/sdc/OperationDefinition-QuestionnaireResponse-extract.html
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.api.content import answer, resource_of
from service.api.fhir.door import door, expect_parameters
from service.fhir.arguments import Arguments, arguments
from service.fhir.json import JsonObject, encode
from service.fhir.outcome import operation_outcome
from service.flows import questionnaire as story
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.questionnaire import Wanted
from service.kernel.failures import Refused

_POPULATE = ("identifier", "canonical", "questionnaire", "subject", "context", "local")
_EXTRACT = ("questionnaire-response", "questionnaire")


@door
async def read_form(request: Request, context: Context, caller: Caller) -> Response:
    """GET Questionnaire/{id} of a form we ship; it is the same for everybody and nobody changes it."""
    expect_parameters(request)
    return answer(request, encode(await story.form_of(context, caller, request.path_params["id"])))


@door
async def populate(request: Request, context: Context, caller: Caller) -> Response:
    """POST (or GET) Questionnaire/$populate, Questionnaire/{id}/$populate"""
    body: JsonObject | None = None
    launched: tuple[tuple[str, JsonObject], ...] = ()
    if request.method == "POST":
        body, launched = _launched(await resource_of(request, context.settings.max_body_bytes))
    given = arguments(body, request.query_params.multi_items(), _POPULATE)
    wanted = Wanted(
        request.path_params.get("id", ""), given.text("canonical"), _resource(given, "questionnaire"),
        _subject(given), launched,
    )  # fmt: skip
    if not (wanted.id or wanted.canonical or wanted.form):
        raise Refused("malformed", "say which form: at an instance, or by canonical or questionnaire")
    response, notes = await story.populate(context, caller, wanted)
    rows: list[JsonObject] = [{"name": "response", "resource": response}]
    if notes:
        rows.append({"name": "issues", "resource": operation_outcome(list(notes))})
    return answer(request, encode({"resourceType": "Parameters", "parameter": rows}))


@door
async def extract(request: Request, context: Context, caller: Caller) -> Response:
    """POST QuestionnaireResponse/$extract, QuestionnaireResponse/{id}/$extract"""
    expect_parameters(request)
    id_ = request.path_params.get("id", "")
    sized = request.headers.get("content-length", "0") != "0"
    body = await resource_of(request, context.settings.max_body_bytes) if sized else None
    given = arguments(body, (), _EXTRACT)
    response = _resource(given, "questionnaire-response") or given.resource
    bundle = await story.extract(context, caller, id_, response)
    rows = [{"name": "return", "resource": bundle}]
    return answer(request, encode({"resourceType": "Parameters", "parameter": rows}))


def _launched(body: JsonObject) -> tuple[JsonObject, tuple[tuple[str, JsonObject], ...]]:
    """The Parameters without `context`, which has parts (a name, and a resource as its content), and those."""
    rows = body.get("parameter")
    if body.get("resourceType") != "Parameters" or not isinstance(rows, list):
        return body, ()
    inner = [row for row in rows if isinstance(row, dict) and row.get("name") == "context"]
    named = (_context(row) for row in inner)
    return {**body, "parameter": [row for row in rows if row not in inner]}, tuple(
        each for each in named if each
    )


def _context(row: JsonObject) -> tuple[str, JsonObject] | None:
    parts: dict[Any, Any] = {
        part.get("name"): part for part in row.get("part") or [] if isinstance(part, dict)
    }
    name, content = parts.get("name", {}).get("valueString"), parts.get("content", {}).get("resource")
    return (name, content) if isinstance(name, str) and isinstance(content, dict) else None


def _resource(given: Arguments, name: str) -> JsonObject | None:
    found = given.values.get(name, [])
    if len(found) > 1 or not all(isinstance(each, dict) for each in found):
        raise Refused("malformed", f"the parameter {name} is one resource")
    first: Any = found[0] if found else None
    resource: JsonObject | None = first
    return resource


def _subject(given: Arguments) -> str:
    """A Reference as SDC has it, or its text in a URL."""
    found = given.values.get("subject", [])
    held: Any = found[0] if len(found) == 1 else ""
    reference = held.get("reference", "") if isinstance(held, dict) else held
    return reference if isinstance(reference, str) else ""
