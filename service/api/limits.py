"""How much one caller, or one address, may ask of this process: token buckets and seats.

Everything is counted in this process alone, so N API processes allow N times as much; what a limit protects (this
event loop, this process's database connections) is the process's own too. Nothing here grows without bound: an address
or caller that has not been heard of for longest is forgotten first, and what is forgotten starts with a full bucket.
"""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import ip_address

from service.kernel.failures import Refused
from service.settings import Settings

MOST = 10_000
"""Buckets of one kind that are remembered."""
BURST = 10
"""Seconds' worth that may come at once."""
QUEUE = 100
"""Requests of one caller that may wait for a seat; more are refused at once."""
PATIENCE = 10.0
"""Seconds one of them waits."""


class Buckets:
    """Token buckets by name: `rate` a second, BURST seconds' worth at once. A rate of 0 is no limit."""

    def __init__(self, rate: float, now: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._rate, self._burst = rate, max(rate * BURST, 1.0)
        self._now, self._most = now, most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> int:
        """0 when one more is allowed now, and counted; else the whole seconds until one is."""
        if not self._rate:
            return 0
        now = self._now()
        level, since = self._levels.pop(name, (self._burst, now))
        level = min(self._burst, level + (now - since) * self._rate)
        self._levels[name] = (level - 1 if level >= 1 else level, now)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return 0 if level >= 1 else math.ceil((1 - level) / self._rate)

    def give_back(self, name: str) -> None:
        """One that was taken did not count after all."""
        if name in self._levels:
            level, since = self._levels[name]
            self._levels[name] = (min(self._burst, level + 1), since)

    def __len__(self) -> int:
        return len(self._levels)


class Seats:
    """At most `most` requests of one caller are served at a time; the rest wait their turn, first come first served."""

    def __init__(self, most: int, queue: int = QUEUE, patience: float = PATIENCE) -> None:
        self._most, self._queue, self._patience = most, queue, patience
        self._taken: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def take(self, name: str) -> None:
        """Returns seated; Refused("throttled") when too many wait already, or this one waited too long."""
        taken = self._taken.get(name, 0)
        if taken < self._most:
            self._taken[name] = taken + 1
            return
        line = self._waiting.setdefault(name, deque())
        if len(line) >= self._queue:
            raise throttled(1, "too many of your requests are being served or waiting")
        turn = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except TimeoutError:
            self._give_up(name, turn)
            raise throttled(1, "too many of your requests are being served") from None
        except asyncio.CancelledError:
            self._give_up(name, turn)
            raise

    def _give_up(self, name: str, turn: asyncio.Future[None]) -> None:
        """Out of the line; a seat that was handed over in the same moment goes on to the next."""
        if turn.done() and not turn.cancelled():
            self.leave(name)
        elif name in self._waiting and turn in self._waiting[name]:
            self._waiting[name].remove(turn)
            self._tidy(name)

    def leave(self, name: str) -> None:
        """Stand up; the seat goes to whoever waits longest."""
        line = self._waiting.get(name)
        while line:
            turn = line.popleft()
            if not turn.done():
                turn.set_result(None)
                self._tidy(name)
                return
        self._tidy(name)
        left = self._taken.get(name, 1) - 1
        if left:
            self._taken[name] = left
        else:
            self._taken.pop(name, None)

    def _tidy(self, name: str) -> None:
        if not self._waiting.get(name):
            self._waiting.pop(name, None)

    def __len__(self) -> int:
        return len(self._taken)


class Limits:
    """The limits of one process."""

    def __init__(self, settings: Settings) -> None:
        self.addresses = Buckets(settings.address_rate)
        self.tokens = Buckets(settings.token_rate)
        self.callers = Buckets(settings.caller_rate)
        self.seats = Seats(settings.caller_seats)


class Visit:
    """One request's way through the limits."""

    def __init__(self, limits: Limits, address: str) -> None:
        self._limits, self._place, self._seated = limits, network_of(address), ""

    def knock(self, path: str) -> int:
        """0, or the seconds until this address may ask again. Counted until the caller is known.

        Of the token endpoints every request counts, and fewer are allowed: each costs a signature check.
        """
        if path.startswith("/auth/"):
            return self._limits.tokens.take(self._place)
        return self._limits.addresses.take(self._place)

    async def known(self, client_id: str, *, custodian: bool, path: str) -> None:
        """The caller is proven: from here on its own limits count, not its address's. Returns when it has a seat.

        The case-management system has no rate, since whole caseloads come through its door; it has seats as others.
        """
        if not path.startswith("/auth/"):
            self._limits.addresses.give_back(self._place)
        if not custodian and (wait := self._limits.callers.take(client_id)):
            raise throttled(wait, "too many requests with this client_id")
        if not self._seated:
            await self._limits.seats.take(client_id)
            self._seated = client_id

    def leave(self) -> None:
        """The answer is out."""
        if self._seated:
            self._limits.seats.leave(self._seated)
            self._seated = ""


def throttled(seconds: int, text: str) -> Refused:
    """429 with Retry-After."""
    return Refused("throttled", f"{text}; try again in {seconds} s", retry_after=str(seconds))


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or an IPv6 /64, which one subscriber has whole."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if parsed.version == 4:
        return address
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else parsed.exploded[:19]
