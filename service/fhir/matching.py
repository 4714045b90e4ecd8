"""Is this the same person? Two Patients weighed against each other, element by element.

Weights as in the HL7 guide Interoperable Digital Identity and Patient Matching (identity-matching 2.0): a
government or digital identifier 5, address, telephone, e-mail or another identifier 4 (5 for two of them), a full
name 3, date of birth 2. What contradicts is weighed too. https://hl7.org/fhir/R4/patient-operation-match.html
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from service.fhir.json import Json, JsonObject

Grade = Literal["certain", "probable", "possible", "certainly-not"]

STRONG = frozenset({"DL", "PPN", "SS", "SB", "NI"})
"""Identifier types (v2-0203) that a government gives one person."""

_SCORES: dict[Grade, str] = {"certain": "0.99", "probable": "0.8", "possible": "0.6", "certainly-not": "0"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How sure we are. `score` is that of `Bundle.entry.search.score`, as written."""

    grade: Grade
    weight: int

    @property
    def score(self) -> str:
        """The guide's figure for the grade."""
        return _SCORES[self.grade]


def weigh(sought: JsonObject, found: JsonObject) -> Verdict:
    """`sought` against a candidate.

    certain: 9 points (the guide's level 0) with a name or a date of birth among them and nothing against it.
    probable: 9 points, or 5 with name and birth date; possible: anything above nothing.
    """
    identifiers = _identifiers(sought) & _identifiers(found)
    kinds = {kind for system, value, kind in _typed(sought) if (system, value) in identifiers}
    strong = not kinds.isdisjoint(STRONG)
    ways = len(_ways(sought) & _ways(found)) + len(_addresses(sought) & _addresses(found))
    name, given, birth = (
        _names(sought) & _names(found),
        _given(sought) & _given(found),
        _same_birth(sought, found),
    )
    weight = 0
    if identifiers:
        weight += 5 if strong or len(identifiers) > 1 else 4
    if ways:
        weight += 5 if ways > 1 else 4
    weight += 3 if name and given else 0
    weight += 2 if birth else 0
    against = _contradictions(sought, found)
    if against > 1 or weight == 0 or (against and not identifiers):
        return Verdict("certainly-not" if against > 1 or weight == 0 else "possible", weight)
    person = bool((name and given) or birth)
    if weight >= 9 and person and not against:
        return Verdict("certain", weight)
    if weight >= 9 or (name and given and birth) or (identifiers and person):
        return Verdict("probable", weight)
    return Verdict("possible", weight)


def _contradictions(sought: JsonObject, found: JsonObject) -> int:
    """Statements of both that cannot be true of one person: birth date, family name with given, gender."""
    birth = all(isinstance(each.get("birthDate"), str) for each in (sought, found))
    names = _names(sought) and _names(found) and not _names(sought) & _names(found)
    given = _given(sought) and _given(found) and not _given(sought) & _given(found)
    genders = {each.get("gender") for each in (sought, found)} - {None, "unknown", "other"}
    return sum((birth and not _same_birth(sought, found), bool(names and given), len(genders) > 1))


def _same_birth(one: JsonObject, other: JsonObject) -> bool:
    a, b = one.get("birthDate"), other.get("birthDate")
    return isinstance(a, str) and isinstance(b, str) and len(a) == len(b) == 10 and a == b


def _rows(resource: JsonObject, name: str) -> list[JsonObject]:
    found = resource.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _typed(patient: JsonObject) -> list[tuple[str, str, str]]:
    found = []
    for row in _rows(patient, "identifier"):
        kind = row.get("type")
        codings = _rows(kind, "coding") if isinstance(kind, dict) else []
        code = next((_text(each.get("code")) for each in codings), "")
        found.append((_text(row.get("system")), _text(row.get("value")), code))
    return [each for each in found if each[0] and each[1]]


def _identifiers(patient: JsonObject) -> set[tuple[str, str]]:
    return {(system, value) for system, value, _ in _typed(patient)}


def _ways(patient: JsonObject) -> set[str]:
    """Telephone numbers by their last ten digits, e-mail addresses in small letters."""
    found = set()
    for row in _rows(patient, "telecom"):
        value = _text(row.get("value"))
        digits = re.sub(r"\D", "", value)
        if row.get("system") == "email" and "@" in value:
            found.add(value.strip().lower())
        elif row.get("system") in ("phone", "sms") and len(digits) >= 7:
            found.add(digits[-10:])
    return found


def _addresses(patient: JsonObject) -> set[tuple[str, str]]:
    found = set()
    for row in _rows(patient, "address"):
        lines = row.get("line")
        line = plain(_text(lines[0])) if isinstance(lines, list) and lines else ""
        where = _text(row.get("postalCode"))[:5] or plain(_text(row.get("city")))
        if line and where:
            found.add((line, where))
    return found


def _names(patient: JsonObject) -> set[str]:
    return {plain(_text(row.get("family"))) for row in _rows(patient, "name")} - {""}


def _given(patient: JsonObject) -> set[str]:
    found = (
        each for row in _rows(patient, "name") for each in row.get("given") or [] if isinstance(each, str)
    )
    return {plain(each) for each in found} - {""}


def plain(text: str) -> str:
    """Without accents, case, punctuation: `Núñez-Ruiz` and `NUNEZ RUIZ` are one name."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"[^\W_]+", "".join(c for c in letters if not unicodedata.combining(c))))
