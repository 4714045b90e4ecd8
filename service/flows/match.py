"""Patient/$match: which of the clients the caller may know is this person? Graded, best first.

https://hl7.org/fhir/R4/patient-operation-match.html. Candidates are found by searches, so that scopes and
consent decide who can be found at all; `fhir.matching` weighs them.
"""

from dataclasses import dataclass
from urllib.parse import quote

from service.consent.security import bundled
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.matching import Verdict, weigh
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.search import Question, search
from service.kernel.failures import Refused

HOME = "Patient"
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
MOST_CANDIDATES = 200
_ESCAPES = str.maketrans({"\\": "\\\\", ",": "\\,", "|": "\\|", "$": "\\$"})


@dataclass(frozen=True, slots=True)
class Sought:
    """A person as the caller knows them, and how much to answer."""

    patient: JsonObject
    only_certain: bool = False
    count: int = 20


async def match(context: Context, caller: Caller, sought: Sought) -> bytes:
    """A searchset with graded entries; empty when nobody is like that."""
    if sought.patient["resourceType"] != HOME:
        raise Refused("malformed", "the parameter resource is a Patient")
    questions = _questions(sought.patient)
    if not questions:
        text = "to find a person, give an identifier, a telephone or e-mail, or a family name"
        raise Refused("unprocessable", text)
    found: dict[str, JsonObject] = {}
    for pairs in questions:
        asked = Question(HOME, (*pairs, ("_count", str(MOST_CANDIDATES))))
        bundle = decode_object(await search(context, caller, asked))
        found |= {each["resource"]["id"]: each["resource"] for each in bundle.get("entry", [])
                  if each["search"]["mode"] == "match"}  # fmt: skip
    graded = sorted(
        ((weigh(sought.patient, each), id_) for id_, each in found.items()),
        key=lambda pair: (-float(pair[0].score), -pair[0].weight, pair[1]),
    )
    wanted = ("certain",) if sought.only_certain else ("certain", "probable", "possible")
    shown = [(verdict, id_) for verdict, id_ in graded if verdict.grade in wanted][: sought.count]
    total = [("total", encode(len(shown)))]
    return bundled("searchset", total, (_entry(context.base, found[id_], verdict) for verdict, id_ in shown))


def _questions(patient: JsonObject) -> list[tuple[tuple[str, str], ...]]:
    """Searches that between them find everybody worth weighing."""
    identifiers = [f"{_safe(system)}|{_safe(value)}" for row in _rows(patient, "identifier")
                   if (system := row.get("system")) and (value := row.get("value"))]  # fmt: skip
    ways = [_safe(row["value"]) for row in _rows(patient, "telecom") if isinstance(row.get("value"), str)]
    families = [_safe(row["family"]) for row in _rows(patient, "name") if isinstance(row.get("family"), str)]
    birth = patient.get("birthDate")
    asked: list[tuple[tuple[str, str], ...]] = []
    if identifiers:
        asked.append((("identifier", ",".join(identifiers[:20])),))
    if ways:
        asked.append((("telecom", ",".join(ways[:20])),))
    if families:
        dated = (("birthdate", birth),) if isinstance(birth, str) and birth else ()
        asked.append((("family", ",".join(families[:5])), *dated))
    return asked


def _safe(text: object) -> str:
    return str(text).translate(_ESCAPES)


def _rows(resource: JsonObject, name: str) -> list[JsonObject]:
    found = resource.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _entry(base: str, patient: JsonObject, verdict: Verdict) -> bytes:
    grade = encode([{"url": GRADE, "valueCode": verdict.grade}])
    url = encode(f"{base}/{HOME}/{quote(patient['id'])}")
    score = b'"mode":"match","score":' + verdict.score.encode()
    return (
        b'{"fullUrl":'
        + url
        + b',"resource":'
        + encode(patient)
        + b',"search":{"extension":'
        + grade
        + b","
        + score
        + b"}}"
    )
