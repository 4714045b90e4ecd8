"""Terminology is data: loaded, cross-checked, translated both ways, extended without code."""

from pathlib import Path

import pytest

from service.fhir.json import encode
from service.mapping import table
from service.mapping.names import RSS_SERVICE, SNOMED
from service.mapping.terms import BadTerms, load, terms
from tests.mapping.context import HERE
from tests.mapping.test_consent_meaning import referral


def concept_map(source: str, code: str, target: str = SNOMED) -> bytes:
    element = {"code": code, "target": [{"code": "1", "equivalence": "equivalent"}]}
    group = {"source": source, "target": target, "element": [element]}
    url = "https://casebridge.example/fhir/ConceptMap/a-map"
    return encode({"resourceType": "ConceptMap", "id": "a-map", "url": url, "group": [group]})


def test_a_service_is_translated_to_the_standard_and_back() -> None:
    codings = terms().translate("rss-service-to-procedure", "dental-care")
    assert [coding["code"] for coding in codings] == ["103697008"]
    assert terms().untranslate("rss-service-to-procedure", codings) == "dental-care"


def test_every_service_has_a_service_area() -> None:
    services = [code for system, code in terms().displays if system == RSS_SERVICE]
    assert len(services) > 40
    assert all(terms().translate("rss-service-to-area", code) for code in services)


def test_a_map_from_a_code_that_does_not_exist_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "terms").mkdir()
    (tmp_path / "terms" / "ConceptMap-a.json").write_bytes(concept_map(RSS_SERVICE, "no-such-service"))
    with pytest.raises(BadTerms, match="no-such-service"):
        load(tmp_path)


def test_a_map_dropped_in_maps_a_foreign_code_without_code(tmp_path: Path) -> None:
    (tmp_path / "terms").mkdir()
    (tmp_path / "terms" / "ConceptMap-a.json").write_bytes(
        concept_map("https://county.example/codes", "CT-7")
    )
    assert load(tmp_path).translate("a-map", "CT-7") == [{"system": SNOMED, "code": "1"}]


def test_an_unmapped_code_is_carried_with_its_system_and_reported() -> None:
    made = table["referrals"].to_fhir(referral(service="equine-therapy", recipientService="rooms"), HERE)
    code = made.of("ServiceRequest")[0]["code"]
    assert code["text"] == "equine-therapy"
    assert {"system": RSS_SERVICE, "code": "equine-therapy"} in code["coding"]
    assert "unmapped-code" in [note.rule for note in made.notes]
