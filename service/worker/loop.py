"""Lease, run, settle, stop cleanly: the rhythm of the worker. What is done in each beat are flows.

Up to AT_ONCE pieces of each kind of work run at a time, few of them for one partner, so that a silent partner keeps
only its own referrals waiting. Wake-ups come by LISTEN/NOTIFY when something is put into the outbox; without one,
the loop looks again after `worker_idle_seconds`. A worker killed at any moment is missed by the others within
seconds, and its leases are given back.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from service.flows.audit.seal import seal
from service.flows.context import Context
from service.flows.deliver import deliver, take_due
from service.flows.due.recount import look_again, recount
from service.flows.duplicates.look import look
from service.flows.exports.work import export, take_exports
from service.flows.follow_tasks import follow, take_looks
from service.flows.forward_referral import forward_referral, take_stirred
from service.flows.lead.turn import turn_covers
from service.flows.recognise import recognise
from service.flows.subscriptions.listen import listen, take_listeners
from service.flows.subscriptions.notify import notify, take_subscribers
from service.flows.sweep import give_back, living, sweep, tell_stalled, tell_unclaimed
from service.flows.webhooks import push, take_webhooks
from service.kernel.events import log
from service.kernel.failures import Unavailable
from service.remote.outside import Outside

AT_ONCE = 32
PER_PARTNER = 4
SWEEP_EVERY = 5.0
SEAL_EVERY = 1.0


class Work(Protocol):
    """A piece of work: whom it concerns is all the rhythm needs to know."""

    @property
    def partner(self) -> str:
        """The partner's client_id."""


W = TypeVar("W", bound=Work)
T = TypeVar("T")


@dataclass(frozen=True)
class Beat(Generic[W]):
    """A kind of work: how to take some (how many are free, which partners are busy), and how to do one."""

    name: str
    take: Callable[[int, Sequence[str]], Awaitable[Sequence[W]]]
    do: Callable[[W], Awaitable[object]]
    each: int = PER_PARTNER


def _name() -> int:
    return random.randrange(1, 2**31)  # noqa: S311 - a name, not a secret


