"""Assessment ⇄ QuestionnaireResponse + Observations (answers and scores) + Conditions (needs found) + proposed Goals.

Observations are extracted as SDC 4.0.0 asks (`extract`); an assessment handed over again amends them. US Core
7.0.0, SDOHCC 3.0.0 (CASEWORK.md #47, #48, #63).
"""

from collections.abc import Iterator
from typing import Any, Final

from service.casework.records.assessment import Assessment, FoundNeed, Score, TookPart
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.fhir.outcome import Issue
from service.mapping import parts
from service.mapping.answers import answers, fhir_items
from service.mapping.context import Mapped, MappingContext, Told, note, one
from service.mapping.encounter import support_reference
from service.mapping.extract import extract, score_observation
from service.mapping.identity import (
    identifier,
    local,
    own_identifier,
    own_organization,
    part_of_path,
    path_of,
    record_id,
    refer,
    referred,
    resource_id,
)
from service.mapping.instruments import instrument
from service.mapping.names import (
    CANONICAL,
    PLACE,
    SCORE,
    SDOHCC_CODES,
    SERVICE_AREA,
    TOOK_PART,
    US_CORE_CATEGORY,
    profile,
)
from service.mapping.terms import terms

_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CONCERN: Final = {
    "system": US_CORE_CATEGORY.replace("us-core-category", "condition-category"),
    "code": "health-concern",
}
_SDOH: Final = {"system": US_CORE_CATEGORY, "code": "sdoh"}


def to_fhir(assessment: Assessment, context: MappingContext) -> Mapped:
    """QuestionnaireResponse, the Observations extracted from it, given scores, the needs found, then the goals they
    give."""
    response = _response(assessment, context)
    form = instrument(assessment.instrument)
    given = {score.name for score in assessment.scores}
    extracted = extract(form, response, context, assessment.id, given) if form else ()
    scores = [_score(assessment, score, response, context) for score in assessment.scores]
    needs = [_condition(assessment, need, context) for need in assessment.needs]
    goals = [_goal(assessment, need, context) for need in assessment.needs if need.goal]
    return Mapped((response, *extracted, *scores, *needs, *goals), tuple(_notes(assessment)))


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[Assessment]:
    """From a QuestionnaireResponse with the score Observations and Conditions beside it."""
    held = one(resources, "QuestionnaireResponse")
    if held is None:
        raise LookupError("no QuestionnaireResponse among the resources")
    canonical, _, version = str(held.get("questionnaire", "")).partition("|")
    subject = held.get("subject")
    goals = dict(_read_goals(resources, context))
    assessment = Assessment(
        id=record_id(context, "assessments", held),
        client=referred(context, "clients", subject) or "unknown",
        instrument=_slug(canonical),
        version=parts.text(version),
        status=held["status"],
        taken=parts.when(held.get("authored")) or "1900-01-01",
        by=_by(held, context),
        answered_by=_answered_by(held),
        encounter=referred(context, "encounters", held.get("encounter")),
        place=parts.text(parts.extension(held, PLACE, "valueString")),
        referral=_referral(held, context),
        took_part=tuple(_took_part(held, context)),
        language=parts.language_code({"coding": [{"code": held.get("language", "")}]}),
        answers=tuple(answers(held.get("item", []))),
        scores=tuple(_read_scores(resources, context)),
        needs=tuple(_need(r, goals, context) for r in resources if r["resourceType"] == "Condition"),
    )
    return Told(assessment, tuple(_unread(held)))


def _response(assessment: Assessment, context: MappingContext) -> JsonObject:
    version = f"|{assessment.version}" if assessment.version else ""
    return build(
        "QuestionnaireResponse",
        id=resource_id(context, "assessments", assessment.id, "QuestionnaireResponse"),
        meta={"profile": [profile("casebridge-assessment-response")]},
        language=assessment.language,
        extension=[
            *(
                {"url": TOOK_PART, "valueReference": _participant(assessment, person, context)}
                for person in assessment.took_part
            ),
            parts.fhir_extension(PLACE, "valueString", assessment.place),
        ],
        identifier=own_identifier(context, "assessments", assessment.id),
        basedOn=[refer(context, "referrals", assessment.referral)] if assessment.referral else None,
        questionnaire=f"{CANONICAL}/Questionnaire/{assessment.instrument}{version}",
        status=assessment.status,
        subject=refer(context, "clients", assessment.client),
        encounter=refer(context, "encounters", assessment.encounter) if assessment.encounter else None,
        authored=assessment.taken,
        author=refer(context, "case-managers", assessment.by) if assessment.by else own_organization(context),
        source=_source(assessment, context),
        item=fhir_items(assessment.answers),
    )


