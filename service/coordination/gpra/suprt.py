"""SUPRT-A and SUPRT-C, in force from 1 October 2025, by what is public of them: sections, timing, who answers.

The wording, the codes and the columns are the grantee's to load (SAMHSA gives them to grantees only): put a
Questionnaire of the same url with a version of its own, and responses name that version.
"""

from typing import Final

from service.coordination.gpra.questionnaire import BASE
from service.fhir.json import JsonObject

_ADMINISTRATIVE: Final = (
    ("A", "Record management", (
        ("clientId", "Client ID", "string"), ("siteId", "Site ID", "string"), ("grantId", "Grant ID", "string"),
        ("firstServiceDate", "Date of the first service", "date"), ("assessmentDate", "Date of the assessment", "date"),
        ("assessmentType", "Baseline, reassessment, annual or closeout", "choice"),
    )),
    ("B", "Behavioral health history", ()),
    ("C", "Behavioral health screenings", ()),
    ("D", "Behavioral health diagnoses", ()),
    ("E", "Services received since the last assessment", ()),
    ("F", "Demographics, at baseline and only without SUPRT-C", (("birthMonth", "Month and year of birth", "string"),)),
)  # fmt: skip
_CLIENT: Final = (
    ("1", "Demographics", ()),
    ("2", "Social drivers: housing, employment, education, transport, basic needs", ()),
    ("3", "Core outcomes and wellness", ()),
    ("4", "Quality of life", ()),
)
_TIMES: Final = ("baseline", "reassessment", "annual", "closeout")


def _form(
    name: str,
    title: str,
    purpose: str,
    sections: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...],
) -> JsonObject:
    return {
        "resourceType": "Questionnaire", "id": name, "url": f"{BASE}/Questionnaire/{name}", "version": "2025.0",
        "name": name.title().replace("-", ""), "title": title, "status": "draft", "experimental": False,
        "subjectType": ["Patient"], "publisher": "Casebridge", "purpose": purpose,
        "copyright": "Structure only, in our own short labels: the wording is SAMHSA's, and the operator's to load.",
        "item": [_section(name, *each) for each in sections],
    }  # fmt: skip


def _section(name: str, letter: str, text: str, items: tuple[tuple[str, str, str], ...]) -> JsonObject:
    link = f"{name}.{letter}"
    made = [_item(f"{link}.{own}", words, kind) for own, words, kind in items]
    shown = {
        "linkId": f"{link}.load",
        "type": "display",
        "text": "The items of this section are the grantee's to load.",
    }
    return {"linkId": link, "prefix": letter, "text": text, "type": "group", "item": made or [shown]}


def _item(link: str, text: str, kind: str) -> JsonObject:
    options = [{"valueCoding": {"code": each, "display": each.capitalize()}} for each in _TIMES]
    return {
        "linkId": link,
        "text": text,
        "type": kind,
        **({"answerOption": options} if kind == "choice" else {}),
    }


FORMS: Final = (
    _form(
        "suprt-a", "SUPRT-A: administrative record",
        "Answered by staff from the record, for every client: baseline within 30 days of intake, reassessment on day"
        " 180 (90 for some programmes) within 30 days, annual, closeout within 30 days of the end.", _ADMINISTRATIVE,
    ),
    _form(
        "suprt-c", "SUPRT-C: client's own answers",
        "Answered by the client, freely, from 11 years of age, or by a caregiver: at baseline and reassessment.",
        _CLIENT,
    ),
)  # fmt: skip
