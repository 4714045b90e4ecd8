"""FHIR → record → FHIR: every element our profiles mark must-support comes back, or is named as having no place.

What the mapping itself writes comes back equal. For must-support elements that it never writes, PARTNERS gives what
a partner might say; a profile that marks another element makes the first test fail until it is decided on.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from service.casework.records import kinds
from service.fhir.json import JsonObject, decode, decode_object, encode
from service.mapping.dropped import _base
from service.mapping.table import table
from tests.golden.test_golden import PAIRS, fhir_side
from tests.mapping import generated
from tests.mapping.context import HERE
from tests.mapping.test_round_trip import outbound_or_inbound

PACKAGE = Path(__file__).parents[2] / "fhir_profiles" / "package"
OURS = "https://casebridge.example/fhir/StructureDefinition/casebridge-"

_SOMETHING = {"coding": [{"system": "https://partner.example/codes", "code": "x"}], "text": "something"}
_REFERENCE = {"reference": "Basic/partners-own", "display": "a partner's own"}
PARTNERS: dict[str, dict[str, Any]] = {
    "agency": {},
    "assessment-observation": {"hasMember": [_REFERENCE]},
    "assessment-response": {},
    "care-plan": {"careTeam": [_REFERENCE], "encounter": _REFERENCE, "partOf": [_REFERENCE]},
    "care-team": {"category": [_SOMETHING], "period": {"start": "2026-01-01"}},
    "case-manager": {"address": [{"city": "Harborview"}]},
    "case-manager-role": {
        "availableTime": [{"allDay": True}], "endpoint": [_REFERENCE], "location": [_REFERENCE], "specialty": [_SOMETHING],
    },
    "client": {"contact": [{"name": {"text": "Rosa"}}], "link": [{"other": _REFERENCE, "type": "seealso"}]},
    "consent": {"policyRule": _SOMETHING},
    "consent-part2": {},
    "encounter": {
        "episodeOfCare": [_REFERENCE], "hospitalization": {"dischargeDisposition": _SOMETHING},
        "reasonReference": [_REFERENCE],
    },
    "episode": {
        "diagnosis": [{"condition": _REFERENCE}], "referralRequest": [_REFERENCE], "type": [_SOMETHING],
        "statusHistory": [{"status": "planned", "period": {"start": "2026-01-01"}}],
    },
    "goal": {"extension": [{"url": "https://partner.example/e", "valueCode": "x"}], "outcomeReference": [_REFERENCE],
             "statusReason": "a reason"},
    "gpra-response": {},
    "need": {"abatement[x]": "2026-01-01", "extension": [{"url": "https://partner.example/e", "valueCode": "x"}]},
    "programme": {
        "appointmentRequired": True, "endpoint": [_REFERENCE], "notAvailable": [{"description": "Christmas"}],
        "referralMethod": [_SOMETHING],
    },
    "patient-task": {"partOf": [_REFERENCE]},
    "provenance": {"activity": _SOMETHING, "extension": [{"url": "https://partner.example/e", "valueCode": "x"}]},
    "referral-request": {
        "encounter": _REFERENCE, "locationReference": [_REFERENCE], "quantity[x]": {"value": 2}, "requisition": {"value": "R-1"},
    },
    "referral-task": {
        "businessStatus": _SOMETHING, "executionPeriod": {"start": "2026-01-01"}, "partOf": [_REFERENCE],
        "input": [{"type": _SOMETHING, "valueString": "x"}],
    },
    "service-delivered": {"reasonReference": [_REFERENCE]},
}  # fmt: skip
"""Profile → must-support elements the mapping does not write, as a partner might say them."""
SPOKEN = {"abatement[x]": "abatementDateTime", "quantity[x]": "quantityQuantity"}
NOT_FROM_RECORDS = {"audit-disclosure", "audit-event", "due-task", "duplicate"}
READ_ELSEWHERE = {("referral-task", "note"), ("referral-request", "reasonReference")}
"""What a record takes over in another place: a remark on the Task, the name of the condition that is the reason."""


def must_support(profile: str) -> set[str]:
    definition = decode_object((PACKAGE / f"StructureDefinition-casebridge-{profile}.json").read_bytes())
    paths = [each["path"].split(".") for each in definition["snapshot"]["element"] if each.get("mustSupport")]
    return {path[1] for path in paths if len(path) == 2}


def profile_of(resource: JsonObject) -> str:
    claimed = [url for url in resource.get("meta", {}).get("profile", []) if url.startswith(OURS)]
    return claimed[0].removeprefix(OURS) if claimed else ""


PROFILES = sorted(
    path.stem.removeprefix("StructureDefinition-casebridge-")
    for path in PACKAGE.glob("StructureDefinition-casebridge-*")
)


def test_every_must_support_element_is_written_by_the_mapping_or_decided_on_here() -> None:
    written: dict[str, set[str]] = defaultdict(set)
    for pair in PAIRS:
        for resource in decode(fhir_side(pair).read_bytes()):
            written[profile_of(resource)] |= {_base(name) for name in resource}
    undecided = {
        profile: missing
        for profile in set(PROFILES) - NOT_FROM_RECORDS
        if (missing := {
            each for each in must_support(profile)
            if each.removesuffix("[x]") not in written[profile] and each not in PARTNERS[profile]
            and (profile, each) not in READ_ELSEWHERE
        })
    }  # fmt: skip
    assert undecided == {}


def enriched(resource: JsonObject, data: st.DataObject) -> tuple[JsonObject, list[str]]:
    """The resource with some of what only a partner says, and which elements those are."""
    more = PARTNERS.get(profile_of(resource), {})
    chosen = data.draw(st.lists(st.sampled_from(sorted(more)), unique=True)) if more else []
    added = [each for each in chosen if SPOKEN.get(each, each) not in resource]
    return {**resource, **{SPOKEN.get(each, each): more[each] for each in added}}, added


@pytest.mark.parametrize("kind", sorted(kinds))
@settings(max_examples=generated.CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_must_support_comes_back_or_is_named(kind: str, data: st.DataObject) -> None:
    record = data.draw(generated.record(kind))
    if kind == "referrals":
        record = outbound_or_inbound(record)
    assume(getattr(record, "status", "") != "entered-in-error")
    first = decode(encode(list(table[kind].to_fhir(record, HERE).resources)))
    said, added = zip(*(enriched(each, data) for each in first), strict=True)
    told = table[kind].to_record(tuple(said), HERE)
    again = {(each["resourceType"], each["id"]): each
             for each in decode(encode(list(table[kind].to_fhir(told.record, HERE).resources)))}  # fmt: skip
    named = {note.expression.partition("[")[0] for note in told.notes}
    for before, resource, more in zip(first, said, added, strict=True):
        marked = (
            {each.removesuffix("[x]") for each in must_support(profile_of(resource))}
            if profile_of(resource)
            else set()
        )
        after = again[resource["resourceType"], resource["id"]]
        lost = {
            name for name, value in before.items()
            if _base(name) in marked and _base(name) not in {_base(each) for each in more} and after.get(name) != value
        }  # fmt: skip
        assert lost == set(), resource["resourceType"]
        silent = {
            each for each in more
            if f"{resource['resourceType']}.{each.removesuffix('[x]')}" not in named
        }  # fmt: skip
        assert silent == set(), resource["resourceType"]
