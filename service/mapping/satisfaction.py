"""Satisfaction ⇄ QuestionnaireResponse to our satisfaction form + what is extracted from it (CASEWORK.md #63).

It is an assessment with a form of its own; the record says in plain members what the form asks.
"""

from collections.abc import Iterator
from typing import Any, Final, get_args

from service.casework.records.answers import Answer
from service.casework.records.assessment import Assessment
from service.casework.records.satisfaction import Agreement, Satisfaction
from service.casework.records.words import Coding
from service.fhir.json import JsonObject
from service.mapping import assessment as assessments
from service.mapping.context import Mapped, MappingContext, Told, note, one
from service.mapping.identity import own_identifier, path_of

FORM: Final = "satisfaction"
_YES: Final = {"started": "started_as_told", "share": "share"}
_SCALED: Final = {
    "appropriate": "appropriate",
    "respect": "respect",
    "language": "own_language",
    "again": "again",
}
_ORDER: Final = ("started", "appropriate", "respect", "language", "again", "better", "share")
_MISSING: Final = ("refused", "unknown", "not-asked", "not-applicable")
_WORDS: Final = frozenset(get_args(Agreement)) - frozenset(_MISSING)


def to_fhir(said: Satisfaction, context: MappingContext) -> Mapped:
    """QuestionnaireResponse, then the Observations the form marks for extraction.

    Their ids are derived from `satisfaction/…`, which no assessment's own id can be.
    """
    taken = Assessment(
        id=said.id, client=said.client, instrument=FORM, status=said.status, taken=said.asked, by=said.by,
        answered_by=said.answered_by, encounter=said.encounter, referral=said.referral, language=said.language,
        answers=tuple(_answers(said)),
    )  # fmt: skip
    made = assessments.to_fhir(taken.model_copy(update={"id": f"{FORM}/{said.id}"}), context)
    response = {**made.resources[0], "identifier": own_identifier(context, "satisfactions", said.id)}
    return Mapped((response, *made.resources[1:]), made.notes)


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[Satisfaction]:
    """From a QuestionnaireResponse to the satisfaction form."""
    held = one(resources, "QuestionnaireResponse")
    if held is None:
        raise LookupError("no QuestionnaireResponse among the resources")
    told = assessments.to_record((held,), context)
    path = path_of(context, [held.get("identifier", {})], "satisfaction")
    status: Any = told.record.status if told.record.status in ("amended", "entered-in-error") else "completed"
    answers = {answer.question.rsplit(".", 1)[-1]: answer for answer in told.record.answers}
    said: dict[str, Any] = {member: answers[link].yes for link, member in _YES.items() if link in answers}
    said |= {member: _agreement(answers[link]) for link, member in _SCALED.items() if link in answers}
    record = Satisfaction(
        id=path[0] if path else held["id"],
        client=told.record.client,
        referral=told.record.referral,
        asked=told.record.taken,
        by=told.record.by,
        answered_by=told.record.answered_by,
        encounter=told.record.encounter,
        language=told.record.language,
        status=status,
        better=answers["better"].words if "better" in answers else None,
        **said,
    )
    strange = sorted(answers.keys() - set(_ORDER))
    more = (note(f"the satisfaction record has no place for {', '.join(strange)}"),) if strange else ()
    return Told(record, (*told.notes, *more))


def _answers(said: Satisfaction) -> Iterator[Answer]:
    for link in _ORDER:
        question = f"{FORM}.{link}"
        value = getattr(said, _YES.get(link) or _SCALED.get(link) or link)
        if value is None:
            continue
        if link in _YES:
            yield Answer(question=question, yes=value)
        elif link == "better":
            yield Answer(question=question, words=value)
        elif value in _MISSING:
            yield Answer(question=question, missing=value)
        else:
            yield Answer(question=question, choices=(Coding(code=value),))


def _agreement(answer: Answer) -> Any:
    code = answer.choices[0].code if answer.choices else answer.missing
    return code if code in _WORDS or code in _MISSING else None
