from datetime import UTC, datetime
from decimal import Decimal

from service.fhir import artefacts, r4
from service.fhir.audit import OFFERED
from service.fhir.json import JsonObject, Number
from service.fhir.search import extract
from service.fhir.search.extract import unreadable
from service.fhir.search.moments import END
from service.fhir.search.parameters import parameters

BASE = "https://casebridge.example/fhir"


def task(**members: object) -> JsonObject:
    return {"resourceType": "Task", "id": "1", **members}


def test_a_code_is_found_with_without_and_by_its_implied_system() -> None:
    keys = extract(task(status="requested")).keys
    assert "Task.status=requested" in keys
    assert "Task.status=http://hl7.org/fhir/task-status|requested" in keys
    assert "Task.status=http://hl7.org/fhir/task-status|" in keys
    assert "Task.status?" in keys


def test_a_coding_without_a_system_is_found_by_the_bar_form() -> None:
    keys = extract(task(code={"coding": [{"code": "fulfill"}], "text": "Please"})).keys
    assert {"Task.code=fulfill", "Task.code=|fulfill"} <= set(keys)


def test_what_a_person_reads_is_kept_for_text_searches() -> None:
    found = extract(task(code={"text": "  Álvarez  Food"}))
    assert found.strings == [("code:text", "alvarez food", "  Álvarez  Food")]


def test_a_reference_is_found_relative_and_by_the_parameters_of_its_type() -> None:
    keys = extract(task(**{"for": {"reference": "Patient/7/_history/3"}})).keys
    assert {"Task.subject=Patient/7", "Task.subject=Patient/7/_history/3", "Task.patient=Patient/7"} <= set(
        keys
    )
    assert not any(
        k.startswith("Task.patient") for k in extract(task(**{"for": {"reference": "Group/7"}})).keys
    )


def test_an_absolute_reference_to_ourselves_counts_as_relative() -> None:
    keys = extract(task(owner={"reference": f"{BASE}/Organization/5"}), BASE).keys
    assert "Task.owner=Organization/5" in keys


def test_a_logical_reference_is_found_by_its_identifier() -> None:
    keys = extract(task(owner={"identifier": {"system": "urn:s", "value": "v"}})).keys
    assert "Task.owner:identifier=urn:s|v" in keys


def test_a_contained_reference_is_present_but_points_nowhere() -> None:
    keys = extract(task(owner={"reference": "#o"})).keys
    assert [k for k in keys if k.startswith("Task.owner")] == ["Task.owner?"]


def test_an_identifier_of_a_type_is_found() -> None:
    kind = {"coding": [{"system": "urn:t", "code": "MR"}]}
    keys = extract({"resourceType": "Patient", "identifier": [{"type": kind, "value": "1|2"}]}).keys
    assert "Patient.identifier:of-type=urn:t|MR|1\\|2" in keys


def test_an_open_period_ends_at_the_end_of_time() -> None:
    found = extract(task(executionPeriod={"start": "2026-03"}))
    assert found.dates == [("period", datetime(2026, 3, 1, tzinfo=UTC), END)]


def test_every_search_parameter_that_we_publish_is_one_that_works() -> None:
    published = [each.resource for each in artefacts.shelf("SearchParameter").values()]
    assert {each["url"].partition("/SearchParameter/")[0] for each in published} == {
        "https://casebridge.example/fhir", "http://hl7.org/fhir/us/sdoh-clinicalcare",
    }  # fmt: skip
    for each in published:
        for base in each["base"]:
            offered = OFFERED if base == "AuditEvent" else parameters(base)
            assert each["code"] in offered and each["code"] not in unreadable(base), each["url"]
            if base != "AuditEvent":
                mine = parameters(base)[each["code"]]
                assert (mine.url, mine.type) == (each["url"], each["type"])
                assert mine.expression in each["expression"]


def test_a_quantity_is_found_by_each_way_to_name_its_unit() -> None:
    value = {
        "value": Number("5.40"),
        "unit": "milligram",
        "system": "http://unitsofmeasure.org",
        "code": "mg",
    }
    numbers = extract({"resourceType": "Observation", "valueQuantity": value}).numbers
    units = {(unit, low) for param, low, _, unit in numbers if param == "value-quantity"}
    assert units == {("=g", Decimal("0.0054")), ("|mg", Decimal("5.4")), ("|milligram", Decimal("5.4"))}


def test_a_composite_keeps_together_what_belongs_together() -> None:
    parts = [
        {"code": {"coding": [{"code": "a"}]}, "valueCodeableConcept": {"coding": [{"code": "x"}]}},
        {"code": {"coding": [{"code": "b"}]}, "valueCodeableConcept": {"coding": [{"code": "y"}]}},
    ]
    keys = extract({"resourceType": "Observation", "component": parts}).keys
    assert "Observation.component-code-value-concept=a$x" in keys
    assert "Observation.component-code-value-concept=a$y" not in keys


def test_every_patient_is_dead_or_alive() -> None:
    assert "Patient.deceased=false" in extract({"resourceType": "Patient"}).keys
    assert "Patient.deceased=true" in extract({"resourceType": "Patient", "deceasedDateTime": "2020"}).keys


def test_a_patients_phone_is_not_an_email() -> None:
    keys = extract({"resourceType": "Patient", "telecom": [{"system": "phone", "value": "555"}]}).keys
    assert "Patient.phone=555" in keys
    assert not any(key.startswith("Patient.email") for key in keys)


def test_nonsense_is_indexed_as_far_as_it_goes() -> None:
    shapes: list[object] = [
        "x",
        1,
        None,
        True,
        [],
        {},
        [None],
        [[1]],
        {"coding": {"code": 5}},
        [{"value": {}}],
    ]
    for type_ in ("Task", "Patient", "Observation"):
        elements = {key for key in r4.structure(type_).by_key if key != "resourceType"}
        for shape in shapes:
            extract({"resourceType": type_, **dict.fromkeys(elements, shape)})


def test_every_parameter_that_is_listed_can_be_evaluated() -> None:
    assert [f"{type_}.{code}" for type_ in r4.resource_types() for code in unreadable(type_)] == []


def test_a_number_too_large_or_too_small_for_the_index_is_kept_out_of_it_and_breaks_nothing() -> None:
    for text in ("1e999999999", "-1e999999999", "1e-999999999", "1e400"):
        assert not extract({"resourceType": "Observation", "valueQuantity": {"value": Decimal(text)}}).numbers
    zero = extract(
        {"resourceType": "Observation", "valueQuantity": {"value": Decimal("0e999999999")}}
    ).numbers
    assert {(low, high) for _, low, high, _ in zero} == {(Decimal(0), Decimal(0))}
