"""Questionnaire/$populate and QuestionnaireResponse/$extract (SDC 4.0.0): a form filled in, and what answers mean.

What the caller may not see is not filled in: everything is read as a read and a search of the caller are.
"""

from dataclasses import dataclass
from typing import Any

from service.coordination.gpra.tool import read_tool
from service.fhir.json import JsonObject, decode_object
from service.fhir.outcome import Issue
from service.fhir.references import local
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.read import read
from service.flows.search import Question, search
from service.flows.writing import checked
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.mapping.context import MappingContext, Source
from service.mapping.extract import extract as observations
from service.mapping.identity import path_of
from service.mapping.instruments import instruments
from service.mapping.populate import Known
from service.mapping.populate import populate as filled
from service.mapping.services_received import counted
from service.store import gpra

HOME = "Patient"
COUNTED = ("Procedure", "Encounter")
MOST = 1000
"""Services that are counted, of each type."""
NEWEST = 200
"""How many of the client's Observations are looked at."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A form by id, by canonical, or as it is; the subject (`Patient/x`), and resources for its expressions."""

    id: str = ""
    canonical: str = ""
    form: JsonObject | None = None
    subject: str = ""
    launched: tuple[tuple[str, JsonObject], ...] = ()


SHIPPED = tuple(instruments())
"""Ids of the forms of this release."""


async def form_of(context: Context, caller: Caller, id_: str) -> JsonObject:
    """A Questionnaire by id: stored here, else one of those we ship. Refused: absent."""
    shipped = instruments().get(id_)
    if shipped is not None:
        caller.require("Questionnaire", "r")
        return shipped
    return decode_object((await read(context, caller, "Questionnaire", id_)).body or b"")


async def populate(context: Context, caller: Caller, wanted: Wanted) -> tuple[JsonObject, tuple[Issue, ...]]:
    """The response in progress and notes. Refused: absent (form or subject), malformed (no subject)."""
    form = await _form(context, caller, wanted)
    key = local(wanted.subject, context.base)
    if key is None or key[0] != HOME:
        raise Refused("malformed", "the parameter subject refers to a Patient of this server: Patient/[id]")
    patient = decode_object((await read(context, caller, *key)).body or b"")
    pairs = (("subject", f"{HOME}/{key[1]}"), ("_sort", "-date"), ("_count", str(NEWEST)))
    bundle = decode_object(await search(context, caller, Question("Observation", pairs)))
    newest = [entry["resource"] for entry in bundle.get("entry", [])]
    variables = {"patient": patient, **await _counts(context, caller, form, key[1]), **dict(wanted.launched)}
    known = Known({"reference": f"{HOME}/{key[1]}"}, variables, newest, context.clock())
    return filled(form, known)


async def _counts(context: Context, caller: Caller, form: JsonObject, patient: str) -> dict[str, JsonObject]:
    """`%received` for a tool of the shared outcome data: services across agencies, as far as the caller sees them."""
    tool = read_tool(str(form.get("id", "")), str(form.get("version", "")))
    if tool is None:
        return {}
    found: list[JsonObject] = []
    for type_ in COUNTED:
        pairs = (("subject", f"{HOME}/{patient}"), ("_count", str(MOST)))
        bundle = decode_object(await search(context, caller, Question(type_, pairs)))
        found += [
            entry["resource"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == "match"
        ]
    async with context.database.reading() as connection:
        since = await gpra.newest_intake(connection, f"{HOME}/{patient}")
    today = context.clock().astimezone(context.settings.zone).date()
    return {"received": dict(counted(tool, found, today, since))}


async def _form(context: Context, caller: Caller, wanted: Wanted) -> JsonObject:
    if wanted.form is not None:
        if wanted.form.get("resourceType") != "Questionnaire":
            raise Refused("malformed", "the parameter questionnaire is a Questionnaire")
        checked(context, wanted.form)
        return wanted.form
    if wanted.id:
        return await form_of(context, caller, wanted.id)
    found = await _by_canonical(context, caller, wanted.canonical)
    if found is None:
        raise Refused("absent", "this Questionnaire is not known here")
    return found


async def _by_canonical(context: Context, caller: Caller, canonical: str) -> JsonObject | None:
    """The Questionnaire of this url; of the version it names, else the newest stored one or ours."""
    url, _, version = canonical.partition("|")
    for shipped in instruments().values():
        if shipped["url"] == url and version in ("", shipped.get("version")):
            return shipped
    pairs = (
        ("url", url),
        *((("version", version),) if version else ()),
        ("_sort", "-_lastUpdated"),
        ("_count", "1"),
    )
    if not url:
        return None
    bundle = decode_object(await search(context, caller, Question("Questionnaire", pairs)))
    return next((entry["resource"] for entry in bundle.get("entry", [])), None)


async def extract(context: Context, caller: Caller, id_: str, response: JsonObject | None) -> JsonObject:
    """A transaction Bundle that keeps what the answers say: Observations and scores (SDC observation-based).

    The same response gives the same Observations, so a response handed in again amends them; nothing is deleted.
    Refused: absent, unprocessable (no form, or an unfinished response).
    """
    if id_:
        response = decode_object((await read(context, caller, "QuestionnaireResponse", id_)).body or b"")
    if response is None or response.get("resourceType") != "QuestionnaireResponse":
        raise Refused("malformed", "send the parameter questionnaire-response, or ask at an instance")
    if not id_:
        checked(context, response)
    form = await _by_canonical(context, caller, str(response.get("questionnaire", "")))
    if form is None:
        text = "the Questionnaire of this response is not known here, so nothing can be extracted"
        raise Refused(
            "unprocessable", text, [Issue("error", "not-found", text, "QuestionnaireResponse.questionnaire")]
        )
    if not {"subject", "authored"} <= response.keys():
        text = "to extract, a response says whose (subject) and when (authored)"
        raise Refused("unprocessable", text, [Issue("error", "required", text, "QuestionnaireResponse")])
    made = _made(context, caller, form, response)
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [_entry(context, each) for each in made],
    }


def _made(context: Context, caller: Caller, form: JsonObject, response: JsonObject) -> tuple[JsonObject, ...]:
    """The ids are those of the record's own extraction where the response was made from a record."""
    known = "id" in response
    held = {**response, "id": response.get("id") or new_id()}
    source = Source(caller.client_id, caller.organization, name=caller.name)
    mapping = MappingContext(context.base, context.clock(), source)
    path = path_of(mapping, [_identifier(held)], "assessment")
    made = observations(form, held, mapping, "/".join(path) if path else f"response/{held['id']}")
    return made if known else tuple(_apart(each) for each in made)


def _apart(observation: JsonObject) -> JsonObject:
    """Of a response that is not kept here: nothing to be derived from."""
    return {key: value for key, value in observation.items() if key != "derivedFrom"}


def _identifier(response: JsonObject) -> JsonObject:
    held: Any = response.get("identifier")
    return held if isinstance(held, dict) else {}


def _entry(context: Context, observation: JsonObject) -> JsonObject:
    reference = f"Observation/{observation['id']}"
    return {
        "fullUrl": f"{context.base}/{reference}",
        "resource": observation,
        "request": {"method": "PUT", "url": reference},
    }
