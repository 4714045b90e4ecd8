"""Clients: found by name, number or birthday, and one client's page."""

from urllib.parse import parse_qs, urlsplit

from service.consent.security import notices
from service.fhir.json import JsonObject, decode_object
from service.fhir.narrative import harmless
from service.fhir.references import local
from service.flows.console.referrals import told
from service.flows.console.telling import Line, content, line, noticed, telecom_of
from service.flows.console.visit import PAGE, View, Visit
from service.flows.permit import visible
from service.flows.read import read_in
from service.flows.search import Question, search
from service.flows.summary import coordination_summary
from service.flows.writing import expect_id
from service.kernel.failures import Refused
from service.mapping.saying import name_of
from service.mapping.summary_sections import PLAN
from service.store.console import clients, referrals
from service.store.console.referrals import Wanted
from service.store.trail import current

TYPE = "Patient"
EACH = 10
"""Resources of each type on the page; the newest."""
TOGETHER = {
    "Team": ("EpisodeOfCare", "CareTeam", "RelatedPerson"),
    "Plan": ("CarePlan", "Goal"),
    "Needs": ("Condition", "Flag", "DetectedIssue"),
    "Contacts and services": ("Encounter", "Procedure", "Appointment", "Communication"),
    "Assessments": ("QuestionnaireResponse", "Observation"),
    "Permission": ("Consent",),
    "Papers": ("DocumentReference",),
}


async def listing(visit: Visit) -> View:
    """Nobody until something is looked for: a list of all clients serves no purpose that a search does not."""
    asked = {name: visit.asked.get(name, "").strip() for name in ("name", "number", "born")}
    cursor = visit.asked.get("cursor")
    if not cursor and not any(asked.values()):
        return {"rows": None, "next": None}
    pairs = [("_cursor", cursor)] if cursor else _pairs(asked)
    bundle = decode_object(await search(visit.context, visit.caller, Question(TYPE, tuple(pairs))))
    return {"rows": [_found(each["resource"]) for each in bundle.get("entry", [])], "next": _next(bundle)}


def _pairs(asked: dict[str, str]) -> list[tuple[str, str]]:
    given = [
        ("name", _plain(asked["name"])),
        ("identifier", _plain(asked["number"])),
        ("birthdate", asked["born"]),
    ]
    return [*((name, value) for name, value in given if value), ("_sort", "family"), ("_count", str(PAGE))]


def _plain(text: str) -> str:
    """What a person types is a word, never an operator of a FHIR search."""
    return "".join(f"\\{each}" if each in "\\$,|" else each for each in text)


def _found(patient: JsonObject) -> View:
    return {"id": patient["id"], "name": name_of(patient), "born": patient.get("birthDate", "")}


def _next(bundle: JsonObject) -> str | None:
    for link in bundle.get("link", []):
        if link["relation"] == "next":
            return str(parse_qs(urlsplit(link["url"]).query)["_cursor"][0])
    return None


async def one(visit: Visit) -> View:
    """Who the client is, the team, the plan, the referrals, the latest of everything. Refused: absent, gone."""
    id_ = visit.parts["id"]
    expect_id(id_)
    types = [type_ for group in TOGETHER.values() for type_ in group]
    async with visit.context.database.reading() as connection:
        patient = await read_in(visit.context, connection, visit.caller, TYPE, id_, None)
        found = await clients.newest(connection, patient.reference, types, EACH)
        rows = await visible(visit.context, connection, visit.caller, found)
        loops = await referrals.page(connection, Wanted(patient=patient.reference), None, PAGE)
    current().show(rows)
    [composition, *_] = await _document(visit, id_)
    lines: dict[str, list[Line]] = {type_: [] for type_ in types}
    for row in rows:
        lines[row.type].append(line(row))
    person = content(patient)
    return {
        "notice": noticed([patient, *rows], visit.caller.client_id),
        "patient": person,
        "name": name_of(person),
        "telecom": telecom_of(person),
        "groups": {
            title: {type_: lines[type_] for type_ in group if lines[type_]}
            for title, group in TOGETHER.items()
        },
        "plan": [_sheet(each) for each in composition.get("section", []) if each["title"] == PLAN],
        "each": EACH,
        "referrals": [told(each, names=True) for each in loops],
    }


async def summary(visit: Visit) -> View:
    """The coordination summary as a sheet to print. Refused: absent, gone."""
    id_ = visit.parts["id"]
    expect_id(id_)
    [composition, patient, *_] = await _document(visit, id_)
    return {
        "statement": notices([composition]),
        "name": name_of(patient),
        "patient": patient,
        "made": composition["date"],
        "sections": [_sheet(each) for each in composition.get("section", [])],
    }


async def _document(visit: Visit, id_: str) -> list[JsonObject]:
    bundle = await coordination_summary(visit.context, visit.caller, id_)
    return [entry["resource"] for entry in bundle["entry"]]


def _sheet(section: JsonObject) -> View:
    div = section.get("text", {}).get("div", "")
    code = section["code"]["coding"][0]["code"]
    inner = [_sheet(each) for each in section.get("section", [])]
    return {"title": section["title"], "code": code, "narrative": harmless(div), "sections": inner}


def expect_patient(id_: str) -> str:
    """A client that a filter names, as a reference; Refused("malformed") for what cannot be an id."""
    if local(f"{TYPE}/{id_}") is None:
        raise Refused("malformed", "client is the id of a client here")
    return f"{TYPE}/{id_}"


def expect_client(visit: Visit) -> str:
    """The client a page is about, as a reference; Refused("absent") for what cannot be an id."""
    id_ = visit.parts["id"]
    try:
        expect_id(id_)
    except Refused:
        raise Refused("absent", "there is no such client here") from None
    return f"{TYPE}/{id_}"
