"""What an attempt came to, as a value: Delivered, Retry, Dead or Withheld.

The meaning of each HTTP status is a row of STATUS; a status not listed is judged by its hundred. Redirects
are never followed (Standard Webhooks: 3xx is a failure) and never retried: the registered address is wrong
until somebody corrects it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Literal, assert_never

from service.delivery.receipt import told_status
from service.delivery.retry import STANDARD, Policy, wait

Meaning = Literal[
    "delivered", "temporary", "token", "stale", "conflict", "rejected", "moved", "forbidden", "gone"
]
Fault = Literal["timeout", "connection", "tls", "dns", "refused-address", "oversized", "protocol", "token"]
"""How an attempt can end without an answer. `refused-address`: our own SSRF rules forbid the address."""
DeadReason = Literal[
    "rejected",
    "moved",
    "forbidden",
    "gone",
    "conflict",
    "attempts-spent",
    "refused-address",
    "protocol",
    "invalid",
]

STATUS: Mapping[int, Meaning] = MappingProxyType(
    {
        401: "token",
        403: "forbidden",
        404: "rejected",
        408: "temporary",
        409: "stale",
        410: "gone",
        412: "conflict",
        421: "temporary",
        423: "temporary",
        425: "temporary",
        429: "temporary",
        501: "rejected",
        505: "rejected",
    }
)
"""409: somebody else wrote at the same moment, read again and retry (stale). 412: If-Match or If-None-Exist
failed (several matches, another version), a person or the flow must look (conflict). 501/505 will not change
by waiting."""

_BY_HUNDRED: Mapping[int, Meaning] = MappingProxyType(
    {2: "delivered", 3: "moved", 4: "rejected", 5: "temporary"}
)

_FAULT_REASON: Mapping[Fault, DeadReason | None] = MappingProxyType(
    {
        "timeout": None,
        "connection": None,
        "tls": None,
        "dns": None,
        "refused-address": "refused-address",
        "oversized": None,
        "protocol": None,
        "token": None,
    }
)
"""None: worth another try. TLS too: certificates expire at night and are renewed in the morning."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the partner said: status, its Retry-After wish, and the raw body (capped by the sender)."""

    status: int
    wish: timedelta | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The partner has it."""

    status: int


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after `delay`, having renewed the token or reread the target. `why` is safe to show."""

    delay: timedelta
    why: str
    refresh_token: bool = False
    reread: bool = False


@dataclass(frozen=True, slots=True)
class Dead:
    """No further attempt without a person. `excerpt` says what the partner objected to, redacted."""

    reason: DeadReason
    why: str
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Withheld:
    """Consent forbids it now; nothing was sent."""

    reason: str
    why: str


Outcome = Delivered | Retry | Dead | Withheld


def meaning(status: int) -> Meaning:
    """What an HTTP status means to a delivery. 1xx or an impossible number counts as temporary."""
    return STATUS.get(status) or _BY_HUNDRED.get(status // 100, "temporary")


def judge(
    result: Answer | Fault, attempt: int, random: float, policy: Policy = STANDARD, *, refreshed: bool = False
) -> Outcome:
    """The outcome of attempt number `attempt` (from 1); `random` in [0, 1) spreads the wait.

    `refreshed`: this attempt already used a token fetched for it, so a 401 is not cured by another at once.
    """
    if not isinstance(result, Answer):
        reason = _FAULT_REASON[result]
        if reason is not None:
            return Dead(reason, f"not sent: {result}")
        return _again(attempt, random, None, policy, f"no answer: {result}")
    status = result.status
    if meaning(status) == "delivered":
        told = told_status(status, result.body)
        if told is None:
            why = f"the partner answered {status} with something that is not FHIR, so it may not have it"
            return _again(attempt, random, result.wish, policy, why)
        status = told
    why = f"the partner answered {status}"
    match meaning(status):
        case "delivered":
            return Delivered(status)
        case "temporary":
            return _again(attempt, random, result.wish, policy, why)
        case "token" if not refreshed and attempt < policy.attempts:
            return Retry(timedelta(), why, refresh_token=True)
        case "token":
            return _again(attempt, random, result.wish, policy, why, refresh_token=True)
        case "stale":
            return _again(attempt, random, result.wish, policy, why, reread=True)
        case "conflict" | "rejected" | "moved" | "forbidden" | "gone" as reason:
            return Dead(reason, why, redacted(result.body))
        case _ as never:
            assert_never(never)


def _again(
    attempt: int,
    random: float,
    wish: timedelta | None,
    policy: Policy,
    why: str,
    *,
    refresh_token: bool = False,
    reread: bool = False,
) -> Retry | Dead:
    delay = wait(attempt, random, wish, policy)
    if delay is None:
        return Dead("attempts-spent", f"{why}, and all {policy.attempts} attempts are spent")
    return Retry(delay, why, refresh_token, reread)


_ISSUE_CODE = re.compile(rb'"(?:severity|code)"\s*:\s*"([a-z-]{1,30})"')
_EXPRESSION = re.compile(rb'"(?:expression|location)"\s*:\s*\[\s*"([A-Za-z0-9.\[\]]{1,120})"')


def redacted(body: bytes, limit: int = 300) -> str:
    """What may be kept of a partner's error body: issue severities, codes and element paths, never prose.

    Prose in diagnostics quotes what was sent, and what was sent is about a client.
    """
    codes = [match.decode() for match in _ISSUE_CODE.findall(body[:65_536])]
    paths = [match.decode() for match in _EXPRESSION.findall(body[:65_536])]
    words = [*dict.fromkeys(codes), *dict.fromkeys(paths)]
    return " ".join(words)[:limit] if words else f"{len(body)} bytes, not an OperationOutcome"
