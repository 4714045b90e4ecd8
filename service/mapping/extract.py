"""Observations from a QuestionnaireResponse, pure: SDC 4.0.0 observation-based extraction, and scores.

https://hl7.org/fhir/uv/sdc/extraction.html#observation-based-extraction. A skipped answer gives no
Observation, and none is ever deleted; several answers give several; a response handed over again gives the
same Observations, `amended`. Scores are sums of `ordinalValue`, given only when every scored item has a
value.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from service.fhir.json import JsonObject
from service.fhir.models import build
from service.mapping import parts
from service.mapping.context import MappingContext
from service.mapping.identity import identifier, resource_id
from service.mapping.names import ABSENT, OBSERVATION_CATEGORY, SCORE, profile
from service.mapping.terms import terms

EXTRACT: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract"
CATEGORY: Final = (
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observation-extract-category"
)
ORDINAL: Final = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
SCORES: Final = "https://casebridge.example/fhir/StructureDefinition/questionnaire-score"
_SURVEY: Final = {"coding": [{"system": OBSERVATION_CATEGORY, "code": "survey"}]}
_VALUES: Final = ("valueBoolean", "valueInteger", "valueString", "valueDate", "valueDecimal", "valueCoding")
_STATUS: Final = {"in-progress": "preliminary", "amended": "amended", "entered-in-error": "entered-in-error"}


@dataclass(frozen=True, slots=True)
class _Case:
    """One response under extraction."""

    form: JsonObject
    response: JsonObject
    context: MappingContext
    assessment: str

    @property
    def items(self) -> dict[str, JsonObject]:
        return {item["linkId"]: item for item in _all(self.form.get("item", []))}

    @property
    def answered(self) -> dict[str, list[JsonObject]]:
        return {item["linkId"]: item.get("answer", []) for item in _all(self.response.get("item", []))}


def extract(
    form: JsonObject,
    response: JsonObject,
    context: MappingContext,
    assessment: str,
    given: Collection[str] = (),
) -> tuple[JsonObject, ...]:
    """Observations for the answers the form marks for extraction, then for its scores not in `given`.

    `assessment` is the record id: the same assessment gives the same Observations.
    """
    case = _Case(form, response, context, assessment)
    items = case.items
    made = [
        _observation(case, items[link], number, value)
        for link, values in case.answered.items()
        if link in items and _wanted(items[link], form)
        for number, value in enumerate(values)
    ]
    return (*made, *_scores(case, given))


def score_observation(
    response: JsonObject,
    name: str,
    value: int,
    *,
    own_id: str,
    own_identifier: JsonObject,
    meaning: str | None = None,
) -> JsonObject:
    """The Observation of a score, derived from its response."""
    coding = terms().coding(SCORE, name)
    return build(
        "Observation",
        id=own_id,
        meta={"profile": [profile("casebridge-assessment-observation")]},
        identifier=[own_identifier],
        category=[_SURVEY],
        code={
            "coding": [*terms().translate("instrument-score-to-loinc", name), coding],
            "text": coding.get("display", name),
        },
        valueInteger=value,
        interpretation=[{"text": meaning}] if meaning else None,
        **_from(response),
    )


def _observation(case: _Case, item: JsonObject, number: int, value: JsonObject) -> JsonObject:
    link = item["linkId"]
    role = f"answer:{link}" if number == 0 else f"answer:{link}:{number}"
    path = (case.assessment, link, *([str(number)] if number else []))
    codings = [{k: v for k, v in c.items() if k in ("system", "code", "display")} for c in item["code"]]
    return build(
        "Observation",
        id=resource_id(case.context, "assessments", case.assessment, role),
        meta={"profile": [profile("casebridge-assessment-observation")]},
        identifier=[identifier(case.context, "answer", *path)],
        category=[_SURVEY, *_categories(case.form), *_categories(item)],
        code={"coding": codings, "text": item.get("text")},
        **_value(value, item),
        **_from(case.response),
    )


def _from(response: JsonObject) -> dict[str, Any]:
    return {
        "status": _STATUS.get(response["status"], "final"),
        "subject": response["subject"],
        "encounter": response.get("encounter"),
        "effectiveDateTime": response["authored"],
        "performer": [response["author"]] if "author" in response else None,
        "derivedFrom": [{"reference": f"QuestionnaireResponse/{response['id']}"}],
    }


def _value(value: JsonObject, item: JsonObject) -> JsonObject:
    """value[x], or dataAbsentReason for a refusal: a refusal is an answer and not a no."""
    reason = parts.extension(value, ABSENT, "valueCode")
    if reason:
        system = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
        return {"dataAbsentReason": {"coding": [{"system": system, "code": reason}]}}
    kind = next((k for k in _VALUES if k in value), None)
    if kind == "valueCoding":
        known = _option(item, value["valueCoding"]).get("valueCoding", {})
        coding = {k: v for k, v in (known | value["valueCoding"]).items() if k != "extension"}
        return {"valueCodeableConcept": {"coding": [coding]}}
    if kind == "valueDate":
        return {"valueDateTime": value[kind]}
    if kind == "valueDecimal":
        return {"valueQuantity": {"value": value[kind]}}
    return {kind: value[kind]} if kind else {"dataAbsentReason": {"text": "not in a form that can be shown"}}


def _scores(case: _Case, given: Collection[str]) -> Iterator[JsonObject]:
    for rule in _rules(case.form):
        name = rule["name"]
        value = None if name in given else _total(rule, case.items, case.answered)
        if value is not None:
            own = resource_id(case.context, "assessments", case.assessment, f"score:{name}")
            held = identifier(case.context, "computed-score", case.assessment, name)
            yield score_observation(
                case.response, name, value, own_id=own, own_identifier=held, meaning=_meaning(rule, value)
            )


def _rules(form: JsonObject) -> Iterator[dict[str, Any]]:
    """`questionnaire-score` extensions: name, item (linkIds), band (`5|9|mild`)."""
    for held in form.get("extension", []):
        if held.get("url") == SCORES:
            parts_ = held["extension"]
            yield {
                "name": parts.extension(held, "name", "valueCode"),
                "items": [e["valueString"] for e in parts_ if e["url"] == "item"],
                "bands": [e["valueString"].split("|") for e in parts_ if e["url"] == "band"],
            }


def _total(
    rule: dict[str, Any], items: dict[str, JsonObject], answered: dict[str, list[JsonObject]]
) -> int | None:
    points = [_points(items[link], answered.get(link, [])) for link in rule["items"]]
    known = [point for point in points if point is not None]
    return sum(known) if len(known) == len(points) else None


def _points(item: JsonObject, values: list[JsonObject]) -> int | None:
    if len(values) != 1:
        return None
    [value] = values
    if "valueInteger" in value:
        return int(value["valueInteger"])
    held: JsonObject = _option(item, value.get("valueCoding", {})) if "valueCoding" in value else {}
    if "valueBoolean" in value:
        key = "points-yes" if value["valueBoolean"] else "points-no"
        points = parts.extension(item, f"{SCORES}-{key}", "valueInteger")
    else:
        points = parts.extension(held.get("valueCoding", {}), ORDINAL, "valueDecimal")
    return None if points is None else int(points)


def _option(item: JsonObject, coding: JsonObject) -> JsonObject:
    """The answer option a coding means; one without system is of the question's own list."""
    for option in item.get("answerOption", []):
        held = option.get("valueCoding", {})
        same_system = "system" not in coding or held.get("system") == coding["system"]
        if held.get("code") == coding.get("code") and same_system:
            return dict(option)
    return {}


def _meaning(rule: dict[str, Any], value: int) -> str | None:
    return next((words for low, high, words in rule["bands"] if int(low) <= value <= int(high)), None)


def _wanted(item: JsonObject, form: JsonObject) -> bool:
    marked = parts.extension(item, EXTRACT, "valueBoolean")
    whole = parts.extension(form, EXTRACT, "valueBoolean")
    return bool(item.get("code")) and bool(whole if marked is None else marked)


def _categories(marked: JsonObject) -> Iterator[JsonObject]:
    """The categories a form or an item asks its Observations to have, such as `sdoh`."""
    for held in marked.get("extension", []):
        if held.get("url") == CATEGORY:
            yield held["valueCodeableConcept"]


def _all(items: list[JsonObject]) -> Iterator[JsonObject]:
    for item in items:
        yield item
        yield from _all(item.get("item", []))
        for answer in item.get("answer", []):
            yield from _all(answer.get("item", []))
