"""Something asked of a client ⇄ Task (SDOHCC TaskForPatient), with a DocumentReference for what is to be read.

What is asked decides the Task's code, and with it what it needs and how it may be answered: invariants SDOH-Task-1 to
-7 of the profile.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from typing import Any, Final

from service.casework.records.client_task import Choice, ClientAnswer, ClientTask, Form, Material
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.mapping import parts
from service.mapping.agency import service_id
from service.mapping.context import Mapped, MappingContext, Told
from service.mapping.encounter import support_reference
from service.mapping.identity import (
    identifier,
    own_identifier,
    own_organization,
    part_of_path,
    record_id,
    refer,
    referred,
    resource_id,
)
from service.mapping.names import CANONICAL, LOINC, SDC_TEMP, SDOHCC_CODES, profile

KIND: Final = "client-tasks"
PROFILE: Final = profile("casebridge-patient-task")
PROGRESS: Final = ("status", "statusReason", "output", "lastModified")
"""What the client's side says in a Task; the rest is whose who asks."""
_ABOUT: Final = {
    "risk": "risk-questionnaire",
    "feedback": "feedback-questionnaire",
    "application": "application-questionnaire",
    "personal-characteristics": "personal-characteristics-questionnaire",
    "other": "other-specify",
}
_READING: Final = {"system": LOINC, "code": "34895-3", "display": "Education note"}
_FORM: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "UNK"}
_NOTE: Final = {
    "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
    "code": "clinical-note",
}
_DOCUMENT: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-documentreference"
_INSTRUMENTS: Final = f"{CANONICAL}/Questionnaire/"
_SDC: Final = frozenset({"complete-questionnaire", "questionnaire", "questionnaire-response"})
"""Codes of SDC's temporary system; the others are SDOHCC's."""


def is_client_task(task: JsonObject) -> bool:
    """Is this Task asked of a client?"""
    return PROFILE in task.get("meta", {}).get("profile", [])


def to_fhir(asked: ClientTask, context: MappingContext) -> Mapped:
    """The document to read or to fill in, if there is one, then the Task."""
    material = asked.reading or (asked.form.document if asked.form else None)
    document = _document(asked, material, context) if material else None
    task = build(
        "Task",
        id=resource_id(context, KIND, asked.id, "Task"),
        meta={"profile": [PROFILE]},
        identifier=[own_identifier(context, KIND, asked.id)],
        status=asked.status,
        statusReason={"text": asked.status_reason},
        intent="order",
        priority=asked.urgency,
        code=_coded(_code(asked)),
        description=asked.words,
        focus=_refer_document(document) if asked.reading else None,
        for_=refer(context, "clients", asked.client),
        authoredOn=asked.asked,
        requester=refer(context, "case-managers", asked.by) if asked.by else own_organization(context),
        owner=_owner(asked, context),
        restriction={"period": {"end": asked.answer_by}},
        input=list(_inputs(asked, document, context)),
        output=outputs(asked.answer, context) if asked.answer else None,
    )
    return Mapped((document, task) if document else (task,))


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[ClientTask]:
    """From a Task for a client, with the document it names beside it."""
    task = next((r for r in resources if r["resourceType"] == "Task"), None)
    if task is None:
        raise LookupError("no Task among the resources")
    inputs = {code: each for each in task.get("input", []) if (code := _coded_as(each.get("type")))}
    document = next((_material(r) for r in resources if _is_asked(r, task, inputs)), None)
    support = part_of_path(context, task.get("owner"), "support")
    record = ClientTask(
        id=record_id(context, KIND, task),
        client=referred(context, "clients", task.get("for")) or "unknown",
        support=support[-1] if support else None,
        words=parts.text(task.get("description")) or "–",
        asked=parts.when(task.get("authoredOn")) or "1900-01-01",
        by=_by(task, context),
        urgency=_urgency(task),
        answer_by=parts.when(task.get("restriction", {}).get("period", {}).get("end", "")[:10]),
        form=_form(inputs, document),
        contacts=tuple(_contacts(task, context)),
        reading=document if "focus" in task else None,
        status=task["status"],
        status_reason=parts.concept_text(task.get("statusReason")),
        answer=answer(task, context),
    )
    return Told(record)


_ANSWERED_BY: Final = {
    "general-information": "general-information-response",
    "make-contact": "chosen-contact",
    "questionnaire": "questionnaire-response",
    "questionnaire-pdf": "questionnaire-pdf-completed",
}
"""What is asked (the Task's code, or the form among its inputs) → the output that answers it."""


