"""JSON → XML → JSON loses nothing."""

import tarfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.json import MAX_DEPTH, Number, decode, encode
from service.fhir.r4 import is_resource
from service.fhir.xml import from_xml, to_xml

FIXTURES = Path(__file__).parent / "fixtures"
PACKAGES = Path(__file__).parents[4] / "shared" / "fhir-packages"


def same(one: Any, other: Any) -> bool:
    """Equal with types and digits, whatever the order of keys."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and encode(one) == encode(other)


@pytest.mark.parametrize("name", ["observation", "patient", "bundle"])
def test_our_own_examples_come_back_digit_for_digit(name: str) -> None:
    resource = decode((FIXTURES / f"{name}.json").read_bytes())
    assert same(from_xml(to_xml(resource)), resource)


def test_the_xml_is_what_the_standard_shows() -> None:
    written = to_xml(decode((FIXTURES / "patient.json").read_bytes())).decode()
    assert written == (
        '<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir"><active value="true"/>'
        '<name><given value="A"/><given><extension url="u"><valueDecimal value="0.10"/></extension></given>'
        '<given value="C" id="c"/></name><birthDate value="1970-01-01" id="b"/>'
        '<multipleBirthInteger value="2"/></Patient>'
    )


def test_elements_are_written_in_the_order_of_the_standard() -> None:
    written = to_xml({"resourceType": "Patient", "gender": "male", "name": [{"family": "x"}], "id": "1"})
    assert written.index(b"<id") < written.index(b"<name") < written.index(b"<gender")


def test_what_can_be_decoded_is_not_too_deep() -> None:
    item: dict[str, Any] = {"linkId": "x"}
    while _depth(item) < MAX_DEPTH - 3:
        item = {"linkId": "x", "item": [item]}
    resource = {"resourceType": "Questionnaire", "item": [item]}
    assert same(from_xml(to_xml(decode(encode(resource)))), resource)


def _depth(value: Any) -> int:
    if isinstance(value, dict | list):
        members = value.values() if isinstance(value, dict) else value
        return 1 + max(map(_depth, members), default=0)
    return 0


texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
        lambda c: c >= " " or c in "\t\r\n"
    ),
    min_size=1,
)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=3).map(lambda d: Number(format(d, "f")))
extensions = st.lists(st.fixed_dictionaries({"url": texts, "valueString": texts}), min_size=1, max_size=2)
besides = st.fixed_dictionaries({"extension": extensions}, optional={"id": texts})
patients = st.fixed_dictionaries(
    {"resourceType": st.just("Patient")},
    optional={
        "id": texts,
        "active": st.booleans(),
        "_active": besides,
        "extension": extensions,
        "name": st.lists(st.fixed_dictionaries({"text": texts}, optional={"_text": besides}), min_size=1),
        "multipleBirthInteger": st.integers(-(2**31), 2**31 - 1),
    },
)


@given(patients)
def test_any_patient_comes_back(patient: Any) -> None:
    patient = decode(encode(patient))
    assert same(from_xml(to_xml(patient)), patient)


@given(st.one_of(decimals, st.integers().map(lambda n: decode(str(n).encode()))))
def test_any_amount_comes_back(amount: int | Decimal) -> None:
    resource = {"resourceType": "Observation", "valueQuantity": {"value": amount}}
    assert same(from_xml(to_xml(resource)), resource)


def examples(package: str) -> Iterator[tuple[str, Any]]:
    with tarfile.open(PACKAGES / f"{package}.tgz") as archive:
        for member in archive:
            if member.name.endswith(".json") and "/." not in member.name and "openapi" not in member.name:
                stream = archive.extractfile(member)
                resource = decode(stream.read(), max_depth=200) if stream else None
                if isinstance(resource, dict) and is_resource(resource.get("resourceType")):
                    yield member.name, resource


@pytest.mark.skipif(not PACKAGES.is_dir(), reason="../shared/fhir-packages is absent")
@pytest.mark.parametrize(
    ("package", "at_least"),
    [
        ("hl7.fhir.r4.examples-4.0.1", 700),
        ("hl7.fhir.us.core-7.0.0", 200),
        ("hl7.fhir.us.sdoh-clinicalcare-3.0.0", 100),
    ],
)
def test_every_published_example_comes_back_digit_for_digit(package: str, at_least: int) -> None:
    count = 0
    for name, resource in examples(package):
        assert same(from_xml(to_xml(resource), max_depth=200), resource), name
        count += 1
    assert count >= at_least
