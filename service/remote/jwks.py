"""Partners' public keys by URL, kept no longer than their Cache-Control says (SMART 2.2).

A URL is asked only if a registration names it. An unknown `kid` may mean that the partner rotated its keys,
so the set is asked for again, but seldom: otherwise anybody could make us hammer a partner by inventing kids
(CVE-2026-48524).
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.fhir.json import BadJson, JsonObject, decode_object
from service.kernel.clock import Clock
from service.remote.door import Door, Failed

UNSAID = timedelta(minutes=5)
"""How long a set is kept whose answer says nothing about caching."""
LONGEST = timedelta(hours=1)
"""Even if more is allowed: a withdrawn key should not work for long."""
AGAIN = timedelta(seconds=30)
"""Least time between two fetches made for an unknown kid."""
PER_MINUTE = 10
"""Most fetches of one URL a minute, whatever the reason."""
MAX_SET = 262_144
_MAX_AGE = re.compile(r"\s*max-age\s*=\s*\"?(\d{1,9})\"?\s*", re.IGNORECASE)


class NoKeys(Exception):
    """The set cannot be had. The text is for an operator and names no content."""


@dataclass(slots=True)
class _Shelf:
    """What is known of one URL."""

    keys: JsonObject | None = None
    until: datetime | None = None
    forced: datetime | None = None
    fetches: deque[datetime] = field(default_factory=lambda: deque(maxlen=PER_MINUTE))
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class KeySets:
    """JWK Sets by URL. One a process."""

    def __init__(self, door: Door, clock: Clock) -> None:
        self._door = door
        self._clock = clock
        self._shelves: dict[str, _Shelf] = {}

    async def get(self, url: str) -> JsonObject:
        """The set, from the cache while that is allowed. NoKeys when it cannot be fetched or read."""
        shelf = self._shelves.setdefault(url, _Shelf())
        async with shelf.lock:
            if shelf.keys is not None and shelf.until is not None and self._clock() < shelf.until:
                return shelf.keys
            return await self._fetch(url, shelf)

    async def again(self, url: str) -> JsonObject | None:
        """The set fetched anew because a kid was not in it; None when that was done a moment ago."""
        shelf = self._shelves.setdefault(url, _Shelf())
        async with shelf.lock:
            now = self._clock()
            if shelf.forced is not None and now < shelf.forced + AGAIN:
                return None
            shelf.forced = now
            return await self._fetch(url, shelf)

    async def _fetch(self, url: str, shelf: _Shelf) -> JsonObject:
        now = self._clock()
        if len(shelf.fetches) == PER_MINUTE and now < shelf.fetches[0] + timedelta(minutes=1):
            raise NoKeys("the key set was fetched too often within a minute")
        shelf.fetches.append(now)
        answer = await self._door.ask("GET", url, {"Accept": "application/json"}, cap=MAX_SET)
        if isinstance(answer, Failed):
            raise NoKeys(f"the key set cannot be fetched: {answer.text}")
        if answer.status != 200:
            raise NoKeys(f"the key set's URL answered {answer.status}")
        try:
            keys = decode_object(answer.body)
        except BadJson as error:
            raise NoKeys(f"the key set is not usable JSON: {error}") from None
        life = lifetime(answer.headers.get("cache-control"), answer.headers.get("age"))
        shelf.keys, shelf.until = keys, now + life
        return keys


def lifetime(cache_control: str | None, age: str | None) -> timedelta:
    """How long an answer may be kept (RFC 9111): max-age less Age, nothing for no-store and no-cache."""
    directives = [part.strip().lower() for part in (cache_control or "").split(",")]
    if any(part.partition("=")[0] in ("no-store", "no-cache") for part in directives):
        return timedelta()
    ages = [int(match[1]) for part in directives if (match := _MAX_AGE.fullmatch(part))]
    if not ages:
        return UNSAID
    spent = int(age) if age and age.isdecimal() and len(age) < 10 else 0
    return min(max(timedelta(seconds=min(ages) - spent), timedelta()), LONGEST)
