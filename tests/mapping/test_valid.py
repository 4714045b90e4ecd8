"""Whatever record is handed over, what we author from it is valid against R4, US Core, SDOHCC and our profiles."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.casework.records import kinds
from service.fhir.json import decode, encode
from service.fhir.validate import Validator, load
from tests.mapping import generated
from tests.mapping.context import HERE
from tests.mapping.test_round_trip import MADE_BY

OURS = ("draft", "requested", "cancelled", "entered-in-error")
"""Statuses of a referral that the requester says; the others come from the performer's Task."""


@pytest.fixture(scope="module")
def validator() -> Validator:
    return load()


@pytest.mark.parametrize("kind", sorted(kinds))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_any_record_becomes_is_valid(validator: Validator, kind: str, data: st.DataObject) -> None:
    said = {"status": st.sampled_from(OURS)} if kind == "referrals" else {}
    record = data.draw(generated.record(kind, **said))
    for resource in decode(encode(list(MADE_BY[kind].to_fhir(record, HERE).resources))):
        assert [issue.text for issue in validator.validate(resource) if issue.fails] == []
