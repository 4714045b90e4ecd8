"""The casework events feed, followed as a case-management system would: by cursor, nothing lost."""

import asyncio
from typing import Any

from service.commands.demo.stage import Stage
from service.commands.demo.telling import Teller, WentWrong

WORDS = {
    "referral-delivered": "the referral has reached {partner}",
    "referral-withheld": "withheld from {partner}: {reason}",
    "delivery-failed": "the delivery to {partner} failed: {reason}",
    "referral-received": "{partner} has sent us a referral",
    "referral-accepted": "{partner} has accepted",
    "referral-in-progress": "{partner} has begun",
    "referral-completed": "{partner} has completed it",
    "referral-rejected": "{partner} has rejected: {reason}",
}

FATAL = ("delivery-failed", "referral-withheld", "referral-failed", "referral-rejected")


class Feed:
    """Reads events in order and tells each; keeps those nobody has asked about yet."""

    def __init__(self, stage: Stage, teller: Teller) -> None:
        self._stage = stage
        self._teller = teller
        self._cursor = ""
        self._unread: list[dict[str, Any]] = []

    async def until(self, kind: str, seconds: float = 45, **facts: str) -> dict[str, Any]:
        """The next event of this kind with these facts; WentWrong if it does not come, or a failure does."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    for event in await self._next():
                        if all(event.get(name) == value for name, value in facts.items()):
                            if event["kind"] == kind:
                                return event
                            if event["kind"] in FATAL:
                                raise WentWrong(f"{event['kind']}: {event.get('reason', 'no reason given')}")
        except TimeoutError:
            raise WentWrong(f"no {kind} event came within {seconds:.0f} seconds") from None

    async def _next(self) -> list[dict[str, Any]]:
        if not self._unread:
            path = (
                f"/casework/v1/events?after={self._cursor}&wait=5"
                if self._cursor
                else "/casework/v1/events?wait=5"
            )
            answer = await self._stage.casework.ask("GET", path)
            if not answer.ok:
                raise WentWrong(f"the events feed answered {answer.sentence}")
            self._unread, self._cursor = answer.body["events"], answer.body["cursor"]
        return [self._told(self._unread.pop(0))] if self._unread else []

    def _told(self, event: dict[str, Any]) -> dict[str, Any]:
        sentence = WORDS.get(event["kind"])
        ours = event.get("direction") == "inbound" and event["kind"] != "referral-received"
        if sentence and not ours:
            said = sentence.format(partner=event["partner"], reason=event.get("reason", ""))
            self._teller.line("event for the case manager", said)
        return event
