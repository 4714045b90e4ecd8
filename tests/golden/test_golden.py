"""Golden pairs: a record and the FHIR it becomes, side by side for a clinician to read.

After a wanted change: `python -m tests.golden.test_golden` writes the FHIR side anew; read the difference.
"""

from pathlib import Path

import pytest

from service.casework.records import kinds, read
from service.fhir.json import JsonObject, decode, decode_object, encode, pretty
from service.fhir.validate import Validator, load
from service.mapping import inbound
from service.mapping.withdraw import withdrawn
from tests.mapping.context import HERE
from tests.mapping.test_round_trip import MADE_BY, what_still_holds

FOLDER = Path(__file__).parent
PAIRS = sorted(FOLDER.glob("*/*.record.json"))
AT_LEAST = {"assessments": 12, "care-plans": 12, "referrals": 12, "encounters": 12}


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name.removesuffix('.record.json')}"


def made_from(path: Path) -> list[JsonObject]:
    value = decode_object(path.read_bytes())
    record = read(path.parent.name, value["id"], value)
    return list(MADE_BY[path.parent.name].to_fhir(record, HERE).resources)


def fhir_side(path: Path) -> Path:
    return path.with_name(path.name.replace(".record.json", ".fhir.json"))


@pytest.fixture(scope="module")
def validator() -> Validator:
    return load()


@pytest.mark.parametrize("path", PAIRS, ids=named)
def test_a_record_becomes_the_fhir_beside_it(path: Path) -> None:
    assert decode(encode(made_from(path))) == decode(fhir_side(path).read_bytes())


@pytest.mark.parametrize("path", PAIRS, ids=named)
def test_the_fhir_becomes_the_record_again(path: Path) -> None:
    kind = path.parent.name
    value = decode_object(path.read_bytes())
    resources = tuple(decode(fhir_side(path).read_bytes()))
    told = (inbound.told if kind == "referrals" else MADE_BY[kind].to_record)(resources, HERE)
    assert what_still_holds(told.record) == what_still_holds(read(kind, value["id"], value))


@pytest.mark.parametrize("path", PAIRS, ids=named)
def test_what_we_author_is_valid(path: Path, validator: Validator) -> None:
    found = [
        f"{resource['resourceType']}: {issue.rule} {issue.expression} {issue.text}"
        for resource in decode(fhir_side(path).read_bytes())
        for issue in validator.validate(resource)
        if issue.fails
    ]
    assert found == []


@pytest.mark.parametrize("path", PAIRS, ids=named)
def test_what_is_taken_back_is_valid_too(path: Path, validator: Validator) -> None:
    found = [
        f"{resource['resourceType']}: {issue.rule} {issue.expression}"
        for each in decode(fhir_side(path).read_bytes())
        for resource in [withdrawn(each)]
        for issue in validator.validate(resource)
        if issue.fails
    ]
    assert found == []


@pytest.mark.parametrize("kind", sorted(AT_LEAST))
def test_the_four_great_kinds_have_a_dozen_pairs_each(kind: str) -> None:
    assert sum(path.parent.name == kind for path in PAIRS) >= AT_LEAST[kind]


@pytest.mark.parametrize("kind", sorted(kinds))
def test_every_kind_has_three_pairs_or_more(kind: str) -> None:
    assert sum(path.parent.name == kind for path in PAIRS) >= 3


if __name__ == "__main__":
    for pair in PAIRS:
        fhir_side(pair).write_bytes(pretty(made_from(pair)) + b"\n")
