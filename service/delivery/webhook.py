"""Standard Webhooks: how an event is signed and when it is tried again.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from service.delivery.outcome import Answer, Fault
from service.delivery.retry import STANDARD, Policy, wait

PREFIX: Final = "whsec_"
LEAST, MOST = 24, 64
"""Bytes a secret may have."""
NEVER: Final[frozenset[Fault]] = frozenset({"refused-address"})
"""Faults that no waiting cures: our own rules forbid the address."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The receiver has it (any 2xx)."""


@dataclass(frozen=True, slots=True)
class Later:
    """Try again after `delay`."""

    delay: timedelta
    why: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """No further try until somebody starts the webhook again; nothing is lost meanwhile."""

    why: str


def secret_text(key: bytes) -> str:
    """A secret as receivers configure it: `whsec_` and base64."""
    return PREFIX + b64encode(key).decode()


def key_of(secret: str) -> bytes | None:
    """The key of a secret; None for what is not one of 24 to 64 bytes."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (Error, ValueError):
        return None
    return key if LEAST <= len(key) <= MOST else None


def headers(keys: Sequence[bytes], id_: str, now: datetime, body: bytes) -> dict[str, str]:
    """webhook-id, webhook-timestamp and webhook-signature, one signature a key (a new and an old secret)."""
    seconds = str(int(now.timestamp()))
    signed = f"{id_}.{seconds}.".encode() + body
    signatures = [b64encode(hmac.new(key, signed, sha256).digest()).decode() for key in keys]
    return {
        "webhook-id": id_,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
        "content-type": "application/json",
    }


def judge(
    result: Answer | Fault, attempt: int, random: float, policy: Policy = STANDARD
) -> Taken | Later | Stopped:
    """What attempt number `attempt` (from 1) came to. 410 and our own address rules stop the webhook at once."""
    if isinstance(result, Answer):
        if 200 <= result.status < 300:
            return Taken()
        why = f"the receiver answered {result.status}"
        if result.status == 410:
            return Stopped(why)
        delay = wait(attempt, random, result.wish, policy)
    else:
        why = f"no answer: {result}"
        delay = None if result in NEVER else wait(attempt, random, None, policy)
    return Later(delay, why) if delay is not None else Stopped(f"{why}, attempt {attempt}")
