"""What each answer means."""

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.delivery.outcome import (
    Answer,
    Dead,
    Delivered,
    Fault,
    Outcome,
    Retry,
    judge,
    meaning,
    redacted,
)  # fmt: skip


def told(status: int, attempt: int = 1, **more: bool) -> Outcome:
    return judge(Answer(status), attempt, 0.5, **more)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_delivered(status: int) -> None:
    assert told(status) == Delivered(status)


@pytest.mark.parametrize("status", [408, 421, 423, 425, 429, 500, 502, 503, 504, 599, 100, 700])
def test_what_may_pass_is_retried(status: int) -> None:
    assert isinstance(told(status), Retry)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        *((status, "moved") for status in (300, 301, 302, 303, 307, 308)),
        *((status, "rejected") for status in (400, 404, 405, 406, 413, 415, 422, 501, 505)),
        (403, "forbidden"), (410, "gone"), (412, "conflict"),
    ],
)  # fmt: skip
def test_what_will_not_change_by_waiting_is_dead(status: int, reason: str) -> None:
    outcome = told(status)
    assert isinstance(outcome, Dead)
    assert outcome.reason == reason


def test_a_401_is_cured_once_by_a_fresh_token_and_then_waits() -> None:
    assert told(401) == Retry(timedelta(), "the partner answered 401", refresh_token=True)
    again = told(401, refreshed=True)
    assert isinstance(again, Retry)
    assert again.delay > timedelta()
    assert isinstance(told(401, attempt=11), Dead), "no endless loop of fresh tokens"


def test_a_409_means_read_again_first() -> None:
    outcome = told(409)
    assert isinstance(outcome, Retry)
    assert outcome.reread


@pytest.mark.parametrize("fault", get_args(Fault))
def test_no_answer_is_retried_unless_we_ourselves_refused_the_address(fault: Fault) -> None:
    outcome = judge(fault, 1, 0.5)
    assert isinstance(outcome, Dead if fault == "refused-address" else Retry)


def test_a_wish_is_honoured() -> None:
    outcome = judge(Answer(503, timedelta(hours=3)), 1, 0.5)
    assert isinstance(outcome, Retry)
    assert outcome.delay == timedelta(hours=3)


@given(st.integers(-10, 1000), st.integers(1, 30), st.floats(0, 1, exclude_max=True), st.booleans())
def test_every_status_has_an_outcome_and_retries_end(
    status: int, attempt: int, random: float, refreshed: bool
) -> None:
    outcome = judge(Answer(status), attempt, random, refreshed=refreshed)
    meaning(status)
    if attempt >= 11:
        assert not isinstance(outcome, Retry)


def test_of_an_error_body_only_codes_and_paths_are_kept() -> None:
    body = (
        b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"required",'
        b'"diagnostics":"Leslie Moreno drinks","details":{"text":"Leslie"},"expression":["Task.owner"]}]}'
    )
    assert redacted(body) == "error required Task.owner"
    outcome = judge(Answer(422, body=body), 1, 0.5)
    assert isinstance(outcome, Dead)
    assert "Leslie" not in repr(outcome)


@given(st.binary(max_size=200))
def test_no_body_breaks_the_excerpt_and_none_is_long(body: bytes) -> None:
    assert len(redacted(body)) <= 300


STORED = (
    b'{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{"status":"201 Created"}}]}'
)
PARTLY = b'{"resourceType":"Bundle","type":"batch-response","entry":[{"response":{"status":"201"}},{"response":{"status":"%d"}}]}'
COMPLAINT = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"required","diagnostics":"Leslie"}]}'
FINE = b'{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational"}]}'


@pytest.mark.parametrize(
    "body", [b"", b"  ", STORED, FINE, b'{"resourceType":"Bundle","entry":[7,{"response":{}}]}']
)
def test_a_receipt_is_a_bundle_an_outcome_without_errors_or_nothing_at_all(body: bytes) -> None:
    assert judge(Answer(200, body=body), 1, 0.5) == Delivered(200)


ANSWERED = (
    b'{"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":"MessageHeader",'
    b'"response":{"identifier":"1","code":"%s"}}}]}'
)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(b"ok", Delivered), (b"transient-error", Retry), (b"fatal-error", Dead), (b"why", Retry)],
)
def test_a_message_is_settled_by_the_message_that_answers_it(code: bytes, kind: type) -> None:
    assert isinstance(judge(Answer(200, body=ANSWERED % code), 1, 0.5), kind)


def test_a_message_that_answers_nothing_is_no_receipt() -> None:
    body = (
        b'{"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":"MessageHeader"}}]}'
    )
    assert isinstance(judge(Answer(200, body=body), 1, 0.5), Retry)


@pytest.mark.parametrize(
    "body", [b"<html>log in", STORED[:40], b"[]", b"{}", b'{"resourceType":"Task"}', b"\x00\xff"]
)
def test_a_200_that_is_not_fhir_proves_nothing_and_is_sent_again(body: bytes) -> None:
    outcome = judge(Answer(200, body=body), 1, 0.5)
    assert isinstance(outcome, Retry)
    assert "not FHIR" in outcome.why


def test_an_entry_that_failed_inside_a_200_is_judged_as_it_says() -> None:
    assert isinstance(judge(Answer(200, body=PARTLY % 503), 1, 0.5), Retry)
    refused = judge(Answer(200, body=PARTLY % 422), 1, 0.5)
    assert isinstance(refused, Dead)
    assert refused.reason == "rejected"


def test_an_error_outcome_with_200_is_an_error() -> None:
    outcome = judge(Answer(200, body=COMPLAINT), 1, 0.5)
    assert isinstance(outcome, Dead)
    assert "Leslie" not in repr(outcome)
