"""The coordination summary: what of a client's record belongs in it, and the document made of it. Pure.

A document Bundle (https://hl7.org/fhir/R4/documents.html): a Composition first, whose sections have narrative and name
their resources, then everything that is named, so that it can be read where our server cannot be reached. It is made of
what its reader may see, as the reader may see it, and says nothing of the rest.
"""

from collections.abc import Iterable
from typing import Final

from service.fhir.json import Json, JsonObject
from service.fhir.references import local, texts
from service.kernel.clock import instant
from service.mapping.merged_plan import OPEN_GOALS, is_running
from service.mapping.names import DUE_TASK, LOINC
from service.mapping.parts import code_in
from service.mapping.saying import name_of
from service.mapping.summary_sections import Whole, div, paragraph, sections, when
from service.mapping.told_of import Held

SOURCES: Final = (
    "EpisodeOfCare", "CareTeam", "CarePlan", "Goal", "ServiceRequest", "Task", "Encounter", "Flag",
    "QuestionnaireResponse",
)  # fmt: skip
"""The types that sections are made of."""
BESIDE: Final = frozenset({
    "Organization", "Practitioner", "PractitionerRole", "Location", "HealthcareService", "RelatedPerson", "Condition",
    "Goal", "ServiceRequest", "EpisodeOfCare", "CareTeam", "CarePlan",
})  # fmt: skip
"""The types that go along when something in the document refers to them."""
CONTACTS: Final = 8
_TYPE: Final = {"system": LOINC, "code": "34133-9", "display": "Summary of episode note"}
_OVER: Final = frozenset({"completed", "rejected", "cancelled", "failed", "entered-in-error"})
_RUNNING: Final = frozenset({"planned", "waitlist", "active", "onhold"})
_ELSEWHERE: Final[JsonObject] = {"display": "not part of this document"}


def chosen(resources: Iterable[JsonObject]) -> list[JsonObject]:
    """Those of a client's resources that belong in the summary."""
    rows = list(resources)
    asked = {text for each in rows if each["resourceType"] == "Task" for text in texts(each.get("focus"))}
    meetings = sorted((each for each in rows if each["resourceType"] == "Encounter"), key=_met, reverse=True)
    reports = sorted((each for each in rows if is_self_report(each)), key=_answered, reverse=True)
    return [*(each for each in rows if _belongs(each, asked)), *meetings[:CONTACTS], *reports[:1]]


def _belongs(each: JsonObject, asked: set[str]) -> bool:
    status = each.get("status")
    match each["resourceType"]:
        case "EpisodeOfCare":
            return status in _RUNNING
        case "CareTeam":
            return status in ("active", None)
        case "CarePlan":
            return is_running(each)
        case "Goal":
            return each.get("lifecycleStatus") in OPEN_GOALS
        case "Task":
            return status not in _OVER and (code_in(each.get("code"), DUE_TASK) is not None or _asks(each))
        case "ServiceRequest":
            return status in ("active", "on-hold") and f"ServiceRequest/{each['id']}" not in asked
        case "Flag":
            return status == "active"
        case _:
            return False


def _asks(task: JsonObject) -> bool:
    return any(text.startswith("ServiceRequest/") for text in texts(task.get("focus")))


def is_self_report(resource: JsonObject) -> bool:
    """Did the client answer our form about how things go?"""
    answered = resource["resourceType"] == "QuestionnaireResponse" and resource.get("status") in (
        "completed", "amended",
    )  # fmt: skip
    return answered and str(resource.get("questionnaire", "")).partition("|")[0].endswith(
        "/client-self-report"
    )


def _met(encounter: JsonObject) -> str:
    return str(encounter.get("period", {}).get("start", ""))


def _answered(response: JsonObject) -> str:
    return str(response.get("authored", ""))


def beside(held: Held, custodian: JsonObject) -> set[tuple[str, str]]:
    """What the resources and the Composition refer to and is not among them yet."""
    named = {local(text) for text in texts([custodian, *held.values()])}
    return {key for key in named if key is not None and key[0] in BESIDE and "/".join(key) not in held}


def document(whole: Whole, id_: str, security: list[JsonObject]) -> JsonObject:
    """The Bundle. `security`: the labels of everything in it, which the Composition and its narrative carry too."""
    composition = _composition(whole, id_, security)
    inside = {**whole.held, f"Patient/{whole.patient['id']}": whole.patient}
    wanted = _reached(composition, inside)
    entries = [
        {"fullUrl": f"{whole.base}/{each}", "resource": _closed(inside[each], wanted)} for each in wanted
    ]
    return {
        "resourceType": "Bundle",
        **_labels(security),
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{id_}"},
        "type": "document",
        "timestamp": instant(whole.now),
        "entry": [{"fullUrl": f"{whole.base}/Composition/{id_}", "resource": composition}, *entries],
    }


def _labels(security: list[JsonObject]) -> JsonObject:
    return {"meta": {"security": security}} if security else {}


def _composition(whole: Whole, id_: str, security: list[JsonObject]) -> JsonObject:
    now = instant(whole.now)
    name = name_of(whole.patient)
    title = f"Coordination summary, {when(whole, now)}"
    parts = sections(whole)
    highest = next((each["code"] for each in security if "Confidentiality" in str(each.get("system"))), None)
    return {
        "resourceType": "Composition",
        "id": id_,
        **_labels(security),
        "text": {"status": "generated", "div": div(paragraph(f"{title}: {name}" if name else title))},
        "status": "final",
        "type": {"coding": [_TYPE], "text": "Coordination summary"},
        "subject": {"reference": f"Patient/{whole.patient['id']}", **({"display": name} if name else {})},
        "date": now,
        "author": [whole.custodian],
        "title": title,
        **({"confidentiality": highest} if highest else {}),
        "custodian": whole.custodian,
        **({"section": parts} if parts else {}),
    }


def _reached(composition: JsonObject, inside: Held) -> list[str]:
    """What the Composition names, and what that names in turn, in this order (documents.html: nothing else)."""
    found: dict[str, None] = {}
    waiting = [_plain(text) for text in texts(composition)]
    while waiting:
        each = waiting.pop(0)
        if each in inside and each not in found:
            found[each] = None
            waiting += [_plain(text) for text in texts(inside[each])]
    return list(found)


def _plain(text: str) -> str:
    key = local(text)
    return "/".join(key) if key else text


def _closed(value: Json, wanted: Iterable[str]) -> Json:
    """References lead to an entry of the document; what is elsewhere keeps its identifier and its words."""
    if isinstance(value, list):
        return [_closed(each, wanted) for each in value if not _leads_out(each, wanted)]
    if not isinstance(value, dict):
        return value
    made = {key: each for key, member in value.items() if (each := _closed(member, wanted)) != []}
    literal = value.get("reference")
    if not isinstance(literal, str) or literal.startswith("#"):
        return made
    if _plain(literal) in wanted:
        return {**made, "reference": _plain(literal)}
    rest = {key: each for key, each in made.items() if key not in ("reference", "type")}
    return rest or _ELSEWHERE


def _leads_out(value: Json, wanted: Iterable[str]) -> bool:
    """A reference that says nothing but an address that is not in the document."""
    literal = value.get("reference") if isinstance(value, dict) else None
    out = isinstance(literal, str) and not literal.startswith("#") and _plain(literal) not in wanted
    return out and isinstance(value, dict) and not value.keys() & {"identifier", "display"}
