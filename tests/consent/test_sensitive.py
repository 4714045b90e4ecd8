"""What codes, instruments and profiles reveal."""

import pytest

from service.consent.label import label
from service.consent.sensitive import joined, revealed
from service.flows.sensitivity import categories, usual
from service.kernel.failures import Unavailable

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
OURS = categories((), None)


@pytest.mark.parametrize(
    ("code", "marks"),
    [
        ("F10.20", {"SUD"}), ("F11.20", {"OPIOIDUD"}), ("F17.210", set()), ("O99.310", {"SUD"}), ("F32.9", {"MH"}),
        ("F70", set()), ("B20", {"HIV"}), ("Z21", {"HIV"}), ("A54.9", {"STD"}), ("T74.11XA", {"SDV"}), ("Z59.00", set()),
        ("F1", set()), ("", set()),
    ],
)  # fmt: skip
def test_the_chapters_of_icd_10_reveal_what_they_are_about(code: str, marks: set[str]) -> None:
    assert revealed((ICD, code), {}) == marks


def test_the_same_letters_in_another_system_reveal_nothing() -> None:
    assert revealed(("http://other.example", "F10.20"), {}) == frozenset()


@pytest.mark.parametrize(
    ("instrument", "mark"),
    [("audit-c", "SUD"), ("dast-10", "SUD"), ("csat-gpra", "SUD"), ("phq-9", "MH"), ("gad-7", "MH")],
)
def test_an_answered_instrument_is_as_sensitive_as_what_it_asks(instrument: str, mark: str) -> None:
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"https://casebridge.example/fhir/Questionnaire/{instrument}|1.0.0",
        "subject": {"reference": "Patient/leslie"},
    }
    assert label(response, part2_source=False, categories=OURS).labels.marks == {mark}


def test_a_gpra_interview_is_known_by_its_profile() -> None:
    profile = "https://casebridge.example/fhir/StructureDefinition/casebridge-gpra-response"
    response = {"resourceType": "QuestionnaireResponse", "meta": {"profile": [profile]}}
    assert label(response, part2_source=False, categories=OURS).labels.marks == {"SUD"}


def test_a_score_is_as_sensitive_as_its_instrument() -> None:
    score = {
        "resourceType": "Observation",
        "code": {"coding": [{"system": "http://loinc.org", "code": "75626-2"}]},
    }
    labels = label(score, part2_source=False, categories=OURS).labels
    assert (labels.marks, labels.confidentiality) == ({"SUD"}, "R")


def test_being_afraid_of_a_partner_is_sensitive_and_housing_is_not() -> None:
    afraid, housing = ("http://loinc.org", "76501-6"), ("http://loinc.org", "71802-3")
    assert revealed(afraid, OURS) == {"SDV"}
    assert revealed(housing, OURS) == frozenset()


HIV_SET = "https://operator.example/ValueSet/hiv"
LOADED = {HIV_SET: {"http://loinc.org": frozenset({"5221-7"})}, "https://operator.example/ValueSet/empty": {}}


def test_the_operators_value_sets_count_under_the_sensitivity_they_are_named_with() -> None:
    table = categories((f"HIV={HIV_SET}",), LOADED.get)
    assert revealed(("http://loinc.org", "5221-7"), table) == {"HIV"}
    assert revealed(("http://loinc.org", "75626-2"), table) == {"SUD"}, "ours still count"


@pytest.mark.parametrize(
    "setting",
    [
        f"HIVE={HIV_SET}",
        "HIV",
        "HIV=",
        "HIV=https://operator.example/none",
        "HIV=https://operator.example/ValueSet/empty",
    ],
)
def test_a_setting_that_would_protect_nothing_stops_the_service(setting: str) -> None:
    with pytest.raises(Unavailable, match="CASEBRIDGE_SENSITIVE_VALUE_SETS"):
        categories((setting,), LOADED.get)


def test_a_value_set_without_any_package_stops_the_service() -> None:
    with pytest.raises(Unavailable, match="in no package"):
        categories((f"HIV={HIV_SET}",), None)


def test_the_consent2share_categories_count_where_they_are_loaded() -> None:
    methadone = ("http://www.nlm.nih.gov/research/umls/rxnorm", "6813")
    [opioids] = [canonical for code, canonical in usual() if canonical.endswith(".1046.269")]
    table = categories((), {opioids: {methadone[0]: frozenset({methadone[1]})}}.get)
    assert revealed(methadone, table) == {"OPIOIDUD"}
    assert not any(
        canonical.endswith(f"4.1142.{tobacco}") for _, canonical in usual() for tobacco in range(51, 55)
    )


def test_tables_add_up() -> None:
    one, other = ("s", "1"), ("s", "2")
    both = joined({"SUD": frozenset({one})}, {"SUD": frozenset({other}), "MH": frozenset({one})})
    assert both == {"SUD": {one, other}, "MH": {one}}