def strange_output(task: JsonObject) -> int | None:
    """The place of the first output that does not answer what the Task asks (SDOH-Task-2, -5, -6, -7; the guide's own
    expressions of -2 and -7 are true of every output)."""
    asked = [_coded_as(task.get("code")), *(_coded_as(each.get("type")) for each in task.get("input", []))]
    fitting = {_ANSWERED_BY[each] for each in asked if each in _ANSWERED_BY}
    said = [_coded_as(output.get("type")) for output in task.get("output", [])]
    return next((place for place, each in enumerate(said) if each not in fitting), None)


def _is_asked(resource: JsonObject, task: JsonObject, inputs: dict[str, JsonObject]) -> bool:
    """Is this the document that is to be read, or filled in?"""
    named = [task.get("focus"), inputs.get("questionnaire-pdf", {}).get("valueReference")]
    texts = [str(each.get("reference", "")) for each in named if each]
    return resource["resourceType"] == "DocumentReference" and any(
        text.split("/_history/")[0].endswith(f"DocumentReference/{resource['id']}") for text in texts
    )


def answer(task: JsonObject, context: MappingContext) -> ClientAnswer | None:
    """What the Task's outputs say."""
    said: dict[str, list[Any]] = {}
    for output in task.get("output", []):
        value = output.get("valueMarkdown") or output.get("valueString") or output.get("valueReference")
        said.setdefault(_coded_as(output.get("type")), []).append(value)
    response = next(iter(said.get("questionnaire-response", [])), None)
    document = next(iter(said.get("questionnaire-pdf-completed", [])), None)
    found: dict[str, Any] = {
        "words": tuple(t for each in said.get("general-information-response", []) if (t := parts.text(each))),
        "chosen": next((t for each in said.get("chosen-contact", []) if (t := parts.text(each))), None),
        "assessment": referred(context, "assessments", response) if isinstance(response, dict) else None,
        "document": document["reference"].rpartition("/")[2] if isinstance(document, dict) else None,
    }
    return ClientAnswer(**found) if any(found.values()) else None


def whom(task: JsonObject, beside: Iterable[JsonObject]) -> list[tuple[str, list[str]]]:
    """Those the client may get in touch with: a name, and the ways to reach them. `beside`: what the Task names, and
    what that names."""
    known = {f"{each['resourceType']}/{each['id']}": each for each in beside}
    found = []
    for each in task.get("input", []):
        if _coded_as(each.get("type")) == "contact-entity":
            entity = known.get(each["valueReference"].get("reference", ""), {})
            person = known.get(entity.get("practitioner", {}).get("reference", ""), {})
            named = next((name for n in person.get("name", []) if (name := parts.name(n))), None)
            said = entity.get("name") or (parts.full_name(named) if named else None)
            ways = [str(way["value"]) for way in entity.get("telecom", []) if way.get("value")]
            found += [(str(said), ways)] if said else []
    return found


def keep_progress(made: JsonObject, current: JsonObject, context: MappingContext) -> JsonObject:
    """A Task mapped anew from its record, with what the client's side has said in it since.

    A record that leaves it `ready` says nothing of that; one that says more, or repeats the answer, keeps the answer
    as it came.
    """
    names = PROGRESS if made["status"] == "ready" else ()
    if "output" not in made or answer(made, context) == answer(current, context):
        names = (*names, "output")
    kept: JsonObject = {key: current[key] for key in names if key in current}
    return {**{key: value for key, value in made.items() if key not in names}, **kept}


def _code(asked: ClientTask) -> str:
    if asked.form is not None:
        return "complete-questionnaire"
    if asked.reading is not None:
        return "review-material"
    return "make-contact" if asked.contacts else "general-information"


def _coded(code: str) -> JsonObject:
    return {"coding": [{"system": SDC_TEMP if code in _SDC else SDOHCC_CODES, "code": code}]}


def _coded_as(concept: JsonObject | None) -> str:
    return parts.code_in(concept, SDC_TEMP) or parts.code_in(concept, SDOHCC_CODES) or ""


def _owner(asked: ClientTask, context: MappingContext) -> JsonObject:
    if asked.support:
        return support_reference(context, asked.client, asked.support)
    return refer(context, "clients", asked.client)


def _inputs(asked: ClientTask, document: JsonObject | None, context: MappingContext) -> Iterator[JsonObject]:
    form = asked.form
    if form is not None:
        if canonical := form.questionnaire or (form.instrument and _INSTRUMENTS + form.instrument):
            yield {"type": _coded("questionnaire"), "valueCanonical": canonical}
        elif form.page:
            yield {"type": _coded("questionnaire-url"), "valueUrl": form.page}
        elif document:
            yield {"type": _coded("questionnaire-pdf"), "valueReference": _refer_document(document)}
        yield {"type": _coded("questionnaire-category"), "valueCodeableConcept": _coded(_ABOUT[form.about])}
    for choice in asked.contacts:
        yield {"type": _coded("contact-entity"), "valueReference": _entity(choice, context)}


