"""A step of a self-test, and the sheet they are written on: what was tried, what came of it, what to do about it."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from service.delivery.outcome import Answer, Fault, meaning
from service.fhir.json import BadJson, JsonObject, decode_object
from service.kernel.ids import new_id
from service.remote.partner import Reply

Result = Literal["passed", "failed", "skipped"]
TRIES = 4
PATIENCE = 2.0
"""The longest wait between two tries, and the slowest answer that is not worth a word (seconds)."""

_FAULTS: dict[Fault, str] = {
    "timeout": "it did not answer in time",
    "connection": "the connection was refused or cut",
    "tls": "TLS failed: its certificate is not trusted here, has ended, or names another host",
    "dns": "its name does not resolve",
    "refused-address": "our own rules forbid the address",
    "oversized": "its answer is longer than we read, or compressed unasked",
    "protocol": "the connection was cut before a whole answer, or the answer is not HTTP",
    "token": "no token was to be had",
}


@dataclass(frozen=True, slots=True)
class Step:
    """`words` say what was found and, where it failed, who does what. `milliseconds` of the last answer."""

    name: str
    result: Result
    words: str
    milliseconds: int = 0
    request_id: str = ""


@dataclass
class Sheet:
    """The steps so far. `pause` is the first wait between tries (seconds), doubled each time."""

    steps: list[Step] = field(default_factory=list)
    pause: float = 0.3
    stumbles: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    slowest: int = 0

    def passed(self, name: str, words: str, reply: Reply | None = None) -> None:
        """It is as it should be."""
        self._write(name, "passed", words, reply)

    def failed(self, name: str, words: str, reply: Reply | None = None) -> None:
        """Somebody has to do something."""
        self._write(name, "failed", words, reply)

    def skipped(self, words: str, *names: str) -> None:
        """Not tried, and why."""
        for name in names:
            self._write(name, "skipped", words, None)

    def _write(self, name: str, result: Result, words: str, reply: Reply | None) -> None:
        took, id_ = (reply.milliseconds, reply.request_id) if reply else (0, "")
        self.steps.append(Step(name, result, words, took, id_))

    async def tried(self, ask: Callable[[str], Awaitable[Reply]]) -> Reply:
        """The first answer that is more than a passing trouble, or the last trouble. Every stumble is counted."""
        for attempt in range(TRIES):
            reply = await ask(new_id())
            self.asked += 1
            self.slowest = max(self.slowest, reply.milliseconds)
            if not passing(reply):
                return reply
            self.stumbles[stumble(reply)] += 1
            if attempt + 1 < TRIES:
                wish = reply.result.wish if isinstance(reply.result, Answer) else None
                wait = max(self.pause * 2**attempt, wish.total_seconds() if wish else 0.0)
                await asyncio.sleep(min(wait, PATIENCE) * (0.75 + random.random() / 4))  # noqa: S311 - spreads
        return reply


def passing(reply: Reply) -> bool:
    """Is it a trouble that may be over in a moment?"""
    if isinstance(reply.result, Answer):
        return meaning(reply.result.status) == "temporary"
    return reply.result in ("timeout", "connection", "protocol")


def stumble(reply: Reply) -> str:
    """A passing trouble in two words."""
    return f"status {reply.result.status}" if isinstance(reply.result, Answer) else str(reply.result)


def good(reply: Reply) -> bool:
    """2xx."""
    return isinstance(reply.result, Answer) and 200 <= reply.result.status < 300


def body_of(reply: Reply) -> JsonObject:
    """The answer's JSON object; empty where it has none."""
    if not isinstance(reply.result, Answer):
        return {}
    try:
        return decode_object(reply.result.body)
    except BadJson:
        return {}


def why(reply: Reply) -> str:
    """What went wrong, in words: ours for a fault, and what its OperationOutcome says for an answer."""
    if not isinstance(reply.result, Answer):
        own = reply.detail if reply.result in ("refused-address", "token", "oversized") else ""
        return f"{_FAULTS[reply.result]}{f' ({own})' if own else ''}"
    said = body_of(reply).get("issue")
    issue = said[0] if isinstance(said, list) and said and isinstance(said[0], dict) else {}
    details = issue.get("details")
    text = (details.get("text") if isinstance(details, dict) else None) or issue.get("diagnostics")
    more = f": {' '.join(str(text).split())[:160]}" if text else ""
    return f"it answered {reply.result.status}{more}"