class Worker:
    """Runs until `stop`; `run` returns when everything under way is settled."""

    def __init__(self, context: Context, outside: Outside) -> None:
        self._context = context
        self._outside = outside
        self._number = _name()
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()

    def stop(self) -> None:
        """Finish what is under way, begin nothing new."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Deliver and follow, each at its own pace, so that a slow partner's Tasks never delay a delivery."""
        listening = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(self._listen(listening)),
                group.create_task(self._sweeping(listening)),
                group.create_task(self._sealing()),
                group.create_task(self._recognising()),
                group.create_task(self._recounting()),
                group.create_task(self._comparing()),
            ]
            for beat in self._beats():
                group.create_task(self._beating(beat))
            await self._stopping.wait()
            for task in background:
                task.cancel()

    def _beats(self) -> tuple[Beat[Any], ...]:
        """Every kind of work, each with its own pace: none waits for another."""
        context, outside = self._context, self._outside
        return (
            Beat(
                "deliver",
                lambda free, busy: take_due(context, self._number, free, busy),
                lambda leased: deliver(context, outside, leased),
                each=AT_ONCE,  # how many a partner may have is agreed with it (delivery/terms.py), for all workers
            ),
            Beat(
                "follow",
                lambda free, busy: take_looks(context, free, busy),
                lambda loop: follow(context, outside, loop),
            ),
            Beat(
                "push",
                lambda free, busy: take_webhooks(context, self._number, free, busy),
                lambda webhook: push(context, outside, webhook),
            ),
            Beat(
                "notify",
                lambda free, busy: take_subscribers(context, self._number, free, busy),
                lambda subscriber: notify(context, outside, subscriber),
            ),
            Beat(
                "listen",
                lambda free, busy: take_listeners(context, free, busy),
                lambda one: listen(context, outside, one),
            ),
            Beat(
                "forward",
                lambda free, busy: take_stirred(context, free, busy),
                lambda loop: forward_referral(context, loop),
            ),
            Beat(
                "export",
                lambda free, busy: take_exports(context, self._number, free, busy),
                lambda work: export(context, work),
                each=1,
            ),
        )

    async def _beating(self, beat: Beat[W]) -> None:
        running: dict[asyncio.Task[None], str] = {}
        while not self._stopping.is_set():
            self._wake.clear()
            running = {task: partner for task, partner in running.items() if not task.done()}
            taken: Sequence[W] = []
            if len(running) < AT_ONCE:
                counts = Counter(running.values())
                busy = [partner for partner, count in counts.items() if count >= beat.each]
                taken = await self._guarded(beat.name, beat.take(AT_ONCE - len(running), busy)) or []
            for work in taken:
                running[asyncio.create_task(self._one(beat, work))] = work.partner
            if not taken:
                await self._nap(list(running))
        await asyncio.gather(*running)

    async def _one(self, beat: Beat[W], work: W) -> None:
        await self._guarded(beat.name, beat.do(work))

    async def _nap(self, running: list[asyncio.Task[None]]) -> None:
        """Until something is put into the outbox, something under way ends, or the idle time is over."""
        waking = asyncio.create_task(self._wake.wait())
        idle = self._context.settings.worker_idle_seconds
        await asyncio.wait([waking, *running], timeout=idle, return_when=asyncio.FIRST_COMPLETED)
        waking.cancel()

    async def _guarded(self, name: str, work: Awaitable[T]) -> T | None:
        try:
            return await work
        except Unavailable:
            await asyncio.sleep(self._context.settings.worker_idle_seconds)
        except Exception as error:  # one bad row must not stop the clock for everybody
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
            log("worker-failed", task=name, error=type(error).__name__, where=where)
            await asyncio.sleep(self._context.settings.worker_idle_seconds)
        return None

    async def _listen(self, listening: asyncio.Event) -> None:
        """Hold the connection that hears of new deliveries, and says that this worker lives; take another when
        it is lost, however it was lost."""
        while True:
            await self._guarded("listen", self._hear(listening))
            await asyncio.sleep(self._context.settings.worker_idle_seconds)

    async def _hear(self, listening: asyncio.Event) -> None:
        """Under a new name each time: what was leased under the old one could not be settled, and is given back."""
        self._number = _name()
        async with living(self._context, self._number, self._wake.set) as lost:
            listening.set()
            self._wake.set()
            await lost.wait()

    async def _sealing(self) -> None:
        """The audit trail's chain grows within a second of each commit."""
        while True:
            await self._guarded("seal", seal(self._context))
            await asyncio.sleep(SEAL_EVERY)

    async def _recognising(self) -> None:
        """Who arrived is compared with who is here."""
        while True:
            while await self._guarded("recognise", recognise(self._context)):
                pass
            await asyncio.sleep(self._context.settings.worker_idle_seconds)

    async def _recounting(self) -> None:
        """What is due follows what is filed, and the time."""
        await self._guarded("look-again", look_again(self._context))
        while True:
            while await self._guarded("recount", recount(self._context)):
                pass
            await asyncio.sleep(self._context.settings.worker_idle_seconds)

    async def _comparing(self) -> None:
        """What is filed of a client is compared with what others do for the client."""
        while True:
            while await self._guarded("duplicates", look(self._context)):
                pass
            await asyncio.sleep(self._context.settings.worker_idle_seconds)

    async def _sweeping(self, listening: asyncio.Event) -> None:
        await listening.wait()
        rounds = 0
        while True:
            await self._guarded("covers", turn_covers(self._context))
            if await self._guarded("give-back", give_back(self._context)):
                self._wake.set()
            if rounds % 12 == 0:
                await self._guarded("sweep", sweep(self._context))
                await self._guarded("stalled", tell_stalled(self._context))
                await self._guarded("unclaimed", tell_unclaimed(self._context))
            rounds += 1
            await asyncio.sleep(SWEEP_EVERY)