def _entity(choice: Choice, context: MappingContext) -> JsonObject:
    if choice.case_manager:
        return refer(context, "case-managers", choice.case_manager)
    assert choice.agency is not None
    if choice.service is None:
        return refer(context, "agencies", choice.agency)
    place = (choice.agency, choice.service)
    return {
        "reference": f"HealthcareService/{service_id(context, *place)}",
        "identifier": identifier(context, "service", *place),
    }


def outputs(answer: ClientAnswer, context: MappingContext | None = None) -> list[JsonObject]:
    """Task.output for an answer. Only what refers to a record needs the context."""
    return list(_outputs(answer, context))


def _outputs(answer: ClientAnswer, context: MappingContext | None) -> Iterator[JsonObject]:
    for words in answer.words:
        yield {"type": _coded("general-information-response"), "valueMarkdown": words}
    if answer.chosen:
        yield {"type": _coded("chosen-contact"), "valueMarkdown": answer.chosen}
    if answer.assessment and context:
        response = refer(context, "assessments", answer.assessment)
        yield {"type": _coded("questionnaire-response"), "valueReference": response}
    if answer.document:
        document = {"reference": f"DocumentReference/{answer.document}"}
        codings = [
            {"system": system, "code": "questionnaire-pdf-completed"} for system in (SDOHCC_CODES, SDC_TEMP)
        ]
        yield {
            "type": {"coding": codings},
            "valueReference": document,
        }  # the slice asks for one, SDOH-Task-6 for the other


def _document(asked: ClientTask, material: Material, context: MappingContext) -> JsonObject:
    content: JsonObject = {"url": material.link}
    if material.text:
        content = {
            "contentType": "text/plain; charset=utf-8",
            "data": b64encode(material.text.encode()).decode(),
        }
    return build(
        "DocumentReference",
        id=resource_id(context, KIND, asked.id, "DocumentReference"),
        meta={"profile": [_DOCUMENT]},
        identifier=[own_identifier(context, KIND, asked.id)],
        status="entered-in-error" if asked.status == "entered-in-error" else "current",
        type={"coding": [_READING]} if asked.reading else {"coding": [_FORM], "text": "Form"},
        category=[{"coding": [_NOTE]}],
        subject=refer(context, "clients", asked.client),
        author=[own_organization(context)],
        description=material.title,
        content=[{"attachment": {**content, "title": material.title, "language": material.language}}],
    )


def _refer_document(document: JsonObject | None) -> JsonObject | None:
    if document is None:
        return None
    return {"reference": f"DocumentReference/{document['id']}", "display": document["description"]}


def _material(document: JsonObject) -> Material | None:
    attachment = document["content"][0]["attachment"]
    title = parts.text(attachment.get("title")) or parts.text(document.get("description")) or "–"
    data = attachment.get("data")
    text = b64decode(data).decode("utf-8", "replace") if data else None
    if not (text or attachment.get("url")):
        return None
    link = None if text else attachment["url"]
    return Material(title=title, link=link, text=text, language=attachment.get("language"))


def _form(inputs: dict[str, JsonObject], document: Material | None) -> Form | None:
    canonical = inputs.get("questionnaire", {}).get("valueCanonical")
    page = inputs.get("questionnaire-url", {}).get("valueUrl")
    printed = document if "questionnaire-pdf" in inputs else None
    if not (canonical or page or printed):
        return None
    ours = canonical is not None and canonical.startswith(_INSTRUMENTS)
    category = parts.code_in(
        inputs.get("questionnaire-category", {}).get("valueCodeableConcept"), SDOHCC_CODES
    )
    about: Any = next((word for word, code in _ABOUT.items() if code == category), "other")
    return Form(
        instrument=canonical.removeprefix(_INSTRUMENTS) if canonical and ours else None,
        questionnaire=None if ours else canonical,
        page=page,
        document=printed,
        about=about,
    )


def _contacts(task: JsonObject, context: MappingContext) -> Iterator[Choice]:
    for each in task.get("input", []):
        if _coded_as(each.get("type")) != "contact-entity":
            continue
        entity = each.get("valueReference", {})
        offered = part_of_path(context, entity, "service")
        if offered:
            yield Choice(agency="/".join(offered[:-1]), service=offered[-1])
        elif "PractitionerRole/" in str(entity.get("reference", "")):
            yield Choice(case_manager=referred(context, "case-managers", entity))
        else:
            yield Choice(agency=referred(context, "agencies", entity))


def _by(task: JsonObject, context: MappingContext) -> str | None:
    requester = task.get("requester", {})
    if "PractitionerRole/" not in str(requester.get("reference", "")):
        return None
    return referred(context, "case-managers", requester)


def _urgency(task: JsonObject) -> Any:
    return "routine" if task.get("priority", "routine") == "routine" else "urgent"