def _source(assessment: Assessment, context: MappingContext) -> JsonObject:
    if assessment.answered_by == "client":
        return refer(context, "clients", assessment.client)
    return {"type": "RelatedPerson", "display": assessment.answered_by}


def _participant(assessment: Assessment, person: TookPart, context: MappingContext) -> JsonObject:
    if person.support:
        return support_reference(context, assessment.client, person.support)
    if person.case_manager:
        return refer(context, "case-managers", person.case_manager)
    return {"display": person.name}


def _score(assessment: Assessment, score: Score, response: JsonObject, context: MappingContext) -> JsonObject:
    return score_observation(
        response,
        score.name,
        score.value,
        own_id=resource_id(context, "assessments", assessment.id, f"score:{score.name}"),
        own_identifier=identifier(context, "score", assessment.id, score.name),
        meaning=score.meaning,
    )


def _condition(assessment: Assessment, need: FoundNeed, context: MappingContext) -> JsonObject:
    wrong = assessment.status == "entered-in-error"
    verified = "entered-in-error" if wrong else "confirmed" if need.confirmed else "unconfirmed"
    response = resource_id(context, "assessments", assessment.id, "QuestionnaireResponse")
    social = {"system": SDOHCC_CODES, "code": need.category}
    return build(
        "Condition",
        id=resource_id(context, "assessments", assessment.id, f"need:{need.id}"),
        meta={"profile": [profile("casebridge-need")]},
        identifier=[identifier(context, "need", assessment.id, need.id)],
        clinicalStatus=None if wrong else {"coding": [{"system": _CLINICAL, "code": need.status}]},
        verificationStatus={"coding": [{"system": _VERIFICATION, "code": verified}]},
        category=list(_categories(need)),
        code={
            "coding": [*map(parts.fhir_coding, need.codings), *([social] if need.category else [])],
            "text": need.text,
        },
        subject=refer(context, "clients", assessment.client),
        encounter=refer(context, "encounters", assessment.encounter) if assessment.encounter else None,
        onsetDateTime=need.since,
        recordedDate=assessment.taken,
        evidence=[{"detail": [{"reference": f"QuestionnaireResponse/{response}"}]}],
    )


def _goal(assessment: Assessment, need: FoundNeed, context: MappingContext) -> JsonObject:
    """What the client wants instead of a need they confirmed: a Goal proposed for the plan."""
    wrong = assessment.status == "entered-in-error"
    condition = resource_id(context, "assessments", assessment.id, f"need:{need.id}")
    return build(
        "Goal",
        id=resource_id(context, "assessments", assessment.id, f"goal:{need.id}"),
        meta={"profile": [profile("casebridge-goal")]},
        identifier=[identifier(context, "need-goal", assessment.id, need.id)],
        lifecycleStatus="entered-in-error" if wrong else "proposed",
        category=[{"coding": [{"system": SDOHCC_CODES, "code": need.category}]}] if need.category else None,
        description={"text": need.goal},
        subject=refer(context, "clients", assessment.client),
        statusDate=assessment.taken[:10],
        expressedBy=refer(context, "clients", assessment.client),
        addresses=[{"reference": f"Condition/{condition}"}],
    )


def _read_goals(
    resources: tuple[JsonObject, ...], context: MappingContext
) -> Iterator[tuple[str, str | None]]:
    """Condition a Goal addresses → what the client wants."""
    for goal in resources:
        if goal["resourceType"] == "Goal":
            for need in goal.get("addresses", []):
                yield (
                    local(context, str(need.get("reference", ""))),
                    parts.concept_text(goal.get("description")),
                )


