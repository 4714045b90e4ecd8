"""FHIRPath Patch, with the cases of the standard's own test set told again."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.json import decode, encode
from service.fhir.patch import fhirpath_patch
from service.kernel.failures import Refused

PATIENT: Any = decode(
    b'{"resourceType":"Patient","id":"p1","birthDate":"1920-01-01","_birthDate":{"id":"b"},'
    b'"identifier":[{"system":"http://s","value":"1"},{"system":"http://s","value":"2"},{"value":"3"}],'
    b'"name":[{"given":["A","B"],"_given":[null,{"id":"g2"}]}],"deceasedBoolean":false,'
    b'"contact":[{"name":{"text":"a name"},"gender":"male"}],"multipleBirthInteger":2}'
)


def operation(kind: str, path: str, **parts: Any) -> Any:
    rows = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    for name, value in parts.items():
        rows.append({"name": name, **value})
    return {"name": "operation", "part": rows}


def patched(*operations: Any) -> Any:
    return fhirpath_patch(PATIENT, {"resourceType": "Parameters", "parameter": list(operations)})


def text(value: str) -> Any:
    return {"valueString": value}


def number(value: int) -> Any:
    return {"valueInteger": value}


def test_add_puts_a_missing_element() -> None:
    result = patched(operation("add", "Patient", name=text("gender"), value={"valueCode": "male"}))
    assert result["gender"] == "male"


def test_add_appends_to_a_list() -> None:
    value = {"valueIdentifier": {"value": "4"}}
    result = patched(operation("add", "Patient", name=text("identifier"), value=value))
    assert [i["value"] for i in result["identifier"]] == ["1", "2", "3", "4"]


def test_add_reaches_into_a_complex_element() -> None:
    result = patched(operation("add", "Patient.name.first()", name=text("family"), value=text("Z")))
    assert result["name"][0]["family"] == "Z"


def test_add_takes_an_anonymous_type_as_parts() -> None:
    parts = [
        {"name": "name", "valueHumanName": {"text": "another"}},
        {"name": "telecom", "valueContactPoint": {"value": "1"}},
        {"name": "telecom", "valueContactPoint": {"value": "2"}},
        {"name": "organization", "part": [{"name": "reference", "valueString": "Organization/1"}]},
    ]
    result = patched(operation("add", "Patient", name=text("contact"), value={"part": parts}))
    assert result["contact"][1] == {
        "name": {"text": "another"},
        "telecom": [{"value": "1"}, {"value": "2"}],
        "organization": {"reference": "Organization/1"},
    }


def test_add_takes_an_extension_as_parts() -> None:
    parts = [{"name": "url", "valueUri": "http://x"}, {"name": "value", "valueBoolean": True}]
    result = patched(operation("add", "Patient", name=text("extension"), value={"part": parts}))
    assert result["extension"] == [{"url": "http://x", "valueBoolean": True}]
    onto_primitive = patched(
        operation("add", "Patient.deceased", name=text("extension"), value={"part": parts})
    )
    assert onto_primitive["_deceasedBoolean"] == {"extension": [{"url": "http://x", "valueBoolean": True}]}


def test_add_names_a_choice_by_the_type_given() -> None:
    task = {"resourceType": "Task", "input": [{"type": {"text": "t"}}]}
    patch = operation("add", "Task.input[0]", name=text("value"), value={"valueQuantity": {"value": 1}})
    result = fhirpath_patch(task, {"resourceType": "Parameters", "parameter": [patch]})
    assert result["input"][0]["valueQuantity"] == {"value": 1}


def test_insert_puts_at_the_index() -> None:
    value = {"valueIdentifier": {"value": "new"}}
    for at, expected in ((0, "n123"), (2, "12n3"), (3, "123n")):
        result = patched(operation("insert", "Patient.identifier", index=number(at), value=value))
        assert "".join(i["value"][0] for i in result["identifier"]) == expected


def test_insert_keeps_the_siblings_beside_their_values() -> None:
    result = patched(operation("insert", "Patient.name[0].given", index=number(1), value=text("N")))
    assert result["name"][0] == {"given": ["A", "N", "B"], "_given": [None, None, {"id": "g2"}]}


def test_delete_removes_an_element_with_its_sibling() -> None:
    result = patched(operation("delete", "Patient.birthDate"))
    assert "birthDate" not in result
    assert "_birthDate" not in result


def test_delete_finds_its_element_by_any_path() -> None:
    result = patched(operation("delete", "Patient.identifier.where(value = '2')"))
    assert [i["value"] for i in result["identifier"]] == ["1", "3"]
    result = patched(operation("delete", "Patient.name.given.where($this = 'B')"))
    assert result["name"] == [{"given": ["A"]}]


def test_delete_of_what_is_not_there_is_no_error() -> None:
    assert patched(operation("delete", "Patient.photo")) == PATIENT


def test_deleting_the_last_item_leaves_no_empty_list() -> None:
    assert "contact" not in patched(operation("delete", "Patient.contact[0]"))


def test_replace_changes_a_value_and_the_type_of_a_choice() -> None:
    result = patched(
        operation("replace", "Patient.birthDate", value={"valueDate": "1930-01-01"}),
        operation("replace", "Patient.deceased", value={"valueDateTime": "2020-01-01"}),
        operation("replace", "Patient.contact[0].name.text", value=text("the name")),
        operation("replace", "Patient.identifier[0]", value={"valueIdentifier": {"value": "9"}}),
    )
    assert result["birthDate"] == "1930-01-01"
    assert "_birthDate" not in result
    assert "deceasedBoolean" not in result
    assert result["deceasedDateTime"] == "2020-01-01"
    assert result["contact"][0]["name"]["text"] == "the name"
    assert result["identifier"][0] == {"value": "9"}


@pytest.mark.parametrize(("source", "target", "expected"), [(0, 2, "231"), (2, 0, "312"), (1, 1, "123")])
def test_move_reorders_a_list(source: int, target: int, expected: str) -> None:
    result = patched(
        operation("move", "Patient.identifier", source=number(source), destination=number(target))
    )
    assert "".join(i["value"] for i in result["identifier"]) == expected


@pytest.mark.parametrize(
    "patch",
    [
        operation("add", "Patient.nothing", name=text("x"), value=text("y")),
        operation("add", "Patient", name=text("nothing"), value=text("y")),
        operation("add", "Patient", name=text("birthDate"), value={"valueDate": "1930"}),
        operation("add", "Patient", name=text("deceased"), value={"valueBoolean": True}),
        operation("add", "Patient.identifier", name=text("value"), value=text("y")),
        operation("add", "Patient.name.given.count()", name=text("id"), value=text("y")),
        operation("add", "'Patient/1'.resolve()", name=text("active"), value={"valueBoolean": True}),
        operation("add", "Patient", name=text("contact"), value={"part": [text("x") | {"name": "nothing"}]}),
        operation("insert", "Patient.identifier", index=number(4), value={"valueIdentifier": {}}),
        operation("insert", "Patient.photo", index=number(0), value={"valueAttachment": {}}),
        operation("insert", "Patient.birthDate", index=number(0), value={"valueDate": "1930"}),
        operation("delete", "Patient.identifier"),
        operation("delete", "Patient"),
        operation("delete", "Patient.id"),
        operation("replace", "Patient.id", value={"valueId": "p2"}),
        operation("replace", "Patient.photo", value={"valueAttachment": {}}),
        operation("replace", "Patient.identifier", value={"valueIdentifier": {}}),
        operation("replace", "Patient.deceased", value={"valueQuantity": {}}),
        operation("replace", "Patient.name.given.single()", value=text("x")),
        operation("move", "Patient.identifier", source=number(0), destination=number(3)),
    ],
)
def test_what_does_not_apply_is_unprocessable(patch: Any) -> None:
    with pytest.raises(Refused) as refusal:
        patched(patch)
    assert refusal.value.reason == "unprocessable"


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        {"resourceType": "Patient"},
        {"resourceType": "Parameters"},
        {"resourceType": "Parameters", "parameter": [{"name": "other"}]},
        {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [1]}]},
        {"resourceType": "Parameters", "parameter": [operation("spoil", "Patient")]},
        {"resourceType": "Parameters", "parameter": [operation("add", "Patient")]},
        {"resourceType": "Parameters", "parameter": [operation("delete", "Patient..id")]},
        {"resourceType": "Parameters", "parameter": [operation("delete", "Patient.id", index=number(1))]},
        {
            "resourceType": "Parameters",
            "parameter": [operation("move", "Patient.name", source=number(-1), destination=number(0))],
        },
        {"resourceType": "Parameters", "parameter": [operation("replace", "Patient.birthDate", value={})]},
    ],
)
def test_a_patch_that_makes_no_sense_is_malformed(parameters: Any) -> None:
    with pytest.raises(Refused) as refusal:
        fhirpath_patch(PATIENT, parameters)
    assert refusal.value.reason == "malformed"


def test_a_refusal_names_the_operation() -> None:
    with pytest.raises(Refused, match=r"operation 2 of the patch \(delete\): the path finds 3 elements"):
        patched(operation("delete", "Patient.birthDate"), operation("delete", "Patient.identifier"))


def test_neither_the_resource_nor_the_patch_is_touched() -> None:
    before = encode(PATIENT)
    value = {"valueHumanName": {"text": "x"}}
    patched(
        operation("add", "Patient", name=text("name"), value=value),
        operation("add", "Patient.name[1]", name=text("family"), value=text("y")),
        operation("delete", "Patient.identifier[0].value"),
    )
    assert encode(PATIENT) == before
    assert value == {"valueHumanName": {"text": "x"}}


paths = st.sampled_from(["Patient", "Patient.name", "add", "replace", "x", "a..b"])
keys = st.sampled_from(["name", "part", "valueCode", "valueString", "valueInteger", "x"])
json = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | paths,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner),
    max_leaves=8,
)
names = st.sampled_from(["type", "path", "name", "value", "index", "source", "destination"])
parts = st.fixed_dictionaries({"name": names}, optional={"valueString": json, "part": json})


@given(st.lists(parts, max_size=5))
def test_any_parameters_apply_or_are_refused(parts: Any) -> None:
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    with contextlib.suppress(Refused):
        fhirpath_patch(PATIENT, parameters)
