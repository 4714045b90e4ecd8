"""Standard Webhooks: what the receivers' own library accepts, and when a push is tried again."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from service.delivery import webhook
from service.delivery.outcome import Answer

KEY = bytes(range(32))
BODY = b'{"type":"referral-accepted"}'


def test_the_receivers_library_accepts_what_we_sign() -> None:
    headers = webhook.headers([KEY], "evt_1-2", datetime.now(UTC), BODY)
    assert Webhook(webhook.secret_text(KEY)).verify(BODY, headers) == json.loads(BODY)


def test_old_and_new_secret_both_verify_while_they_are_exchanged() -> None:
    other = bytes(range(1, 33))
    headers = webhook.headers([other, KEY], "evt_1-2", datetime.now(UTC), BODY)
    for secret in (KEY, other):
        assert Webhook(webhook.secret_text(secret)).verify(BODY, headers)


def test_a_changed_body_and_a_stranger_do_not_verify() -> None:
    headers = webhook.headers([KEY], "evt_1-2", datetime.now(UTC), BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(webhook.secret_text(KEY)).verify(BODY + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(webhook.secret_text(bytes(32))).verify(BODY, headers)


def test_the_examples_of_the_specification_come_out() -> None:
    """The signature of the specification's own test vector (standardwebhooks libraries)."""
    key = webhook.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert key is not None
    when = datetime.fromtimestamp(1614265330, UTC)
    made = webhook.headers([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", when, b'{"test": 2432232314}')
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_&&&", "whsec_" + "A" * 200])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    assert webhook.key_of(secret) is None


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_taken(status: int) -> None:
    assert webhook.judge(Answer(status), 1, 0.5) == webhook.Taken()


@pytest.mark.parametrize("status", [301, 308, 400, 401, 404, 409, 429, 500, 503])
def test_anything_else_is_tried_again(status: int) -> None:
    outcome = webhook.judge(Answer(status), 1, 0.5)
    assert isinstance(outcome, webhook.Later)
    assert outcome.delay == timedelta(seconds=5)


def test_gone_stops_it_and_so_do_spent_attempts() -> None:
    assert isinstance(webhook.judge(Answer(410), 1, 0.5), webhook.Stopped)
    assert isinstance(webhook.judge(Answer(500), 11, 0.5), webhook.Stopped)
    assert isinstance(webhook.judge("timeout", 10, 0.5), webhook.Later)
    assert isinstance(webhook.judge("refused-address", 1, 0.5), webhook.Stopped)


def test_retry_after_is_heeded() -> None:
    outcome = webhook.judge(Answer(429, timedelta(minutes=3)), 1, 0.5)
    assert isinstance(outcome, webhook.Later)
    assert outcome.delay == timedelta(minutes=3)