def _categories(need: FoundNeed) -> Iterator[JsonObject]:
    yield {"coding": [_CONCERN]}
    if need.category:
        yield {"coding": [_SDOH]}
        yield {"coding": [{"system": SDOHCC_CODES, "code": need.category}]}
    if need.area:
        yield {"coding": [terms().coding(SERVICE_AREA, need.area)]}


def _need(condition: JsonObject, goals: dict[str, str | None], context: MappingContext) -> FoundNeed:
    path = path_of(context, condition.get("identifier", []), "need")
    categories = condition.get("category", [])
    code = condition.get("code", {})
    clinical = parts.code_in(condition.get("clinicalStatus"), _CLINICAL)
    status: Any = {"recurrence": "active", "relapse": "active", "remission": "inactive"}.get(
        clinical or "", clinical
    )
    held = parts.codings(c for c in code.get("coding", []) if c.get("system") != SDOHCC_CODES)
    category = next((c for v in categories if (c := parts.code_in(v, SDOHCC_CODES))), None)
    confirmed = parts.code_in(condition.get("verificationStatus"), _VERIFICATION) == "confirmed"
    return FoundNeed(
        id=path[-1] if path else condition["id"],
        category=category,
        area=next((c for v in categories if (c := parts.code_in(v, SERVICE_AREA))), None),
        text=parts.text(code.get("text")) or (None if held or category else "need not named"),
        codings=held,
        status=status or "active",
        confirmed=confirmed,
        since=parts.when(condition.get("onsetDateTime")),
        goal=goals.get(f"Condition/{condition['id']}") if confirmed else None,
    )


def _slug(canonical: str) -> str:
    name = canonical.rsplit("/", 1)[-1].lower()
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)
    return "-".join(part for part in kept.split("-") if part)[:64].strip("-") or "unknown"


def _by(response: JsonObject, context: MappingContext) -> str | None:
    author = response.get("author", {})
    person = "Practitioner" in str(author.get("reference", ""))
    return referred(context, "case-managers", author) if person else None


def _answered_by(response: JsonObject) -> Any:
    source = response.get("source", {})
    if source.get("display") in ("support", "proxy"):
        return source["display"]
    return "support" if "RelatedPerson/" in str(source.get("reference")) else "client"


def _referral(response: JsonObject, context: MappingContext) -> str | None:
    asked = (r for r in response.get("basedOn", []) if "ServiceRequest/" in str(r.get("reference")))
    return referred(context, "referrals", next(asked, None))


def _took_part(response: JsonObject, context: MappingContext) -> Iterator[TookPart]:
    for held in response.get("extension", []):
        person = held.get("valueReference", {}) if held.get("url") == TOOK_PART else None
        if person is None:
            continue
        path = part_of_path(context, person, "support")
        if path:
            yield TookPart(support=path[-1])
        elif "Practitioner" in str(person.get("reference")):
            yield TookPart(case_manager=referred(context, "case-managers", person))
        elif said := parts.text(person.get("display")):
            yield TookPart(name=said)


def _read_scores(resources: tuple[JsonObject, ...], context: MappingContext) -> Iterator[Score]:
    for observation in resources:
        if observation["resourceType"] != "Observation":
            continue
        name = parts.code_in(observation.get("code"), SCORE)
        ours = path_of(context, observation.get("identifier", []), "score")
        value = observation.get("valueInteger")
        if name and ours and value is not None:
            meanings = (parts.concept_text(i) for i in observation.get("interpretation", []))
            yield Score(name=name, value=value, meaning=next(meanings, None))


def _notes(assessment: Assessment) -> Iterator[Issue]:
    if instrument(assessment.instrument) is None:
        yield note(
            f"no instrument {assessment.instrument} is known here", "/instrument", "unknown-instrument"
        )


def _unread(response: JsonObject) -> Iterator[Issue]:
    for element in ("partOf", "contained"):
        if element in response:
            yield note(
                f"the assessment record has no place for {element}", f"QuestionnaireResponse.{element}"
            )
