"""A form filled in as far as is known, pure: SDC 4.0.0 observation-based and expression-based population.

https://hl7.org/fhir/uv/sdc/populate.html. What is filled in is a proposal for the client to confirm: the response
is in progress, and nothing says who answered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from service.fhir import fhirpath
from service.fhir.json import JsonObject
from service.fhir.models import said
from service.fhir.outcome import Issue
from service.mapping import parts
from service.mapping.context import note

LINK: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationLinkPeriod"
INITIAL: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-initialExpression"
_DAYS: Final = {"a": 366, "mo": 31, "wk": 7, "d": 1}
_VALUES: Final = {
    "boolean": ("valueBoolean", "valueBoolean"), "integer": ("valueInteger", "valueInteger"),
    "string": ("valueString", "valueString"), "text": ("valueString", "valueString"),
    "date": ("valueDateTime", "valueDate"), "dateTime": ("valueDateTime", "valueDateTime"),
    "quantity": ("valueQuantity", "valueQuantity"),
}  # fmt: skip
"""Type of an item → (element of an Observation, element of an answer)."""
_PLAIN: Final = {
    "boolean": "valueBoolean", "integer": "valueInteger", "decimal": "valueDecimal", "string": "valueString",
    "text": "valueString", "date": "valueDate", "dateTime": "valueDateTime", "url": "valueUri",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """What a form may be filled in from: variables of its expressions, and Observations, newest first."""

    subject: JsonObject
    variables: dict[str, JsonObject]
    observations: Sequence[JsonObject]
    now: datetime


def populate(form: JsonObject, known: Known) -> tuple[JsonObject, tuple[Issue, ...]]:
    """The QuestionnaireResponse, and notes on expressions that could not be answered."""
    notes: list[Issue] = []
    items = [made for item in form.get("item", []) if (made := _item(item, known, notes))]
    canonical = form.get("url") or f"Questionnaire/{form.get('id', '')}"
    version = f"|{form['version']}" if "version" in form else ""
    response: JsonObject = said(
        {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": f"{canonical}{version}",
            "status": "in-progress",
            "subject": known.subject,
            "authored": known.now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "item": items,
        }
    )
    return response, tuple(notes)


def _item(item: JsonObject, known: Known, notes: list[Issue]) -> JsonObject | None:
    """The item with its answers and those of its children; None where nothing is known."""
    answers = list(_answers(item, known, notes))
    inner = [made for child in item.get("item", []) if (made := _item(child, known, notes))]
    if not answers and not inner:
        return None
    kept = answers if item.get("repeats") else answers[:1]
    made = {"linkId": item["linkId"], "text": item.get("text"), "answer": kept}
    if kept and inner:
        kept[0] = {**kept[0], "item": inner}
        return made
    return {**made, "item": inner}


def _answers(item: JsonObject, known: Known, notes: list[Issue]) -> Iterator[JsonObject]:
    """By expression, else from the newest Observation, else the form's own initial value."""
    found = [*_expressed(item, known, notes)] or [*_observed(item, known)]
    yield from found or (
        {k: v for k, v in each.items() if k != "extension"} for each in item.get("initial", [])
    )


def _expressed(item: JsonObject, known: Known, notes: list[Issue]) -> Iterator[JsonObject]:
    expression = parts.extension(item, INITIAL, "valueExpression") or {}
    if expression.get("language") != "text/fhirpath":
        return
    try:
        scope = fhirpath.Scope(now=known.now, variables=known.variables)
        values = fhirpath.compile(expression.get("expression", "")).evaluate({}, scope)
    except (fhirpath.BadExpression, fhirpath.EvaluationError):
        yield from _unanswered(item, notes)
        return
    for value in values:
        if (answer := _answer(item, value)) is not None:
            yield answer


def _unanswered(item: JsonObject, notes: list[Issue]) -> Iterator[JsonObject]:
    text = f"the expression of {item['linkId']} could not be answered"
    notes.append(note(text, f"Questionnaire.item.where(linkId='{item['linkId']}')", "populate-expression"))
    yield from ()


def _answer(item: JsonObject, value: Any) -> JsonObject | None:
    if item["type"] in ("choice", "open-choice"):
        return _option(item, value) if isinstance(value, dict) else _option(item, {"code": value})
    if item["type"] == "reference" and isinstance(value, dict):
        return {"valueReference": value}
    kind = _PLAIN.get(item["type"])
    plain = str(value) if isinstance(value, fhirpath.Temporal) else value
    return {kind: plain} if kind and not isinstance(plain, dict) else None


def _observed(item: JsonObject, known: Known) -> Iterator[JsonObject]:
    period = parts.extension(item, LINK, "valueDuration")
    if not period or not item.get("code"):
        return
    since = known.now - timedelta(days=float(period.get("value", 0)) * _DAYS.get(period.get("code", "d"), 1))
    codes = {(c.get("system"), c.get("code")) for c in item["code"]}
    for observation in known.observations:
        held = {(c.get("system"), c.get("code")) for c in observation.get("code", {}).get("coding", [])}
        when = parts.when(
            observation.get("effectiveDateTime") or observation.get("effectivePeriod", {}).get("end")
        )
        stands = bool(codes & held) and observation.get("status") in _STANDING
        recent = when is not None and _moment(when) >= since
        answer = _value(item, observation) if stands and recent else None
        if answer is not None:
            yield answer
            return


_STANDING: Final = ("final", "amended", "corrected")


def _value(item: JsonObject, observation: JsonObject) -> JsonObject | None:
    if item["type"] in ("choice", "open-choice"):
        codings = observation.get("valueCodeableConcept", {}).get("coding", [])
        return next((made for coding in codings if (made := _option(item, coding))), None)
    if item["type"] == "decimal":
        amount = observation.get("valueQuantity", {}).get("value")
        return {"valueDecimal": amount} if amount is not None else None
    source, target = _VALUES.get(item["type"], ("", ""))
    value = observation.get(source)
    if value is None:
        return None
    return {target: value[:10] if target == "valueDate" else value}


def _option(item: JsonObject, coding: JsonObject) -> JsonObject | None:
    """The option a coding means; a form without options of its own takes the coding as it is."""
    options = item.get("answerOption", [])
    for option in options:
        held = option.get("valueCoding", {})
        if held.get("code") == coding.get("code") and coding.get("system") in (None, held.get("system")):
            return {"valueCoding": {k: v for k, v in held.items() if k != "extension"}}
    if options or "system" not in coding:
        return None
    return {"valueCoding": {k: coding[k] for k in ("system", "code", "display") if k in coding}}


def _moment(text: str) -> datetime:
    """The last moment a date or dateTime may mean."""
    if "T" in text:
        return datetime.fromisoformat(text)
    year, month, day = (*map(int, text.split("-")), 0, 0)[:3]
    if day:
        return datetime(year, month, day, 23, 59, 59, tzinfo=UTC)
    ends = (year + 1, 1) if month in (0, 12) else (year, month + 1)
    return datetime(*ends, 1, tzinfo=UTC) - timedelta(seconds=1)
