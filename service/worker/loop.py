"""Lease, run, settle, stop cleanly: the rhythm of the worker. What is done in each beat are flows.

Wake-ups come by LISTEN/NOTIFY when something is put into the outbox; without one, the loop looks again after
`worker_idle_seconds`. A worker killed at any moment leaves leases that expire by themselves.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from service.flows.deliver import deliver_due
from service.flows.follow_tasks import follow_due
from service.flows.sweep import sweep
from service.flows.context import Context
from service.kernel.events import log
from service.kernel.failures import Unavailable
from service.remote.outside import Outside

Beat = Callable[[], Awaitable[int]]


class Worker:
    """Runs until `stop`; `run` returns when everything under way is settled."""

    def __init__(self, context: Context, outside: Outside) -> None:
        self._context = context
        self._outside = outside
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()

    def stop(self) -> None:
        """Finish what is under way, begin nothing new."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Deliver and follow, each at its own pace, so that a slow partner's Tasks never delay a delivery."""
        beats: list[tuple[str, Beat]] = [
            ("deliver", lambda: deliver_due(self._context, self._outside)),
            ("follow", lambda: follow_due(self._context, self._outside)),
        ]
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(self._listen())
            sweeping = group.create_task(self._sweeping())
            for name, beat in beats:
                group.create_task(self._beating(name, beat))
            await self._stopping.wait()
            listening.cancel()
            sweeping.cancel()

    async def _beating(self, name: str, beat: Beat) -> None:
        while not self._stopping.is_set():
            done = await self._guarded(name, beat)
            if done == 0:
                self._wake.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._context.settings.worker_idle_seconds)

    async def _guarded(self, name: str, beat: Beat) -> int:
        try:
            return await beat()
        except Unavailable:
            await asyncio.sleep(self._context.settings.worker_idle_seconds)
        except Exception as error:  # noqa: BLE001 - one bad row must not stop the clock for everybody
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
            log("worker-failed", task=name, error=type(error).__name__, where=where)
            await asyncio.sleep(self._context.settings.worker_idle_seconds)
        return 0

    async def _listen(self) -> None:
        while True:
            with suppress(Unavailable):
                async with self._context.database.listening("deliveries", self._wake.set):
                    await asyncio.Event().wait()
            await asyncio.sleep(self._context.settings.worker_idle_seconds)

    async def _sweeping(self) -> None:
        while True:
            await self._guarded("sweep", lambda: sweep(self._context))
            await asyncio.sleep(60)
