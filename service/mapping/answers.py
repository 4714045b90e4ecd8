"""Answers ⇄ QuestionnaireResponse.item: refusals and not-asked are answers with a reason instead of a
value."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from service.casework.records.answers import Answer
from service.fhir.json import JsonObject
from service.mapping import parts
from service.mapping.names import ABSENT

_REASONS: Final = {
    "refused": "asked-declined",
    "unknown": "asked-unknown",
    "not-asked": "not-asked",
    "not-applicable": "not-applicable",
}
_MISSING: Final = {reason: missing for missing, reason in _REASONS.items()} | {"unknown": "unknown"}


def fhir_items(answers: Iterable[Answer]) -> list[JsonObject]:
    """QuestionnaireResponse.item, one an answer, in order."""
    return [{"linkId": a.question, "text": a.text, "answer": list(_fhir_values(a))} for a in answers]


def _fhir_values(answer: Answer) -> Iterator[JsonObject]:
    if answer.missing:
        yield {"extension": [{"url": ABSENT, "valueCode": _REASONS[answer.missing]}]}
    for choice in answer.choices:
        yield {"valueCoding": parts.fhir_coding(choice)}
    for kind, value in (
        ("valueBoolean", answer.yes),
        ("valueInteger", answer.number),
        ("valueDecimal", answer.amount),
        ("valueString", answer.words),
        ("valueDate", answer.day),
    ):
        if value is not None:
            yield {kind: value}


def answers(items: Iterable[JsonObject]) -> Iterator[Answer]:
    """From items at any depth, in order; an item without an answer says nothing, groups are walked
    through."""
    for item in items:
        said = _answer(item)
        if said:
            yield said
        yield from answers(item.get("item", []))
        for held in item.get("answer", []):
            yield from answers(held.get("item", []))


def _answer(item: JsonObject) -> Answer | None:
    held = item.get("answer", [])
    if not held:
        return None
    value = _value(held)
    return Answer(question=item["linkId"], text=parts.text(item.get("text")), **value) if value else None


def _value(held: list[JsonObject]) -> dict[str, Any]:
    first = held[0]
    missing = parts.extension(first, ABSENT, "valueCode")
    if missing:
        return {"missing": _MISSING.get(missing, "unknown")}
    if "valueCoding" in first:
        return {"choices": parts.codings(h["valueCoding"] for h in held if "valueCoding" in h)}
    if "valueBoolean" in first:
        return {"yes": first["valueBoolean"]}
    if "valueInteger" in first:
        return {"number": first["valueInteger"]}
    if "valueDecimal" in first:
        return {"amount": Decimal(first["valueDecimal"])}
    if "valueDate" in first:
        return {"day": first["valueDate"]}
    return _words(held)


def _words(held: list[JsonObject]) -> dict[str, Any]:
    """Everything else as words: strings, times, quantities, references."""
    said = []
    for value in held:
        shown = value.get("valueQuantity", {})
        quantity = f"{shown['value']} {shown.get('unit', '')}" if "value" in shown else None
        named = value.get("valueReference", {}).get("display") or value.get("valueAttachment", {}).get(
            "title"
        )
        plain = next(
            (value[k] for k in ("valueString", "valueDateTime", "valueTime", "valueUri") if k in value), None
        )
        said.append(parts.text(plain or quantity or named))
    words = "; ".join(words for words in said if words)
    return {"words": words} if words else {}
