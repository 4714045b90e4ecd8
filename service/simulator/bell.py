"""The agency's subscriptions: Task alone, by rest-hook, as the Backport guide has them for R4.

Numbers every change of a Task for each subscription and posts it, in order. On its flaky days some notifications come
twice, some in the wrong order, and some never: a subscriber that asks (`$events`) is told everything.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from service.fhir.json import JsonObject, encode
from service.kernel.clock import instant, system_clock
from service.kernel.ids import new_id
from service.simulator.behaviour import Manner
from service.simulator.store import Put, Refusal, Store, Version

TOPIC = "http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic/Task"
_GUIDE = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
_CODE = {"handshake": "requested"}
_TWICE, _SWAPPED, _NEVER = 0.3, 0.3, 0.1


@dataclass
class Ring:
    """One subscription at work: what happened for it, and what is still to be posted."""

    id: str
    events: list[Version] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    posting: asyncio.Task[None] | None = None


class Bell:
    """Rings for whoever subscribed. `base` is the agency's FHIR base."""

    def __init__(self, base: str, store: Store, manner: Manner) -> None:
        self.base, self._store, self._manner = base, store, manner
        self._rings: dict[str, Ring] = {}
        self._dice = random.Random(manner.seed)  # noqa: S311 - repeatable on purpose
        self._client = httpx.AsyncClient(timeout=10, trust_env=False)
        store.watch = self.happened

    def happened(self, made: Sequence[Version]) -> None:
        """New versions are kept: Subscriptions begin, Tasks are news."""
        for version in made:
            if version.type == "Subscription":
                self._asked(version)
            elif version.type == "Task":
                for ring in self._rings.values():
                    ring.events.append(version)
                    self._ring(ring, len(ring.events))

    def _asked(self, version: Version) -> None:
        resource = version.resource
        if resource is None:
            self._rings.pop(version.id, None)
            return
        ring = self._rings.setdefault(version.id, Ring(version.id))
        if resource.get("status") == "requested":
            asyncio.get_running_loop().create_task(self._greet(ring))

    async def _greet(self, ring: Ring) -> None:
        current = self._store.current("Subscription", ring.id)
        if current is None or current.resource is None:
            return
        taken = await self._post(current.resource, self.notification(ring, "handshake", []))
        status = "active" if taken else "error"
        self._store.keep([Put("Subscription", ring.id, {**current.resource, "status": status})])

    def _ring(self, ring: Ring, number: int) -> None:
        ring.waiting.append(number)
        if ring.posting is None or ring.posting.done():
            ring.posting = asyncio.get_running_loop().create_task(self._work(ring))

    async def _work(self, ring: Ring) -> None:
        while ring.waiting:
            await asyncio.sleep(self._manner.step / 10)
            numbers = self._next(ring)
            current = self._store.current("Subscription", ring.id)
            if current is None or current.resource is None:
                return
            for number in numbers:
                bundle = self.notification(ring, "event-notification", [number])
                if not await self._post(current.resource, bundle):
                    self._store.keep([Put("Subscription", ring.id, {**current.resource, "status": "error"})])
                    ring.waiting.clear()
                    return

    def _next(self, ring: Ring) -> list[int]:
        """One event, as a rule; on a flaky day one too many, two the wrong way round, or none."""
        first = ring.waiting.pop(0)
        if self._manner.behaviour != "flaky":
            return [first]
        chance = self._dice.random()
        if chance < _NEVER:
            return []
        if chance < _NEVER + _TWICE:
            return [first, first]
        if chance < _NEVER + _TWICE + _SWAPPED and ring.waiting:
            return [ring.waiting.pop(0), first]
        return [first]

    async def _post(self, subscription: JsonObject, bundle: JsonObject) -> bool:
        channel = subscription["channel"]
        headers = [tuple(part.strip() for part in row.split(":", 1)) for row in channel.get("header", [])]
        kind = ("Content-Type", channel.get("payload", "application/fhir+json"))
        given: list[tuple[str, str]] = [*((name, value) for name, value in headers), kind]
        try:
            answer = await self._client.post(channel["endpoint"], content=encode(bundle), headers=given)
        except httpx.HTTPError:
            return False
        return 200 <= answer.status_code < 300

    def status(self, ring: Ring, kind: str, numbers: Sequence[int]) -> JsonObject:
        """The SubscriptionStatus of R4, a Parameters resource."""
        current = self._store.current("Subscription", ring.id)
        code = _CODE.get(kind) or ((current.resource or {}).get("status", "off") if current else "off")
        rows: list[JsonObject] = [
            {"name": "subscription", "valueReference": {"reference": f"{self.base}/Subscription/{ring.id}"}},
            {"name": "topic", "valueCanonical": TOPIC},
            {"name": "status", "valueCode": code},
            {"name": "type", "valueCode": kind},
            {"name": "events-since-subscription-start", "valueString": str(len(ring.events))},
        ]
        for number in numbers:
            version = ring.events[number - 1]
            parts: list[JsonObject] = [
                {"name": "event-number", "valueString": str(number)},
                {"name": "timestamp", "valueInstant": version.at},
                {"name": "focus", "valueReference": {"reference": f"{self.base}/{version.reference}"}},
            ]
            rows.append({"name": "notification-event", "part": parts})
        profile = [f"{_GUIDE}/backport-subscription-status-r4"]
        return {"resourceType": "Parameters", "meta": {"profile": profile}, "parameter": rows}

    def notification(self, ring: Ring, kind: str, numbers: Sequence[int]) -> JsonObject:
        """The history Bundle."""
        url = f"{self.base}/Subscription/{ring.id}/$status"
        first = {
            "fullUrl": f"urn:uuid:{new_id()}",
            "resource": self.status(ring, kind, numbers),
            "request": {"method": "GET", "url": url},
            "response": {"status": "200"},
        }
        now = instant(system_clock())
        return {"resourceType": "Bundle", "type": "history", "timestamp": now, "entry": [first]}

    def known(self, id_: str) -> Ring:
        """The subscription; Refusal 404 when there is none."""
        if id_ not in self._rings:
            raise Refusal(404, "not-found", "there is no such Subscription here")
        return self._rings[id_]

    async def close(self) -> None:
        """Ring no more."""
        for ring in self._rings.values():
            if ring.posting is not None:
                ring.posting.cancel()
        await self._client.aclose()
