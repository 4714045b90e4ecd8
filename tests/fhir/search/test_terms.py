"""`:in`, `:not-in`, `:above`, `:below`: what is held is answered, what is not is refused."""

from datetime import UTC, datetime

import pytest

from service.fhir.catalogue import catalogue
from service.fhir.search.parse import parse
from service.fhir.search.query import Keys
from service.fhir.validate import load
from service.kernel.failures import Refused

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def asked(type_: str, name: str, value: str) -> Keys:
    query = parse(
        (type_,), [(name, value)], now=NOW, base="http://us/fhir", served=tuple(catalogue),
        terms=lambda: load().definitions,
    )  # fmt: skip
    [found] = query.where
    assert isinstance(found, Keys)
    return found


def test_an_active_condition_may_be_a_relapse() -> None:
    found = asked("Condition", "clinical-status:below", f"{CLINICAL}|active")
    codes = {key.rpartition("|")[2] for key in found.any_of}
    assert codes == {"active", "recurrence", "relapse"}
    found = asked("Condition", "clinical-status:above", f"{CLINICAL}|relapse")
    assert {key.rpartition("|")[2] for key in found.any_of} == {"relapse", "active"}


def test_roles_of_version_3_are_subsumed_over_several_levels() -> None:
    role = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
    found = asked("RelatedPerson", "relationship:below", f"{role}|FAMMEMB")
    assert {
        f"RelatedPerson.relationship={role}|{code}" for code in ("CHILD", "NMTH", "GRMTH", "FAMMEMB")
    } <= set(found.any_of)


def test_a_value_set_of_ours_and_of_a_guide_is_known_by_its_canonical() -> None:
    ours = asked("ServiceRequest", "category:in", "https://casebridge.example/fhir/ValueSet/service-area")
    assert len(ours.any_of) > 3 and not ours.negated
    versioned = asked(
        "ServiceRequest", "category:not-in", "https://casebridge.example/fhir/ValueSet/service-area|1.0.0"
    )
    assert versioned.negated and versioned.any_of == ours.any_of


@pytest.mark.parametrize(
    ("type_", "name", "value", "says"),
    [
        ("Condition", "code:below", "http://snomed.info/sct|73211009", "not known here in full"),
        ("Condition", "clinical-status:below", f"{CLINICAL}|nonsense", "not one of its"),
        ("Condition", "clinical-status:below", "active", "[system]|[code]"),
        ("Condition", "clinical-status:above", f"{CLINICAL}|", "[system]|[code]"),
        ("Condition", "code:in", "http://nowhere.example/vs", "not known here"),
        ("Condition", "code:in", "http://hl7.org/fhir/ValueSet/condition-code", "http://snomed.info/sct"),
        ("Condition", "code:not-in", "http://hl7.org/fhir/ValueSet/condition-code", "http://snomed.info/sct"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused_with_the_reason(type_: str, name: str, value: str, says: str) -> None:
    with pytest.raises(Refused) as refused:
        asked(type_, name, value)
    assert says in refused.value.text, refused.value.text
