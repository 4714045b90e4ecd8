"""Two Patients are found to be one person: what was permitted under one is permitted for nothing more, what was denied
under either is denied under both."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings

from service.consent.decide import decide
from service.consent.model import Consent, of_same_person, read
from service.consent.permit import Deny
from service.consent.redact import MASKABLE, maskable
from service.consent.request import Directory, Labelled, Posture, Request
from tests.consent.oracle import US, Situation
from tests.consent.situations import ZERO, _consent, _labelled, _noon, situations

SINCE = ZERO + timedelta(days=20)
"""The merge comes after every paper of a situation, and before the question."""


def asked(situation: Situation, item: Labelled, papers: list[Consent]) -> tuple[str, frozenset[str]]:
    """`yes`, with what is masked, or the reason for the no."""
    request = Request(
        situation.recipient, situation.purpose, (item,), SINCE + timedelta(hours=1), "Patient/leslie"
    )
    circles: dict[str, dict[str, frozenset[str]]] = {client: {} for client, _, _ in situation.circles}
    for client, name, members in situation.circles:
        circles[client][name] = members
    directory = Directory(members=dict(situation.groups), circles=circles, covered=situation.covered)
    answer = decide(request, papers, Posture(True, US, tpo_without_consent=situation.tpo), directory)
    if isinstance(answer, Deny):
        return answer.code, frozenset()
    return "yes", frozenset(map(str, answer.cleared[0].masks))


def without_end(paper: Consent) -> Consent:
    """Still in force at the question."""
    return replace(paper, root=replace(paper.root, period=None))


@given(situations(), situations())
@settings(max_examples=400, deadline=None)
def test_a_merge_never_lets_more_go_and_every_denial_holds_for_both(one: Situation, two: Situation) -> None:
    own = [without_end(read(_consent(each), foreign=each.from_a_partner)) for each in one.papers]
    theirs = [without_end(read(_consent(each), foreign=each.from_a_partner)) for each in two.papers]
    merged = [
        *own,
        *(
            of_same_person(each, "Patient/leslie", SINCE)
            for each in theirs
            if each.patient == "Patient/leslie"
        ),
    ]
    for thing in one.things:
        item = _labelled(thing)
        if item.nature != "client" or item.author or item.custodian:
            continue
        (before, masked), (after, still) = asked(one, item, own), asked(one, item, merged)
        assert after != "yes" or (before == "yes" and masked <= still)
        shown = bare[0] if still and (bare := maskable(item, MASKABLE)) else item  # as it would go
        assert after != "yes" or asked(one, shown, theirs)[0] != "denied-by-client"


def paper(day: int, **more: object) -> Consent:
    return read({
        "resourceType": "Consent", "id": "p", "status": "active", "patient": {"reference": "Patient/source"},
        "dateTime": (ZERO + timedelta(days=day)).isoformat(), "sourceReference": {"reference": "DocumentReference/f"},
        "organization": [{"reference": US}], **more,
    })  # fmt: skip


@pytest.mark.parametrize(("day", "permits"), [(1, False), (19, False), (21, True)])
def test_what_is_signed_since_the_merge_speaks_of_the_one_person(day: int, permits: bool) -> None:
    found = of_same_person(paper(day), "Patient/leslie", SINCE)
    assert found.patient == "Patient/leslie"
    assert ("not-verified" not in found.defects) is permits


def test_a_denial_of_before_counts_as_said_at_the_merge_and_a_later_one_as_said_when_it_was() -> None:
    assert of_same_person(paper(1), "Patient/leslie", SINCE).denies_from == SINCE
    later = paper(30)
    assert of_same_person(later, "Patient/leslie", SINCE).denies_from == later.denies_from
    assert of_same_person(replace(paper(1), given=None), "Patient/leslie", SINCE).denies_from is None
    assert datetime(2026, 1, 21, tzinfo=UTC) == SINCE
    assert _noon(19) < SINCE
