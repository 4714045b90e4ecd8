"""The codes of the instruments are LOINC's, as CODES.md §3.4, SDOHCC's PRAPARE and HL7's examples give them.

Wrong codes read well: LA6574-3 and LA6575-0 differ by a digit and by how badly somebody is. Whoever changes an
instrument meets this list.
"""

import tarfile
from pathlib import Path
from typing import Any

import pytest

from service.fhir.json import JsonObject, decode_object
from service.mapping.instruments import instrument
from service.mapping.names import LOINC
from service.mapping.terms import terms
from tests.parts import SHARED

GUIDE = SHARED / "fhir-packages" / "hl7.fhir.us.sdoh-clinicalcare-3.0.0.tgz"
PANELS = {
    "prapare": "93025-5", "ahc-hrsn": "96777-8", "phq-9": "44249-1", "phq-2": "55757-9", "gad-7": "69737-5",
    "audit-c": "72109-2", "dast-10": "82666-9",
}  # fmt: skip
SCORES = {
    "phq-9": "44261-6", "phq-2": "55758-7", "gad-7": "70274-6", "audit-c": "75626-2", "audit": "75624-7",
    "dast-10": "82667-7", "hrsn-safety": "95614-4",
}  # fmt: skip
HOW_OFTEN = [
    "LA6568-5 Not at all",
    "LA6569-3 Several days",
    "LA6570-1 More than half the days",
    "LA6571-9 Nearly every day",
]
DRINKS = {
    "68518-0": ["LA6270-8 Never", "LA18926-8 Monthly or less", "LA18927-6 2-4 times a month",
                "LA18928-4 2-3 times a week", "LA18929-2 4 or more times a week"],
    "68519-8": ["LA15694-5 1 or 2", "LA15695-2 3 or 4", "LA18930-0 5 or 6", "LA18931-8 7 to 9", "LA18932-6 10 or more"],
    "68520-6": ["LA6270-8 Never", "LA18933-4 Less than monthly", "LA18876-5 Monthly", "LA18891-4 Weekly",
                "LA18934-2 Daily or almost daily"],
}  # fmt: skip
PHQ = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
GAD = ["69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"]
DIFFICULTY = [
    "LA6572-7 Not difficult at all", "LA6573-5 Somewhat difficult", "LA6575-0 Very difficult", "LA6574-3 Extremely difficult",
]  # fmt: skip
HARMED = ["LA6270-8", "LA10066-1", "LA10082-8", "LA16644-9", "LA6482-9"]
HRSN = {
    "71802-3": ["LA31993-1", "LA31994-9", "LA31995-6"],
    "96778-6": [
        "LA31996-4",
        "LA28580-1",
        "LA31997-2",
        "LA31998-0",
        "LA31999-8",
        "LA32000-4",
        "LA32001-2",
        "LA9-3",
    ],
    "88122-7": ["LA28397-0", "LA6729-3", "LA28398-8"],
    "88123-5": ["LA28397-0", "LA6729-3", "LA28398-8"],
    "93030-5": ["LA33-6", "LA32-8"],
    "96779-4": ["LA33-6", "LA32-8", "LA32002-0"],
    **dict.fromkeys(("95618-5", "95617-7", "95616-9", "95615-1"), HARMED),
}


def form(name: str) -> JsonObject:
    found = instrument(name)
    assert found is not None
    return found


def questions(name: str) -> dict[str, list[str]]:
    """LOINC of a question → its answers as `code display`, in order."""
    return {
        item["code"][0]["code"]: [
            f"{option['valueCoding']['code']} {option['valueCoding']['display']}"
            for option in item.get("answerOption", [])
        ]
        for item in form(name)["item"]
        if item.get("code")
    }


@pytest.mark.parametrize(("name", "code"), PANELS.items())
def test_a_panel_has_its_code(name: str, code: str) -> None:
    assert form(name)["code"] == [{"system": LOINC, "code": code}]


@pytest.mark.parametrize(("name", "code"), SCORES.items())
def test_a_score_has_its_code(name: str, code: str) -> None:
    [coding] = terms().translate("instrument-score-to-loinc", name)
    assert (coding["system"], coding["code"]) == (LOINC, code)


def test_the_phq_asks_its_nine_and_how_difficult_it_was() -> None:
    assert questions("phq-9") == {**dict.fromkeys(PHQ, HOW_OFTEN), "69722-7": DIFFICULTY}
    assert questions("phq-2") == dict.fromkeys(PHQ[:2], HOW_OFTEN)


def test_the_gad_asks_its_seven() -> None:
    assert questions("gad-7") == dict.fromkeys(GAD, HOW_OFTEN)


def test_the_audit_c_asks_its_three() -> None:
    assert questions("audit-c") == DRINKS


def test_the_hrsn_asks_its_ten() -> None:
    asked = {code: [each.split()[0] for each in answers] for code, answers in questions("ahc-hrsn").items()}
    assert asked == HRSN


def test_the_dast_has_ten_questions_and_one_score_and_claims_no_item_codes() -> None:
    items = form("dast-10")["item"]
    assert [item["linkId"] for item in items] == [f"dast-10.{number}" for number in range(1, 11)]
    assert questions("dast-10") == {}, "no source at hand gives LOINC codes of its items"


def in_the_guide(items: list[Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in items:
        if item.get("code") and item["type"] not in ("group", "display"):
            options = [
                option["valueCoding"] for option in item.get("answerOption", []) if "valueCoding" in option
            ]
            found[item["code"][0]["code"]] = [f"{each['code']} {each['display']}" for each in options]
        found |= in_the_guide(item.get("item", []))
    return found


@pytest.mark.skipif(not Path(GUIDE).exists(), reason="the guide is not here")
def test_prapare_is_the_guides_prapare() -> None:
    with tarfile.open(GUIDE) as packed:
        member = packed.extractfile("package/Questionnaire-SDOHCC-QuestionnairePRAPARE.json")
        assert member is not None
        guide = decode_object(member.read())
    assert questions("prapare") == in_the_guide(guide["item"])


@pytest.mark.parametrize("name", ["prapare", "ahc-hrsn", "audit-c", "dast-10"])
def test_where_wording_is_not_free_the_form_says_so_and_has_its_own(name: str) -> None:
    assert "our own short labels, not the wording of the instrument" in form(name)["copyright"]
    assert not any(item["text"].endswith("?") for item in form(name)["item"])
